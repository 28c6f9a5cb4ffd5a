import { PostgresQueryCompiler } from "kysely";
import { SMALL_STEPS } from "../../core/marks.js";
import { addColumns, dropNotNull, insertMissing, literal, type Dialect, type WorkTable } from "../dialect.js";

/** Postgres lets a function have 100 arguments: a key and a value each. */
const MOST_PAIRS = 50;

const ANALYZED: Record<WorkTable, string> = {
  segment_rows: "segment, user_id, item_key, occurred_at, dropped",
  audience_members: "audience, user_id",
  decisions: "message_id, segment, user_id, event, changed",
};

/** ISO 8601, which reads the same whatever the server's settings; the day is judged by itself. */
const ISO_TIME =
  "^[ ]*[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?[ ]?(Z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?[ ]*$";

/** SQL that is true of a text which casts to a time: before version 16 Postgres can't be asked. */
function saysTime(text: string): string {
  const day = `ltrim(${text})`;
  const month = `cast(substr(${day}, 1, 7) || '-01' as date)`;
  return `case when length(${text}) > 64 or ${text} !~ ${literal(ISO_TIME)} or ${day} like '0000%' then false
    else cast(substr(${day}, 9, 2) as integer) <= extract(day from ${month} + interval '1 month' - interval '1 day') end`;
}

/**
 * Under "C" only ASCII has a lower case; another collation knows more. It comes second: a Turkish one has a letter of its own for
 * the lower case of I. Text of ASCII alone, which has as many bytes as letters, is spared it.
 */
export function lowerBy(collation: string): Dialect["lower"] {
  const own = `pg_catalog."${collation}"`;
  return (text) =>
    `case when octet_length(${text}) = length(${text}) then lower(${text} collate "C") else lower(lower(${text} collate "C") collate ${own}) collate "C" end`;
}

export const postgresDialect: Dialect = {
  name: "postgres",
  types: { text: "text", timestamp: "timestamptz", bigint: "bigint", boolean: "boolean" },
  // By bytes, as on every other warehouse: whatever comes from these columns is compared and ordered so, ids and buckets
  // too, and sorts and joins need not ask the locale. Columns of the database's own collation may be joined to them.
  columnTypes: { text: 'text collate "C"', timestamp: "timestamptz", bigint: "bigint", boolean: "boolean" },
  queryCompiler: () => new PostgresQueryCompiler(),
  placeholder: (n) => `$${String(n)}`,
  quote: (name) => `"${name.replaceAll('"', '""')}"`,
  schemaName: (schema) => postgresDialect.quote(schema),
  md5: (text) => `md5(${text})`,
  microseconds: (timestamp) => `cast(extract(epoch from ${timestamp}) * 1000000 as bigint)`,
  plusSeconds: (timestamp, seconds) => `(${timestamp} + (${seconds}) * interval '1 second')`,
  secondsBetween: (from, to) => `cast(floor(extract(epoch from ${to}) - extract(epoch from ${from})) as bigint)`,
  jsonObject: (pairs) => {
    if (pairs.length > MOST_PAIRS)
      return `cast(to_json((select pairs from (select ${pairs.map(([key, value]) => `${value} as ${postgresDialect.quote(key)}`).join(", ")}) pairs)) as text)`;
    return `cast(json_build_object(${pairs.map(([key, value]) => `${literal(key)}, ${value}`).join(", ")}) as text)`;
  },
  // The session's time zone is UTC.
  toUtc(expression, kind) {
    const utc = `cast(${expression} as timestamptz)`;
    if (kind === "text") return `case when ${saysTime(expression)} then ${utc} end`;
    // A date may be too large for a timestamp: it is compared as it is.
    const compared = kind === "timestamp" || kind === "date" ? expression : utc;
    return `case when ${compared} >= date '0001-01-01' and ${compared} < date '10000-01-01' then ${utc} end`;
  },
  fromEpoch: (seconds) => `to_timestamp(${seconds})`,
  exactType: () => "numeric",
  constants: (columns, rows) => `select * from (values\n    ${rows.map((cells) => `(${cells.join(", ")})`).join(",\n    ")}) as t(${columns.join(", ")})`,
  utcText: (timestamp) => `cast(${timestamp} at time zone 'UTC' as text)`,
  utcDate: (timestamp) => `cast(${timestamp} at time zone 'UTC' as date)`,
  byteLength: (text) => `octet_length(${text})`,
  lower: lowerBy("default"),
  matches: (text, pattern) => `${text} ~ ${literal(pattern)}`,
  // Temporary, so that they vanish with the connection however it ends. They would come before a user's table of the same
  // name: hence the prefix.
  workTable: (name) => `pg_temp.opportune_${name}`,
  createWorkTable: (name) => `drop table if exists pg_temp.opportune_${name};\ncreate temporary table opportune_${name}`,
  queriesApart: true,
  stagesInPages: false,
  builtIn: (name) => `pg_catalog.${name}`,
  // 5,000 rows take 68 ms instead of 136, with the sort of those rows alone whose user has several.
  once: "materialized ",
  looksUp: true,
  // Of a CTE Postgres has no statistics: it takes few rows for one and loops over them, for minutes instead of seconds.
  beforeArbitration: ["set local enable_nestloop = off", "set local default_statistics_target = 10"],
  keepsTables: true,
  // They go with the script's transaction. Autovacuum doesn't see them: what the planner has to know is asked for here.
  keep: (name, query, columns) => ({
    make: [
      `create temporary table opportune_${name} on commit drop as
${query}`,
      `analyze pg_temp.opportune_${name} (${columns})`,
    ],
    drop: [],
  }),
  outcomesWaitMs: 100,
  marks: SMALL_STEPS,
  readsByRows: true,
  // now() would be the transaction's beginning, before it waited for the row.
  clock: "clock_timestamp()",
  oneProcess: false,
  insertMissing,
  // `if not exists` wants the right to create one all the same.
  createSchema: (schema) =>
    `do $$ begin if not exists (select 1 from pg_catalog.pg_namespace where nspname = ${literal(schema)}) then create schema ${postgresDialect.quote(schema)}; end if; end $$`,
  // Two that create the same schema, table or view at once don't wait for each other: one of them fails. Each waits here.
  installation(schema) {
    const key = `hashtextextended(${literal(`opportune ledger ${schema}`)}, 0)`;
    return { before: [`select pg_advisory_lock(${key})`], after: [`select pg_advisory_unlock(${key})`] };
  },
  addColumns,
  dropNotNull,
  changedView: {
    code: "42P16",
    grants: (view) =>
      `select 'grant ' || a.privilege_type || ' on ' || ${literal(view)} || ' to ' || case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end
        || case when a.is_grantable then ' with grant option' else '' end as statement
      from pg_class c
      cross join lateral aclexplode(c.relacl) a
      left join pg_roles r on r.oid = a.grantee
      where c.oid = cast(${literal(view)} as regclass) and a.grantee <> c.relowner
      order by 1`,
  },
  definesInTransactions: true,
  ledgerLayout: "",
  segmentRunsLayout: "",
  afterFilling: (table, name = table) => [
    // Each batch of outcomes looks up its claims.
    ...(table === "decisions" ? [`create index on pg_temp.opportune_${name} (message_id) where event = 'claimed'`] : []),
    // Autovacuum doesn't see temporary tables: without this arbitration takes 30 s instead of 2. Of the columns that are joined
    // or grouped by; of all of them it takes four times as long.
    `analyze pg_temp.opportune_${name} (${ANALYZED[table]})`,
  ],
};
