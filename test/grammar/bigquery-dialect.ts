import { DefaultQueryCompiler } from "kysely";
import { mergeMissing, type Dialect } from "../../src/warehouse/dialect.js";

const TYPES = { text: "string", timestamp: "timestamp", bigint: "int64", boolean: "bool" };

function quote(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}

/** A text in GoogleSQL's quotes: an apostrophe is escaped, not doubled. */
function text(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

class BigQueryCompiler extends DefaultQueryCompiler {
  protected override getLeftIdentifierWrapper(): string {
    return "`";
  }

  protected override getRightIdentifierWrapper(): string {
    return "`";
  }

  protected override sanitizeIdentifier(identifier: string): string {
    return identifier.replaceAll("\\", "\\\\").replaceAll("`", "\\`");
  }

  protected override getCurrentParameterPlaceholder(): string {
    return `@p${String(this.numParameters)}`;
  }

  /** A null without a type fits every column, as a parameter it would be of one. */
  protected override appendValue(value: unknown): void {
    if (value === null || typeof value === "boolean") this.append(String(value));
    else super.appendValue(value);
  }
}

export const bigQueryDialect: Dialect = {
  name: "bigquery" as never,
  types: TYPES,
  columnTypes: TYPES,
  placeholder: (n) => `@p${String(n)}`,
  quote,
  queryCompiler: () => new BigQueryCompiler(),
  md5: (of) => `to_hex(md5(${of}))`,
  microseconds: (timestamp) => `unix_micros(${timestamp})`,
  plusSeconds: (timestamp, seconds) => `timestamp_add(${timestamp}, interval (${seconds}) second)`,
  secondsBetween: (from, to) => `div(unix_micros(${to}) - unix_micros(${from}), 1000000)`,
  jsonObject: (pairs) => `to_json_string(struct(${pairs.map(([key, value]) => `${value} as ${quote(key)}`).join(", ")}))`,
  // What has no offset is UTC: every job's time zone is.
  toUtc: (expression) => `cast(${expression} as timestamp)`,
  constants: (columns, rows) =>
    rows.map((cells, i) => `select ${cells.map((cell, at) => (i === 0 ? `${cell} as ${columns[at] ?? ""}` : cell)).join(", ")}`).join("\n  union all "),
  utcText: (timestamp) => `rtrim(rtrim(format_timestamp('%F %H:%M:%E6S', ${timestamp}), '0'), '.')`,
  utcDate: (timestamp) => `date(${timestamp})`,
  lower: (of) => `lower(${of})`,
  matches: (of, pattern) => `regexp_contains(${of}, ${text(pattern)})`,
  // Temporary tables belong to the session, which goes by itself a day after its last statement.
  workTable: (name) => `opportune_${name}`,
  createWorkTable: (name) => `create or replace temp table opportune_${name}`,
  materialized: "",
  arbitration: { before: [], after: [] },
  clock: "current_timestamp()",
  oneProcess: false,
  insertMissing: mergeMissing,
  installation: () => ({ before: [], after: [] }),
  afterFilling: () => [],
};
