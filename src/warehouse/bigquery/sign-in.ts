import { createPrivateKey } from "node:crypto";
import type * as googleAuthLibrary from "google-auth-library";
import type { AuthClient, ImpersonatedOptions, JWTOptions } from "google-auth-library";
import { OpportuneError } from "../../core/errors.js";
import { isLoopback } from "../../core/loopback.js";
import type { BigQueryConnection } from "../../project/targets/bigquery.js";
import { readNamedFile } from "../named-file.js";

const UNREADABLE_KEY = { code: "warehouse/key", hint: "Give the path of the service account's key in JSON, relative to the project." };

/** As it is imported, late. */
export type AuthLibrary = typeof googleAuthLibrary;

/** What tokens are good for: BigQuery alone; and of who impersonates, asking IAM for the other account's tokens alone. */
const SCOPES = { bigquery: "https://www.googleapis.com/auth/bigquery", iam: "https://www.googleapis.com/auth/iam" };

/** Most time for one answer of Google's sign-in servers, ms; the library by itself waits for ever. */
const ANSWER_MS = 10_000;

const transporterOptions = { timeout: ANSWER_MS };

/** Who the job is to BigQuery, with nothing asked of anybody yet but for application default credentials, which may lie on the network. */
export async function authClient(connection: BigQueryConnection, root: string, library: AuthLibrary): Promise<AuthClient> {
  const { url, impersonate } = connection;
  if (url !== null && isLoopback(new URL(url).hostname)) return new library.PassThroughClient();
  const source = await sourceClient(connection, root, library, impersonate === null ? SCOPES.bigquery : SCOPES.iam);
  if (impersonate === null) return source;
  const options: ImpersonatedOptions = { sourceClient: source, targetPrincipal: impersonate, targetScopes: [SCOPES.bigquery], transporterOptions };
  return new library.Impersonated(options);
}

async function sourceClient(connection: BigQueryConnection, root: string, library: AuthLibrary, scope: string): Promise<AuthClient> {
  const { signIn, project, billingProject } = connection;
  if (signIn.kind === "default") {
    // With the project named it is not searched for: not by running gcloud, nor at the metadata server.
    const projectId = billingProject ?? project;
    return new library.GoogleAuth({ scopes: [scope], projectId, clientOptions: { transporterOptions } }).getClient();
  }
  // Signs its own requests: no metadata server is looked for.
  return new library.JWT({ ...serviceAccountKey(signIn, root), scopes: [scope], transporterOptions });
}

/** @throws OpportuneError where the key can't be read; it never says what is in it */
function serviceAccountKey(signIn: Exclude<BigQueryConnection["signIn"], { kind: "default" }>, root: string): JWTOptions {
  const named = signIn.kind === "file" ? `The file ${signIn.file}, named under credentials_file,` : "The value of credentials";
  const wrong = (what: string, hint = "Give the JSON that Google Cloud writes when a key of a service account is made."): OpportuneError =>
    new OpportuneError({ code: "warehouse/key", message: `${named} ${what}.`, hint });

  const {
    type,
    client_email: email,
    private_key: key,
    private_key_id: keyId,
  } = parsed(signIn.kind === "file" ? readNamedFile(signIn.file, root, "credentials_file", UNREADABLE_KEY) : signIn.key) ?? {};
  if (type === undefined) throw wrong("is not the JSON of a service account's key");
  if (type !== "service_account") {
    const hint = "Name that file in the variable GOOGLE_APPLICATION_CREDENTIALS, and leave credentials and credentials_file out.";
    throw wrong(`is of the type ${JSON.stringify(type).slice(0, 50)}, not service_account`, hint);
  }
  if (typeof email !== "string" || typeof key !== "string") throw wrong("lacks client_email or private_key");
  try {
    createPrivateKey(key);
  } catch {
    throw wrong("holds a private_key that can't be read");
  }
  return { email, key, ...(typeof keyId === "string" ? { keyId } : {}) };
}

/** Null where it is no JSON object. The parser's own error quotes what it read. */
function parsed(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
