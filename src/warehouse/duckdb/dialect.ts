import { PostgresQueryCompiler } from "kysely";
import { SMALL_STEPS } from "../../core/marks.js";
import { addColumns, dropNotNull, insertMissing, literal, type ColumnTypes, type Dialect } from "../dialect.js";

const DUCKDB_TYPES: ColumnTypes = { text: "varchar", timestamp: "timestamp", bigint: "bigint", boolean: "boolean" };

export const duckdbDialect: Dialect = {
  name: "duckdb",
  types: DUCKDB_TYPES,
  columnTypes: DUCKDB_TYPES,
  placeholder: (n) => `$${String(n)}`,
  quote: (name) => `"${name.replaceAll('"', '""')}"`,
  schemaName: (schema) => duckdbDialect.quote(schema),
  queryCompiler: () => new PostgresQueryCompiler(),
  md5: (text) => `md5(${text})`,
  microseconds: (timestamp) => `epoch_us(${timestamp})`,
  plusSeconds: (timestamp, seconds) => `(${timestamp} + to_seconds(${seconds}))`,
  secondsBetween: (from, to) => `((epoch_us(${to}) - epoch_us(${from})) // 1000000)`,
  jsonObject: (pairs) => `cast(json_object(${pairs.map(([key, value]) => `${literal(key)}, ${value}`).join(", ")}) as varchar)`,
  toUtc(expression, kind) {
    const cast = `cast(cast(${expression} as timestamptz) as timestamp)`;
    // try_cast fails at a date too large for a timestamp. A cast that no value passes is the query's mistake, not a row's.
    const utc = kind === "text" || kind === "timestamp" || kind === "date" ? `try(${cast})` : cast;
    return `case when ${utc} >= timestamp '0001-01-01' and ${utc} < timestamp '10000-01-01' then ${utc} end`;
  },
  fromEpoch: (seconds) => `to_timestamp(${seconds})`,
  exactType: (precision, scale) => `decimal(${String(precision)}, ${String(scale)})`,
  constants: (columns, rows) => `select * from (values\n    ${rows.map((cells) => `(${cells.join(", ")})`).join(",\n    ")}) as t(${columns.join(", ")})`,
  utcText: (timestamp) => `cast(${timestamp} as varchar)`,
  utcDate: (timestamp) => `cast(${timestamp} as date)`,
  byteLength: (text) => `strlen(${text})`,
  lower: (text) => `lower(${text})`,
  matches: (text, pattern) => `regexp_matches(${text}, ${literal(pattern)})`,
  // An attached in-memory database rather than temporary tables: those belong to one connection, and claims are streamed
  // on a second one while outcomes are appended on the first.
  workTable: (name) => `opportune_work.${name}`,
  createWorkTable: (name) => `create or replace table opportune_work.${name}`,
  queriesApart: false,
  stagesInPages: true,
  builtIn: (name) => name,
  once: "",
  looksUp: false,
  beforeArbitration: [],
  keepsTables: true,
  keep: (name, query) => ({ make: [`${duckdbDialect.createWorkTable(name)} as\n${query}`], drop: [`drop table ${duckdbDialect.workTable(name)}`] }),
  outcomesWaitMs: 100,
  marks: SMALL_STEPS,
  readsByRows: true,
  clock: "cast(get_current_timestamp() as timestamp)",
  oneProcess: true,
  insertMissing,
  createSchema: (schema) => `create schema if not exists ${duckdbDialect.schemaName(schema)}`,
  installation: () => ({ before: [], after: [] }),
  addColumns,
  dropNotNull,
  changedView: null,
  definesInTransactions: true,
  ledgerLayout: "",
  segmentRunsLayout: "",
  afterFilling: () => [],
};
