/**
 * Signing in to BigQuery, against servers on this machine that Google's names lead to by way of a proxy: what is really sent to
 * whom. None of it shows what Google says to it.
 */
import { generateKeyPairSync, verify } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { OpportuneError } from "../../../src/core/errors.js";
import type { BigQueryConnection } from "../../../src/project/targets/bigquery.js";
import { openBigQuery } from "../../../src/warehouse/bigquery/warehouse.js";
import { connectBigQuery } from "../../../src/warehouse/bigquery/connect.js";
import { rejection } from "../support.js";

const TLS = join(import.meta.dirname, "../../data/tls");
const ROBOT = "opportune@shop-analytics.iam.gserviceaccount.com";
const LEDGER = "ledger@shop-analytics.iam.gserviceaccount.com";
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const KEY = JSON.stringify({ type: "service_account", project_id: "elsewhere", client_email: ROBOT, private_key: PEM, private_key_id: "key-1" });
const CONNECTION: BigQueryConnection = {
  type: "bigquery",
  project: "shop-analytics",
  billingProject: null,
  location: null,
  dataset: null,
  signIn: { kind: "key", key: KEY },
  impersonate: null,
  statementTimeoutSeconds: 600,
  url: null,
};

interface Seen {
  /** `POST oauth2.googleapis.com/token` */
  request: string;
  headers: IncomingMessage["headers"];
  body: string;
}

type Answer = [status: number, body: object];

let root: string;
let seen: Seen[];
/** What else than all is well is answered, by request. */
let answers: Record<string, Answer>;
let servers: Server[];
let proxy: string;
let metadata: string;

/** All is well, in the forms of OAuth's token endpoint, IAM's generateAccessToken, the metadata server and BigQuery's jobs.insert. */
function answerTo(request: string): Answer {
  const token = { access_token: `token of ${request}`, expires_in: 3599, token_type: "Bearer" };
  if (request === "POST oauth2.googleapis.com/token") return [200, token];
  if (request.startsWith("POST iamcredentials.googleapis.com/")) return [200, { accessToken: "token of the other", expireTime: "2099-01-01T00:00:00Z" }];
  if (request.includes("/service-accounts/default/token")) return [200, token];
  if (request.includes("/jobs")) return [200, { kind: "bigquery#job", jobReference: { projectId: "p", jobId: "j" }, status: { state: "DONE" } }];
  return [404, { error: { code: 404, message: `unexpected ${request}` } }];
}

async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of incoming) body += String(chunk);
  const request = `${incoming.method ?? ""} ${incoming.headers.host ?? ""}${incoming.url ?? ""}`;
  seen.push({ request, headers: incoming.headers, body });
  const [status, json] = answers[request] ?? answerTo(request);
  response.writeHead(status, { "content-type": "application/json", "metadata-flavor": "Google" }).end(JSON.stringify(json));
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

beforeAll(async () => {
  servers = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => void respond(request, response);
  const tls = createTlsServer({ cert: readFileSync(join(TLS, "server.pem")), key: readFileSync(join(TLS, "server.key")) }, handle);
  const tunnel = createServer().on("connect", (_: IncomingMessage, socket: Socket) => {
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    tls.emit("connection", socket);
  });
  proxy = await listen(tunnel);
  metadata = await listen(createServer(handle));
});

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "opportune-bigquery-"));
  seen = [];
  answers = {};
  // Google's names end here, with a certificate that isn't Google's.
  vi.stubEnv("HTTPS_PROXY", proxy)
    .stubEnv("HTTP_PROXY", "")
    .stubEnv("http_proxy", "")
    .stubEnv("NO_PROXY", "127.0.0.1")
    .stubEnv("no_proxy", "")
    .stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  // Nothing that this machine knows of: neither gcloud's files nor its project.
  vi.stubEnv("HOME", root).stubEnv("CLOUDSDK_CONFIG", root).stubEnv("GOOGLE_APPLICATION_CREDENTIALS", "");
  vi.stubEnv("GOOGLE_CLOUD_PROJECT", "").stubEnv("GCLOUD_PROJECT", "").stubEnv("GCE_METADATA_HOST", metadata).stubEnv("METADATA_SERVER_DETECTION", "none");
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

/** Signs in, runs one job, and gives what was sent. */
async function requestsOf(connection: Partial<BigQueryConnection>): Promise<Seen[]> {
  const client = await connectBigQuery({ ...CONNECTION, ...connection }, root);
  await client.createQueryJob({ query: "select 1" });
  return seen;
}

/** The claims that a service account signed, once its signature is found good. */
function claimsIn({ body }: Seen): unknown {
  const [header = "", claims = "", signature = ""] = (new URLSearchParams(body).get("assertion") ?? "").split(".");
  const good = verify("RSA-SHA256", Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, "base64url"));
  return good ? JSON.parse(Buffer.from(claims, "base64url").toString()) : null;
}

