import { DefaultQueryCompiler, type IdentifierNode, type SchemableIdentifierNode } from "kysely";
import { BATCHES } from "../../core/marks.js";
import { keepReplacing, dropNotNull, mergeMissing, type Dialect } from "../dialect.js";

const TYPES = { text: "string", timestamp: "timestamp", bigint: "int64", boolean: "bool" };

function quote(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}

/** A text in GoogleSQL's quotes: an apostrophe is escaped, not doubled. */
function text(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** One array rather than a SELECT for each row: hundreds of those are a query too complex. */
function arrayOfConstants(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const structs = rows.map((cells, i) => `struct(${cells.map((cell, at) => (i === 0 ? `${cell} as ${columns[at] ?? ""}` : cell)).join(", ")})`);
  return `select ${columns.map((column) => `c.${column}`).join(", ")} from unnest([\n    ${structs.join(",\n    ")}\n  ]) as c`;
}

class BigQueryCompiler extends DefaultQueryCompiler {
  readonly #schemaName: (schema: string) => string;

  constructor(schemaName: (schema: string) => string) {
    super();
    this.#schemaName = schemaName;
  }

  protected override visitSchemableIdentifier({ schema, identifier }: SchemableIdentifierNode): void {
    if (schema !== undefined) this.append(`${this.#schemaName(schema.name)}.`);
    this.visitNode(identifier);
  }

  protected override visitIdentifier({ name }: IdentifierNode): void {
    this.append(quote(name));
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

/** @param project whose datasets are meant where another one pays for the jobs; null: the one that pays */
export function bigQueryDialect(project: string | null): Dialect {
  const schemaName = (schema: string): string => (project === null ? quote(schema) : `${quote(project)}.${quote(schema)}`);
  return {
    ...WORDS,
    schemaName,
    createSchema: (schema) => `create schema if not exists ${schemaName(schema)}`,
    queryCompiler: () => new BigQueryCompiler(schemaName),
  };
}

const WORDS: Omit<Dialect, "schemaName" | "createSchema" | "queryCompiler"> = {
  name: "bigquery",
  types: TYPES,
  columnTypes: TYPES,
  placeholder: (n) => `@p${String(n)}`,
  quote,
  md5: (of) => `to_hex(md5(${of}))`,
  microseconds: (timestamp) => `unix_micros(${timestamp})`,
  plusSeconds: (timestamp, seconds) => `timestamp_add(${timestamp}, interval (${seconds}) second)`,
  secondsBetween: (from, to) => `div((unix_micros(${to}) - unix_micros(${from})), 1000000)`,
  jsonObject: (pairs) => `to_json_string(struct(${pairs.map(([key, value]) => `${value} as ${quote(key)}`).join(", ")}))`,
  // What has no offset is UTC: every job's time zone is.
  toUtc: (expression) => `safe_cast(${expression} as timestamp)`,
  fromEpoch: (seconds) => `timestamp_seconds(${seconds})`,
  exactType: (precision, scale) => (scale <= 9 && precision - scale <= 29 ? "numeric" : "bignumeric"),
  constants: arrayOfConstants,
  utcText: (timestamp) => `rtrim(rtrim(format_timestamp('%F %H:%M:%E6S', ${timestamp}), '0'), '.')`,
  utcDate: (timestamp) => `date(${timestamp})`,
  byteLength: (of) => `byte_length(${of})`,
  lower: (of) => `lower(${of})`,
  matches: (of, pattern) => `regexp_contains(${of}, ${text(pattern)})`,
  // Temporary tables belong to the session, which goes by itself a day after its last statement.
  workTable: (name) => `opportune_${name}`,
  createWorkTable: (name) => `create or replace temp table opportune_${name}`,
  queriesApart: false,
  stagesInPages: false,
  builtIn: (name) => name,
  once: "",
  looksUp: false,
  beforeArbitration: [],
  keepsTables: true,
  keep: keepReplacing((name) => WORDS.createWorkTable(name)),
  outcomesWaitMs: 30_000,
  marks: BATCHES,
  readsByRows: false,
  clock: "current_timestamp()",
  oneProcess: false,
  insertMissing: mergeMissing,
  installation: () => ({ before: [], after: [] }),
  // In one statement: a table's definition changes at most five times in ten seconds.
  addColumns: (table, columns) => [`alter table ${table}\n${columns.map(([name, type]) => `add column if not exists ${name} ${type}`).join(",\n")}`],
  // Of a column that may hold null already it would be an error.
  dropNotNull: (schema, table, column) =>
    `if exists (select 1 from ${schema}.INFORMATION_SCHEMA.COLUMNS where table_name = ${text(table)} and column_name = ${text(column)} and is_nullable = 'NO') then ${dropNotNull(schema, table, column)}; end if`,
  changedView: null,
  definesInTransactions: false,
  // A run looks back on days; who a claim belongs to is asked by user and segment.
  ledgerLayout: "\npartition by date(decided_at)\ncluster by user_id, segment",
  segmentRunsLayout: "\npartition by date(as_of)\ncluster by segment",
  afterFilling: () => [],
};
