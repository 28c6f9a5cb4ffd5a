/** Proxies that the environment names: every request to another machine goes through them, and none to this one. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { alertPayload, tell } from "../../src/alerts/tell.js";
import { dispatcherTo } from "../../src/core/outgoing.js";
import { proxySecrets } from "../../src/core/proxies.js";
import { SENDGRID_ANSWERS } from "../../src/delivery/providers/sendgrid/answers.js";
import { createSendGridProvider } from "../../src/delivery/providers/sendgrid/provider.js";
import { PostingPool } from "../../src/delivery/providers/http/pool.js";
import type { SendOutcome } from "../../src/delivery/types.js";
import type { SnowflakeConnection } from "../../src/project/targets/snowflake.js";
import { openSnowflake } from "../../src/warehouse/snowflake/warehouse.js";
import { message } from "../delivery/fixtures.js";
import { startProxy } from "../support/proxy.js";
import { rejection } from "../warehouse/support.js";

const NAMES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"];

// What this machine itself is set to stays outside.
beforeEach(() => {
  for (const name of NAMES) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A server of this machine that accepts every post, and what was posted to it. */
async function receiver(): Promise<{ port: number; posted: { host: string; path: string; body: string }[] }> {
  const posted: { host: string; path: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      posted.push({ host: request.headers.host ?? "", path: request.url ?? "", body });
      response.writeHead(202, { "x-message-id": "m1" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, posted };
}

async function post(endpoint: string): Promise<SendOutcome> {
  const pool = new PostingPool({
    endpoint: new URL(endpoint),
    authorization: "Bearer key",
    connections: 2,
    timeoutMs: 10_000,
    largestBodyBytes: 10_000,
    compareClocks: false,
    answers: SENDGRID_ANSWERS,
    htmlOk: false,
    clock: { now: () => 0, every: () => () => undefined },
  });
  try {
    return await pool.post("/v3/mail/send", { a: 1 }, new AbortController().signal);
  } finally {
    await pool.close();
  }
}

const ALERT = alertPayload({ alert: "failed", state: "began", at: "2026-03-02T12:00:00Z", project: "shop", target: "dev", run_id: null, items: [] });
const alert = (url: string): ReturnType<typeof tell> =>
  tell({ command: null, webhook: { url, headers: {} }, on: ["failed"], silentAfterSeconds: 60, timeoutSeconds: 10 }, ALERT, ".");

describe.each(["http_proxy", "HTTP_PROXY"])("%s", (name) => {
  it("is asked for a tunnel by posts of messages and of alerts, and told how it knows us", async () => {
    const { port, posted } = await receiver();
    const proxy = await startProxy(port);
    vi.stubEnv(name, `http://ada:p%40ss@${proxy.address}`);
    expect(await post("http://mail.example.test/base")).toMatchObject({ kind: "accepted" });
    expect(await alert("http://hooks.example.test:8080/alert")).toEqual({ reached: true, failures: [] });
    expect(proxy.asked).toEqual([
      { host: "mail.example.test:80", signIn: "ada:p@ss" },
      { host: "hooks.example.test:8080", signIn: "ada:p@ss" },
    ]);
    expect(posted.map(({ host, path }) => `${host}${path}`)).toEqual(["mail.example.test/base/v3/mail/send", "hooks.example.test:8080/alert"]);
  });
});

it.each(["https_proxy", "HTTPS_PROXY", "HTTP_PROXY"])("%s is asked for SendGrid, and what it refuses was not handed over", async (name) => {
  const proxy = await startProxy(null);
  // Without http://, as curl takes it too.
  vi.stubEnv(name, `ada:secret@${proxy.address}`);
  const provider = createSendGridProvider({
    name: "email",
    apiKey: "SG.key",
    sandbox: false,
    endpoint: "https://api.sendgrid.com",
    inFlight: 2,
    timeoutSeconds: 10,
    htmlOk: false,
  });
  const outcome = await provider.send(message(), new AbortController().signal);
  await provider.close();
  expect(outcome).toMatchObject({ kind: "try_again", reason: expect.stringContaining("403") as string });
  expect(JSON.stringify(outcome)).not.toContain("secret");
  const told = await alert("https://hooks.example.test/alert");
  expect(told).toMatchObject({ reached: false });
  expect(JSON.stringify(told)).not.toContain("secret");
  expect(proxy.asked.map(({ host }) => host)).toEqual(["api.sendgrid.com:443", "hooks.example.test:443"]);
});

it("small letters count before capitals, and for https its own proxy before that of http", async () => {
  const [right, wrong] = [await startProxy(null), await startProxy(null)];
  vi.stubEnv("https_proxy", `http://${right.address}`);
  vi.stubEnv("HTTPS_PROXY", `http://${wrong.address}`);
  vi.stubEnv("http_proxy", `http://${wrong.address}`);
  await post("https://mail.example.test");
  expect([right.asked.length, wrong.asked.length]).toEqual([1, 0]);
});

describe.each(["no_proxy", "NO_PROXY"])("%s", (name) => {
  it.each([
    ["mail.invalid", false],
    [".invalid", false],
    ["*.invalid", false],
    ["other.test, mail.invalid:80", false],
    ["mail.invalid:81", true],
    ["*", false],
    ["other.test", true],
    ["", true],
  ])("%j: asked of the proxy: %s", async (value, through) => {
    const proxy = await startProxy(null);
    vi.stubEnv("http_proxy", `http://${proxy.address}`);
    vi.stubEnv(name, value);
    // A name that no resolver knows: without the proxy nothing is reached.
    expect(await post("http://mail.invalid")).toMatchObject({ kind: "try_again" });
    expect(proxy.asked.length > 0).toBe(through);
  });
});

it("what is on this machine is never asked of a proxy: the sandbox", async () => {
  const { port, posted } = await receiver();
  const proxy = await startProxy(null);
  for (const name of ["http_proxy", "https_proxy"]) vi.stubEnv(name, `http://${proxy.address}`);
  expect(await post(`http://127.0.0.1:${String(port)}`)).toMatchObject({ kind: "accepted" });
  expect(await alert(`http://127.0.0.1:${String(port)}/alert`)).toMatchObject({ reached: true });
  expect(posted).toHaveLength(2);
  expect(proxy.asked).toEqual([]);
});

it("a proxy that is no URL is named by its variable, never by what stands there", async () => {
  vi.stubEnv("HTTPS_PROXY", "http://ada:very-secret@pro xy:1:2");
  expect(() => dispatcherTo("https://api.sendgrid.com", {})).toThrow("The variable HTTPS_PROXY is not the URL of a proxy.");
  const { failures } = await alert("https://hooks.example.test/alert");
  expect(failures.join()).toContain("HTTPS_PROXY");
  expect(failures.join()).not.toContain("very-secret");
});

it("passwords of proxies are among what nobody is shown", () => {
  expect(proxySecrets({ HTTPS_PROXY: "http://ada:p%40ss@proxy:3128", http_proxy: "bob:word@proxy" })).toEqual(["ada:p%40ss", "p%40ss", "bob:word", "word"]);
});

it("Snowflake's client asks the proxy, and what it says shows no password", async () => {
  const proxy = await startProxy(null);
  vi.stubEnv("HTTPS_PROXY", `http://ada:very-secret@${proxy.address}`);
  const connection: SnowflakeConnection = {
    type: "snowflake",
    account: "org-shop",
    user: "ADA",
    signIn: { kind: "password", password: "word" },
    role: null,
    warehouse: null,
    database: null,
    sessionSchema: null,
    url: null,
    statementTimeoutSeconds: 60,
    queryTag: "t",
  };
  const error = await rejection(openSnowflake(connection, { root: "." }));
  expect(error.message).not.toContain("very-secret");
  expect(proxy.asked[0]).toEqual({ host: "org-shop.snowflakecomputing.com:443", signIn: "ada:very-secret" });
}, 120_000);
