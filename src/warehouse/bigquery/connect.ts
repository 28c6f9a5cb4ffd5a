import { connectionName } from "../../project/targets/targets.js";
import type { BigQuery } from "@google-cloud/bigquery";
import type { AuthClient } from "google-auth-library";
import type * as bigQueryDriver from "@google-cloud/bigquery";
import { formatDuration } from "../../core/durations.js";
import { OpportuneError } from "../../core/errors.js";
import { redact } from "../../core/redact.js";
import { within } from "../../core/within.js";
import type { BigQueryConnection } from "../../project/targets/bigquery.js";
import { authClient, type AuthLibrary } from "./sign-in.js";
import { driverMissing } from "../driver.js";

/** Where the API is unless a target says otherwise. */
const GOOGLE = "https://bigquery.googleapis.com";

/** How long a sign-in may take, with all its repetitions, ms. */
const SIGN_IN_MS = 30_000;

/**
 * A client that is signed in: it has a token, which it renews by itself. It repeats no request: that, and deadlines, are the caller's.
 * @param root project root, to which `credentials_file` is relative
 * @throws OpportuneError with the way out
 */
export async function connectBigQuery(connection: BigQueryConnection, root: string): Promise<BigQuery> {
  const { driver, auth } = await loadDriver();
  const apiEndpoint = connection.url?.replace(/\/+$/, "") ?? GOOGLE;
  try {
    const late = (): Error => new Error(`no answer within ${formatDuration(SIGN_IN_MS / 1000)}`);
    const client = await within(signedIn(connection, root, auth), SIGN_IN_MS, late);
    const bigquery = new driver.BigQuery({
      projectId: connection.billingProject ?? connection.project,
      authClient: client,
      apiEndpoint,
      ...(connection.location === null ? {} : { location: connection.location }),
      retryOptions: { autoRetry: false },
      userAgent: "opportune",
    });
    // The variable BIGQUERY_EMULATOR_HOST would go before the target's own URL, and get its tokens.
    bigquery.baseUrl = `${apiEndpoint}/bigquery/v2`;
    return bigquery;
  } catch (error) {
    throw unreachable(error, connection);
  }
}

async function signedIn(connection: BigQueryConnection, root: string, auth: AuthLibrary): Promise<AuthClient> {
  const identity = await authClient(connection, root, auth);
  await identity.getAccessToken();
  return identity;
}

async function loadDriver(): Promise<{ driver: typeof bigQueryDriver; auth: AuthLibrary }> {
  try {
    return { driver: await import("@google-cloud/bigquery"), auth: await import("google-auth-library") };
  } catch (error) {
    throw driverMissing("bigquery", error);
  }
}

/** Says of the error its message alone: the request, with tokens and signatures, hangs on it. */
function unreachable(error: unknown, connection: BigQueryConnection): OpportuneError {
  if (error instanceof OpportuneError) return error;
  const reason = reasonOf(error);
  return new OpportuneError({
    code: "warehouse/unreachable",
    message: `Can't sign in to BigQuery (${connectionName(connection)}): ${reason}.`.replace(/\.\.$/, "."),
    hint: wayOut(reason, connection),
  });
}

function reasonOf(error: unknown): string {
  // It quotes the file of application default credentials that it could not parse.
  if (error instanceof SyntaxError) return "the file of the application default credentials is not JSON";
  const message = error instanceof Error ? error.message : String(error);
  // Whatever an answer may have sent back: signed assertions, tokens, keys.
  const clean = message.replace(/\b(?:eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|ya29\.[\w.-]+)/g, "[redacted]").replace(/-----BEGIN.*/s, "[redacted]");
  return redact(clean.replace(" Browse to https://cloud.google.com/docs/authentication/getting-started for more information.", ""), []);
}

function wayOut(reason: string, { signIn, impersonate }: BigQueryConnection): string {
  if (reason.includes("unable to impersonate")) {
    return `Let whoever signs in act as ${impersonate ?? "that account"}: grant it roles/iam.serviceAccountTokenCreator on that account, and enable iamcredentials.googleapis.com in its project.`;
  }
  if (signIn.kind !== "default" && /invalid_grant|invalid_client|unauthorized/.test(reason)) {
    return "Check that the service account and its key still exist and are enabled, and that this machine's clock is right.";
  }
  if (signIn.kind === "default" && /default credentials|invalid_grant|invalid_rapt|reauth/.test(reason)) {
    return "Run `gcloud auth application-default login`, name a credentials file in GOOGLE_APPLICATION_CREDENTIALS, or set credentials_file of this target.";
  }
  return "Check that this machine may reach oauth2.googleapis.com and, with `impersonate`, iamcredentials.googleapis.com.";
}
