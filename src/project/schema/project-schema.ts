/** What opportune.yml may hold. How keys must fit together is in rules.ts, names of other files in references.ts. */
import * as z from "zod";
import { anyChannel, SECRET_KEYS } from "../../delivery/providers/registry.js";
import {
  column,
  delay,
  duration,
  insteadOfType,
  locale,
  name,
  nameOf,
  percent,
  size,
  text,
  timeOfDay,
  timezone,
  url,
  whole,
  writtenDuration,
} from "./fields.js";
import { silences } from "./lint-rules.js";

export const ALERT_KINDS = ["failed", "held", "silent"] as const;

const HEADER = "a header's name of letters, digits and -";
const HEADER_VALUE = "text on one line";

const onAlert = z.strictObject({
  command: z
    .array(text)
    .min(1)
    .optional()
    .describe("Program and its arguments, run without a shell in the project's folder; the alert is JSON on its standard input."),
  webhook: z
    .strictObject({
      url: url.describe("Takes the alert as JSON, by POST: ${ALERT_URL}."),
      headers: z
        .record(
          z.string({ error: HEADER }).regex(/^[A-Za-z0-9-]+$/, { error: HEADER }),
          z.string({ error: HEADER_VALUE }).regex(/^[^\r\n]+$/, { error: HEADER_VALUE }),
        )
        .default({})
        .describe('Of the request, e.g. Authorization: "Bearer ${ALERT_TOKEN}".'),
    })
    .optional()
    .describe("Whom to tell by HTTP."),
  on: z
    .array(z.enum(ALERT_KINDS))
    .min(1)
    .default([...ALERT_KINDS])
    .describe("What to tell of; all of it by default."),
  silent_after: duration
    .optional()
    .describe("Under `start`: silent once no run got through for so long. Defaults to 1 hour, or three intervals if that is longer."),
  timeout: duration.prefault("10 seconds").describe("Most time for the command or the request."),
});

/** What a target has whatever its warehouse. */
const everyTarget = {
  schema: name.default("opportune").describe("Schema of the ledger."),
  live: z.boolean().default(false).describe("Whether messages really leave; else they go to the outbox, but for `allow`."),
  allow: z.array(text).default([]).describe("Addresses or @domains that a target which is not live may write to."),
  outbox: text.default("target/opportune/outbox").describe("Folder for messages that are not really sent."),
  on_alert: onAlert.optional().describe("Whom to tell when runs fail, are held or fall silent."),
};

/** Of warehouses that charge by what statements read, or can say beforehand. */
const meteredTarget = {
  max_bytes_billed: size.optional().describe("Most that the query of a segment or audience may read, e.g. 10 GB: one above it fails before it runs."),
};

const MEMORY = "a size such as 2GB";

const duckdb = z.strictObject({
  type: z.literal("duckdb"),
  path: text.describe("Database file, relative to the project, or :memory:."),
  ...everyTarget,
  wait_for_lock: delay.prefault("30 seconds").describe("How long to wait for another process to let go of the file."),
  memory_limit: z
    .string({ error: MEMORY })
    .regex(/^\d+(?:\.\d+)? ?[KMGT]i?B$/, { error: MEMORY })
    .optional()
    .describe("Most memory DuckDB takes, e.g. 2GB; a quarter of the machine's or container's, at most 1 GB, unless set."),
  threads: whole(1).optional().describe("Threads DuckDB works with; one for each processor and 125 MB of memory_limit unless set."),
});

const SSL = "true, false, or a mapping with ca and reject_unauthorized";

