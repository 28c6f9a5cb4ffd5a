import { DefaultQueryCompiler, type IdentifierNode } from "kysely";
import { BATCHES } from "../../core/marks.js";
import { keepReplacing, addColumns, dropNotNull, literal, mergeMissing, unionOfConstants, type Dialect } from "../dialect.js";

const TYPES = { text: "varchar", timestamp: "timestamp_ntz", bigint: "bigint", boolean: "boolean" };

/** Snowflake folds unquoted names to upper case: what has no capital is meant so; a name with capitals is as its author quoted it. */
function folded(name: string): string {
  return /[A-Z]/.test(name) ? name : name.toUpperCase();
}

/** A name as the job knows it: FIRST_NAME, which nobody wrote in capitals, is first_name. */
export function plainName(name: string): string {
  return /[a-z]/.test(name) ? name : name.toLowerCase();
}

function quote(name: string): string {
  return `"${folded(name).replaceAll('"', '""')}"`;
}

class SnowflakeQueryCompiler extends DefaultQueryCompiler {
  protected override visitIdentifier(node: IdentifierNode): void {
    this.append(quote(node.name));
  }

  /** Numbered, so that a value that stands twice is bound once. */
  protected override getCurrentParameterPlaceholder(): string {
    return `:${String(this.numParameters)}`;
  }
}

/** A text in Snowflake's quotes, in which a backslash begins an escape. */
function escaped(text: string): string {
  return literal(text.replaceAll("\\", "\\\\"));
}

export const snowflakeDialect: Dialect = {
  name: "snowflake",
  types: TYPES,
  columnTypes: TYPES,
  placeholder: (n) => `:${String(n)}`,
  quote,
  schemaName: quote,
  queryCompiler: () => new SnowflakeQueryCompiler(),
  md5: (text) => `md5(${text})`,
  microseconds: (timestamp) => `date_part(epoch_microsecond, ${timestamp})`,
  plusSeconds: (timestamp, seconds) => `dateadd(second, ${seconds}, ${timestamp})`,
  secondsBetween: (from, to) => `cast(floor((date_part(epoch_microsecond, ${to}) - date_part(epoch_microsecond, ${from})) / 1000000) as bigint)`,
  jsonObject: (pairs) => `to_json(object_construct_keep_null(${pairs.map(([key, value]) => `${escaped(key)}, ${value}`).join(", ")}))`,
  // The session's zone is UTC: what has none of its own is taken for that.
  toUtc(expression, kind) {
    const zoned = `${kind === "text" ? "try_cast" : "cast"}(${expression} as timestamp_tz)`;
    return `cast(convert_timezone('UTC', ${zoned}) as timestamp_ntz)`;
  },
  fromEpoch: (seconds) => `to_timestamp_ntz(${seconds})`,
  exactType: (precision, scale) => `number(${String(precision)}, ${String(scale)})`,
  constants: unionOfConstants,
  // In a format of its own, as the audit views are read in other sessions; of the fractions only what there is.
  utcText: (timestamp) => `regexp_replace(regexp_replace(to_varchar(${timestamp}, 'YYYY-MM-DD HH24:MI:SS.FF6'), '([.][0-9]*[1-9])0+$', '\\\\1'), '[.]0+$', '')`,
  utcDate: (timestamp) => `cast(${timestamp} as date)`,
  byteLength: (text) => `octet_length(${text})`,
  lower: (text) => `lower(${text})`,
  matches: (text, pattern) => `regexp_like(${text}, ${escaped(pattern)})`,
  // Temporary tables belong to the session, and live in its own schema.
  workTable: (name) => `opportune_${name}`,
  createWorkTable: (name) => `create or replace temporary table opportune_${name}`,
  queriesApart: false,
  stagesInPages: false,
  builtIn: (name) => name,
  once: "",
  looksUp: false,
  beforeArbitration: [],
  keepsTables: false,
  keep: keepReplacing((name) => snowflakeDialect.createWorkTable(name)),
  outcomesWaitMs: 30_000,
  marks: BATCHES,
  readsByRows: false,
  clock: "cast(sysdate() as timestamp_ntz)",
  oneProcess: false,
  createSchema: (schema) => `create schema if not exists ${snowflakeDialect.schemaName(schema)}`,
  insertMissing: mergeMissing,
  installation: () => ({ before: [], after: [] }),
  addColumns,
  dropNotNull,
  changedView: null,
  definesInTransactions: false,
  // A clustering key costs credits for good: docs/snowflake.md says from what size on it is worth them.
  ledgerLayout: "",
  segmentRunsLayout: "",
  afterFilling: () => [],
};
