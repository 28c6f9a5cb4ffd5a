/** What a target has whatever its warehouse, and what each type of warehouse says of its own. */
import * as z from "zod";
import { duration, name, size, text, url } from "../schema/fields.js";
import type { Report } from "../schema/problems.js";

/**
 * A type of warehouse as opportune.yml knows it. Its adapter is the folder of the same name in src/warehouse.
 * `Written` is a target of this type once it has passed `schema`.
 */
export interface TargetType<Written, Connection> {
  /** Of a valid target: how its keys must fit together. `path` names the target. */
  check(target: Written, path: readonly string[], report: Report): void;
  connection(target: Written): Connection;
  /** Where the data is, in a few words and without secrets. */
  name(connection: Connection): string;
  /** What nobody may be shown. */
  secrets(connection: Connection): readonly (string | null)[];
  /** Packages through which it is reached. */
  packages: readonly string[];
  /** Whether they are installed with Opportune. */
  comeAlong: boolean;
  /** Whether it says beforehand what a query reads. */
  metered: boolean;
  /** What `opportune init` writes behind the target's name: YAML. */
  starter(known: Known): string;
}

/** What `opportune init` knows of a warehouse of one's own. */
export interface Known {
  /** Of the DuckDB file, relative to the project. */
  path: string;
  /** Snowflake's database or BigQuery's project. */
  database: string | null;
}

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
export const everyTarget = {
  schema: name.default("opportune").describe("Schema of the ledger."),
  live: z.boolean().default(false).describe("Whether messages really leave; else they go to the outbox, but for `allow`."),
  allow: z.array(text).default([]).describe("Addresses or @domains that a target which is not live may write to."),
  outbox: text.default("target/opportune/outbox").describe("Folder for messages that are not really sent."),
  on_alert: onAlert.optional().describe("Whom to tell when runs fail, are held or fall silent."),
};

/** Of warehouses that charge by what statements read, or can say beforehand. */
export const meteredTarget = {
  max_bytes_billed: size.optional().describe("Most that the query of a segment or audience may read, e.g. 10 GB: one above it fails before it runs."),
};