const postgres = z.strictObject({
  type: z.literal("postgres"),
  url: text.optional().describe("Everything below in one, `${DATABASE_URL}`; keys beside it go before it."),
  host: text.optional().describe("Server's name or address; localhost if nothing names one."),
  port: whole(1).max(65_535).optional().describe("5432 if nothing names one."),
  user: text.optional().describe("User to connect as."),
  password: text.optional().describe("Its password: ${PGPASSWORD}."),
  database: text.optional().describe("Database to work in."),
  ssl: z
    .union([
      z.boolean({ error: SSL }),
      z.strictObject(
        {
          ca: text.optional().describe("PEM file of the authority that signed the server's certificate, relative to the project."),
          reject_unauthorized: z.boolean().default(true).describe("False takes any certificate: for a try, not for real data."),
        },
        insteadOfType(SSL),
      ),
    ])
    .optional()
    .describe("TLS with a verified certificate. On unless the server is on this machine."),
  ...everyTarget,
  statement_timeout: duration.prefault("5 minutes").describe("A statement that takes longer is cancelled."),
  search_path: z.array(text).default([]).describe("Schemas in which tables without one are looked up; the server's own choice if empty."),
  application_name: text.default("opportune").describe("As the server lists the connection."),
});

const snowflake = z.strictObject({
  type: z.literal("snowflake"),
  account: text.describe("Account identifier, orgname-accountname."),
  user: text.optional().describe("User to sign in as."),
  private_key_path: text.optional().describe("Private key file in PEM, relative to the project."),
  private_key: text.optional().describe("The key itself: ${SNOWFLAKE_PRIVATE_KEY}."),
  private_key_passphrase: text.optional().describe("Of an encrypted key: ${SNOWFLAKE_PASSPHRASE}."),
  token: text.optional().describe("An OAuth access token: ${SNOWFLAKE_TOKEN}."),
  password: text.optional().describe("For accounts that still allow one: ${SNOWFLAKE_PASSWORD}."),
  authenticator: z.literal("externalbrowser").optional().describe("Sign in at a browser: for a person at a terminal, not for a job."),
  role: text.optional().describe("Role of the session; the user's default if none is named."),
  warehouse: text.optional().describe("Virtual warehouse that runs the statements."),
  database: text.optional().describe("Database of the ledger, and of tables without one."),
  session_schema: text.optional().describe("Schema in which tables without one are looked up, and that holds temporary tables."),
  query_tag: text.max(200).default("opportune").describe("Names the job in the query tag of its statements, as `app`."),
  ...everyTarget,
  ...meteredTarget,
  statement_timeout: duration.prefault("10 minutes").describe("A statement that takes longer is cancelled."),
  url: url.optional().describe("Base URL other than the account's own: a private link, or an emulator."),
});

const PROJECT = "a project's id, such as shop-analytics";
const LOCATION = "a location such as EU, US or europe-west3";
const DATASET = "a dataset's name of letters, digits and _";
const SERVICE_ACCOUNT = "a service account, such as opportune@shop-analytics.iam.gserviceaccount.com";

/** 6 to 30 letters, digits and hyphens; projects of old may stand below a domain, example.com:shop. */
const projectId = z.string({ error: PROJECT }).regex(/^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, { error: PROJECT });

const bigquery = z.strictObject({
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

const target = z.discriminatedUnion("type", [duckdb, postgres, snowflake, bigquery]);

const CAP_NAME = "a name of letters, digits, spaces and . _ -";

const cap = z.strictObject({
  max: whole(1).describe("Most marketing messages in the window."),
  per: writtenDuration.describe("The rolling window."),
  channel: nameOf("a channel").optional().describe("Only of this channel."),
  topic: name.optional().describe("Only of this topic."),
  name: z
    .string({ error: CAP_NAME })
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9])?$/, { error: CAP_NAME })
    .optional()
    .describe("As the ledger names it; defaults to e.g. `2 per 48 hours on sms`."),
});

const SURGE = "false, or a mapping with multiple and at_least";