const JOB = "POST bigquery.googleapis.com/bigquery/v2/projects/shop-analytics/jobs?prettyPrint=false";
const TOKEN = "POST oauth2.googleapis.com/token";
const IMPERSONATION = `POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${LEDGER}:generateAccessToken`;

it("shows a service account's key for a token that is good for BigQuery alone, and asks nobody else", async () => {
  const [token, job, ...more] = await requestsOf({});
  expect([token?.request, job?.request, more]).toEqual([TOKEN, JOB, []]);
  expect(token === undefined ? null : claimsIn(token)).toMatchObject({
    iss: ROBOT,
    scope: "https://www.googleapis.com/auth/bigquery",
    aud: "https://oauth2.googleapis.com/token",
  });
  expect(job?.headers.authorization).toBe(`Bearer token of ${TOKEN}`);
  expect(job?.headers["user-agent"]).toMatch(/^opportune gcloud-node-bigquery\//);
});

it("reads the key from a file beside the project", async () => {
  mkdirSync(join(root, "keys"));
  writeFileSync(join(root, "keys/robot.json"), KEY);
  expect((await requestsOf({ signIn: { kind: "file", file: "keys/robot.json" } })).map(({ request }) => request)).toEqual([TOKEN, JOB]);
});

it("has the billing project run the jobs, in the location that is named", async () => {
  const sent = await requestsOf({ billingProject: "shop-billing", location: "europe-west3" });
  expect(sent[1]?.request).toBe("POST bigquery.googleapis.com/bigquery/v2/projects/shop-billing/jobs?prettyPrint=false");
  expect(JSON.parse(sent[1]?.body ?? "")).toMatchObject({ jobReference: { projectId: "shop-billing", location: "europe-west3" } });
});

it("acts as another account with a token that IAM gives, and asks for that with one good for IAM alone", async () => {
  const [token, iam, job, ...more] = await requestsOf({ impersonate: LEDGER });
  expect([token?.request, iam?.request, job?.request, more]).toEqual([TOKEN, IMPERSONATION, JOB, []]);
  expect(token === undefined ? null : claimsIn(token)).toMatchObject({ iss: ROBOT, scope: "https://www.googleapis.com/auth/iam" });
  expect(iam?.headers.authorization).toBe(`Bearer token of ${TOKEN}`);
  expect(JSON.parse(iam?.body ?? "")).toEqual({ delegates: [], scope: ["https://www.googleapis.com/auth/bigquery"], lifetime: "3600s" });
  expect(job?.headers.authorization).toBe("Bearer token of the other");
});

it("takes application default credentials from the file that the environment names", async () => {
  const user = { type: "authorized_user", client_id: "id", client_secret: "client-secret", refresh_token: "refresh-secret", quota_project_id: "shop-quota" };
  writeFileSync(join(root, "adc.json"), JSON.stringify(user));
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", join(root, "adc.json"));
  const [token, job, ...more] = await requestsOf({ signIn: { kind: "default" } });
  expect([token?.request, job?.request, more]).toEqual([TOKEN, JOB, []]);
  expect(Object.fromEntries(new URLSearchParams(token?.body))).toMatchObject({ grant_type: "refresh_token", refresh_token: "refresh-secret" });
  expect(job?.headers).toMatchObject({ authorization: `Bearer token of ${TOKEN}`, "x-goog-user-project": "shop-quota" });
});

it("takes them from the metadata server where there is one", async () => {
  vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
  const sent = await requestsOf({ signIn: { kind: "default" } });
  const path = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fbigquery";
  expect(sent.map(({ request }) => request)).toEqual([`GET ${new URL(metadata).host}${path}`, JOB]);
  expect(sent[1]?.headers.authorization).toMatch(/^Bearer token of GET /);
});

it("sends tokens to a private endpoint that the target names, not to an emulator that the environment names", async () => {
  vi.stubEnv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1");
  const [, job] = await requestsOf({ url: "https://bigquery-shop.p.googleapis.com/" });
  expect(job?.request).toBe("POST bigquery-shop.p.googleapis.com/bigquery/v2/projects/shop-analytics/jobs?prettyPrint=false");
  expect(job?.headers.authorization).toBe(`Bearer token of ${TOKEN}`);
  expect((await requestsOf({})).at(-1)?.request).toBe(JOB);
});

it("shows an emulator on this machine no credentials", async () => {
  const sent = await requestsOf({ url: metadata, signIn: { kind: "default" } });
  expect(sent.map(({ request, headers }) => [request.replace(/ .*?\//, " /"), headers.authorization])).toEqual([
    ["POST /bigquery/v2/projects/shop-analytics/jobs?prettyPrint=false", undefined],
  ]);
});

it("repeats no request by itself", async () => {
  answers[JOB] = [503, { error: { code: 503, message: "come back later", errors: [{ reason: "backendError" }] } }];
  await expect(requestsOf({})).rejects.toThrow("come back later");
  expect(seen.map(({ request }) => request)).toEqual([TOKEN, JOB]);
});

/** Everything of an error that could be printed, and that nothing secret is in it. */
async function refusal(connection: Partial<BigQueryConnection>): Promise<{ message: string; hint: string }> {
  const error = await rejection(connectBigQuery({ ...CONNECTION, ...connection }, root));
  if (!(error instanceof OpportuneError)) throw error;
  const all = [error.message, error.stack, JSON.stringify(error.problems), String(error.cause)].join("\n");
  for (const secret of [PEM.slice(30, 60), "BEGIN", "very-secret", "eyJ", "client-secret", "refresh-secret"]) expect(all).not.toContain(secret);
  return { message: error.problems[0]?.message ?? "", hint: error.problems[0]?.hint ?? "" };
}

it("says which key was refused without showing it, whatever the answer sends back", async () => {
  answers[TOKEN] = [400, { error: "invalid_grant", error_description: `Invalid JWT Signature in eyJhbGciOi.eyJpc3Mi.c2ln, key ${PEM}` }];
  const { message, hint } = await refusal({});
  expect(message).toBe("Can't sign in to BigQuery (shop-analytics): invalid_grant: Invalid JWT Signature in [redacted], key [redacted].");
  expect(hint).toContain("Check that the service account and its key still exist");
});

it("says whom to grant what where another account may not be used", async () => {
  answers[IMPERSONATION] = [403, { error: { code: 403, status: "PERMISSION_DENIED", message: "Permission 'iam.serviceAccounts.getAccessToken' denied" } }];
  const { message, hint } = await refusal({ impersonate: LEDGER });
  expect(message).toContain("PERMISSION_DENIED: unable to impersonate: Permission 'iam.serviceAccounts.getAccessToken' denied");
  expect(hint).toContain(`grant it roles/iam.serviceAccountTokenCreator on that account`);
  expect(hint).toContain(LEDGER);
});

it("says how to sign in where there are no application default credentials, or only broken ones", async () => {
  const nobody = await refusal({ signIn: { kind: "default" } });
  expect(nobody.message).toBe("Can't sign in to BigQuery (shop-analytics): Could not load the default credentials.");
  expect(nobody.hint).toContain("gcloud auth application-default login");

  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", join(root, "adc.json"));
  writeFileSync(join(root, "adc.json"), "very-secret");
  expect((await refusal({ signIn: { kind: "default" } })).message).toContain("the file of the application default credentials is not JSON");
  expect(seen).toEqual([]);
});

it("gives up where nobody can be reached", async () => {
  vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:1");
  const { message, hint } = await refusal({});
  expect(message).toMatch(/^Can't sign in to BigQuery \(shop-analytics\): .*ECONNREFUSED/);
  expect(hint).toContain("oauth2.googleapis.com");
});

it.each([
  ["very-secret", "The value of credentials is not the JSON of a service account's key."],
  ['"very-secret"', "The value of credentials is not the JSON of a service account's key."],
  ['{"type": "service_account", "client_email": "a@b"}', "The value of credentials lacks client_email or private_key."],
  ['{"type": "service_account", "client_email": "a@b", "private_key": "very-secret"}', "The value of credentials holds a private_key that can't be read."],
  ['{"type": "external_account"}', 'The value of credentials is of the type "external_account", not service_account.'],
])("asks nobody with %s for a key", async (key, message) => {
  expect((await refusal({ signIn: { kind: "key", key } })).message).toBe(message);
  expect(seen).toEqual([]);
});

it("tells what BigQuery itself refuses without the token that was sent", async () => {
  const message = "Access Denied: Project shop-analytics: User does not have bigquery.jobs.create permission";
  answers[JOB] = [403, { error: { code: 403, message, errors: [{ reason: "accessDenied", message }] } }];
  const warehouse = await openBigQuery(CONNECTION, { root });
  const error = await rejection(warehouse.query({ sql: "select 1", params: [] }));
  expect(error.message).toContain("bigquery.jobs.create");
  expect([error.stack, JSON.stringify(error), String(error.cause), JSON.stringify(error.cause)].join("\n")).not.toMatch(/token of|Bearer|PRIVATE KEY/);
  await warehouse.close();
});

it("names the file that isn't there", async () => {
  const { message } = await refusal({ signIn: { kind: "file", file: "keys/robot.json" } });
  expect(message).toBe("The file keys/robot.json, named under credentials_file, can't be read: no such file or directory (ENOENT).");
});
