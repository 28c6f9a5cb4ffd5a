/** Targets of type bigquery: a Google Cloud project, and at most one key to sign in with. */
import { stringify } from "yaml";
import * as z from "zod";
import { isLoopback } from "../../core/loopback.js";
import { duration, text, url } from "../schema/fields.js";
import { everyTarget, meteredTarget, type TargetType } from "./target.js";

export interface BigQueryConnection {
  type: "bigquery";
  /** Project of the ledger, and of tables without one. */
  project: string;
  /** Project that runs the jobs and pays for them; null: the same. */
  billingProject: string | null;
  /** Where the datasets are: EU, europe-west3 …; null: as BigQuery has it for a session that names none, the US. */
  location: string | null;
  /** Dataset in which tables without one are looked up; null: every table is named with its own. */
  dataset: string | null;
  /** `default`: application default credentials. Else a service account's key: its JSON, never logged, or a file relative to the project root. */
  signIn: { kind: "default" } | { kind: "file"; file: string } | { kind: "key"; key: string };
  /** Service account to act as; null: whoever signed in. */
  impersonate: string | null;
  statementTimeoutSeconds: number;
  /** Another base URL than Google's: a private endpoint, or an emulator on this machine, which takes no credentials; null: none. */
  url: string | null;
}

const PROJECT = "a project's id, such as shop-analytics";
const LOCATION = "a location such as EU, US or europe-west3";
const DATASET = "a dataset's name of letters, digits and _";
const SERVICE_ACCOUNT = "a service account, such as opportune@shop-analytics.iam.gserviceaccount.com";

/** 6 to 30 letters, digits and hyphens; projects of old may stand below a domain, example.com:shop. */
const projectId = z.string({ error: PROJECT }).regex(/^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, { error: PROJECT });

export const schema = z.strictObject({
  type: z.literal("bigquery"),
  project: projectId.describe("Google Cloud project of the ledger, and of tables without one."),
  billing_project: projectId.optional().describe("Project that runs the statements and pays for them; the same if none is named."),
  location: z
    .string({ error: LOCATION })
    .regex(/^[A-Za-z0-9-]+$/, { error: LOCATION })
    .optional()
    .describe("Where the datasets are: EU, europe-west3. Needed for all but the US, where a session begins that names none."),
  dataset: z
    .string({ error: DATASET })
    .regex(/^[A-Za-z0-9_]+$/, { error: DATASET })
    .optional()
    .describe("Dataset in which tables without one are looked up."),
  credentials_file: text
    .optional()
    .describe("A service account's key as JSON, relative to the project. Without it and `credentials`: application default credentials."),
  credentials: text.optional().describe("The key itself: ${BIGQUERY_CREDENTIALS}."),
  impersonate: z
    .string({ error: SERVICE_ACCOUNT })
    .regex(/^[a-z0-9.-]+@[a-z0-9.-]+\.gserviceaccount\.com$/, { error: SERVICE_ACCOUNT })
    .optional()
    .describe("Service account to act as, whoever signs in."),
  ...everyTarget,
  ...meteredTarget,
  statement_timeout: duration.prefault("10 minutes").describe("A statement that takes longer is cancelled."),
  url: url.optional().describe("Base URL other than Google's: a private endpoint, or an emulator on this machine, which takes no credentials."),
});

type Written = z.output<typeof schema>;

export const bigquery: TargetType<Written, BigQueryConnection> = {
  /** At most one key to sign in with, and none for an emulator: what is written and not used would mislead. */
  check(target, path, report) {
    const { url } = target;
    const named = (["credentials", "credentials_file", "impersonate"] as const).filter((key) => target[key] !== undefined);
    if (target.credentials !== undefined && target.credentials_file !== undefined) {
      const message = `${path.join(".")} names two ways to sign in: credentials and credentials_file`;
      report([...path, "credentials_file"], "sign-in", message, "leave one of them out", "key");
    } else if (url !== undefined && isLoopback(new URL(url).hostname) && named[0] !== undefined) {
      const message = `${path.join(".")}.${named[0]} stands beside a url on this machine, an emulator, which takes no credentials`;
      report([...path, named[0]], "sign-in", message, "leave one of them out", "key");
    }
  },
  connection(target) {
    return {
      type: "bigquery",
      project: target.project,
      billingProject: target.billing_project ?? null,
      location: target.location ?? null,
      dataset: target.dataset ?? null,
      signIn: signInOf(target),
      impersonate: target.impersonate ?? null,
      statementTimeoutSeconds: target.statement_timeout,
      url: target.url ?? null,
    };
  },
  name: ({ project }) => project,
  secrets: ({ signIn }) => (signIn.kind === "key" ? [signIn.key, privateKeyIn(signIn.key)] : []),
  packages: ["@google-cloud/bigquery", "google-auth-library"],
  comeAlong: false,
  metered: true,
  starter: ({ database }) => `
    type: bigquery # by application default credentials; roles and other ways to sign in: docs/bigquery.md of the package
    project: ${database === null ? "${BIGQUERY_PROJECT} # in the environment or in .env" : stringify(database, { singleQuote: true, lineWidth: 0 }).trimEnd()}
    # location: EU # where your datasets are, if not in the US
    # max_bytes_billed: 10 GB # a query that would read more fails before it runs`,
};

/** At most one way is named: see `check`. */
function signInOf(target: Written): BigQueryConnection["signIn"] {
  if (target.credentials !== undefined) return { kind: "key", key: target.credentials };
  return target.credentials_file === undefined ? { kind: "default" } : { kind: "file", file: target.credentials_file };
}

/** The key within a service account's JSON, as a library that was given it might show it. */
function privateKeyIn(json: string): string | null {
  try {
    const { private_key: key } = JSON.parse(json) as { private_key?: unknown };
    return typeof key === "string" ? key : null;
  } catch {
    return null;
  }
}