const policy = z.strictObject({
  timezone: timezone.default("UTC").describe("For users without a known zone."),
  locale: locale.default("en").describe("For users without a known locale: how dates and amounts are written, and an email's language."),
  quiet_hours: z
    .strictObject({ from: timeOfDay.describe("Shut from here on."), to: timeOfDay.describe("Open again.") })
    .optional()
    .describe("Hours of the user's own day in which nothing is sent."),
  caps: z.array(cap).default([]).describe("Most messages in rolling windows."),
  spacing: duration.optional().describe("Least time between two marketing messages."),
  exclude: z.array(nameOf("an audience")).default([]).describe("Audiences that hear nothing."),
  require: z.array(nameOf("an audience")).default([]).describe("Audiences a user must be in to get marketing messages."),
  holdout: percent.default(0).describe("Percent of users kept silent to measure lift."),
  max_per_run: whole(1).optional().describe("Defaults to what the channels' rates can send in one interval."),
  surge: z
    .union(
      [
        z.literal(false),
        z.strictObject(
          {
            multiple: z.number().min(1).default(10).describe("So many times what is usual."),
            at_least: whole(1).default(1000).describe("As many candidates as this are never a surge; more are, until five runs of a segment are known."),
          },
          insteadOfType(SURGE),
        ),
      ],
      { error: SURGE },
    )
    .prefault({})
    .describe("A segment with far more new candidates than usual waits until `run --approve SEGMENT`; false: never."),
});

const SOURCE = "a table's name, or a mapping with table, loaded_at and stale_after";

const source = z.union([
  z.string({ error: SOURCE }).min(1, { error: SOURCE }),
  z.strictObject(
    {
      table: text.describe("As written into the SQL, e.g. shop.carts."),
      loaded_at: text.optional().describe("Column or expression: when the newest data arrived."),
      stale_after: duration.optional().describe("Older data than this makes the segments that read it wait."),
    },
    insteadOfType(SOURCE),
  ),
]);

const links = z.strictObject({
  unsubscribe_url: url.optional().describe("One-click unsubscribe endpoint; ?token= is added."),
  unsubscribe_secret: text.optional().describe("Signs unsubscribe tokens: ${UNSUBSCRIBE_SECRET}."),
  utm: z.record(name, text).default({}).describe('Added to every link of an email, e.g. campaign: "{{segment}}".'),
});

const VARIABLE = "text, a number, true or false, or a list of one of these";
const variable = z.union([z.string(), z.number(), z.boolean()], { error: VARIABLE });

export const projectSchema = z.strictObject({
  name: text.describe("Of the project."),
  target: name.optional().describe("The target used without --target."),
  targets: z
    .record(name, target)
    .refine((targets) => Object.keys(targets).length > 0, { error: "at least one target" })
    .describe("Where the warehouses are."),
  channels: z.record(name, anyChannel).default({}).describe("How messages travel."),
  policy: policy.prefault({}).describe("The rules for the whole project."),
  sources: z.record(name, source).default({}).describe('Tables, for {{source "x"}}.'),
  vars: z
    .record(column, z.union([variable, z.array(variable).min(1, { error: VARIABLE })], { error: VARIABLE }))
    .default({})
    .describe('Values, for {{var "x"}}; always bound, a list for `in {{var "x"}}`.'),
  interval: duration.prefault("5 minutes").describe("How often the job runs: the ticks of `opportune start`."),
  links: links.prefault({}).describe("Unsubscribing and link parameters."),
  lint: silences.default({}).describe("Rules of `opportune lint` that are silenced throughout, each with the reason."),
});

export type ProjectFile = z.output<typeof projectSchema>;

const SECRET_OF_CHANNEL = [...SECRET_KEYS].join("|");
const SECRET = new RegExp(
  String.raw`^(?:targets(?:\.[^.]+(?:\.(?:password|private_key(?!_path)|token|url|credentials(?!_file)|on_alert\.webhook).*)?)?|channels(?:\.[^.]+(?:\.(?:${SECRET_OF_CHANNEL}).*)?)?|links(?:\.unsubscribe_secret.*)?)$`,
);

/** Where a secret stands, or would by a slip of indentation: what is written there is never shown. */
export function holdsSecret(path: string): boolean {
  return SECRET.test(path);
}
