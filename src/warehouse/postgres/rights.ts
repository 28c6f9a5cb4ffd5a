import type { Problem } from "../../core/errors.js";
import type { PostgresConnection } from "../../project/targets/postgres.js";
import { literal } from "../dialect.js";
import { noTemporaryTables, quoted, readOnly } from "./connect.js";
import type { Warehouse } from "../types.js";

/** What a run does to tables of the ledger, as docs/security.md grants it: a right, on columns where these are all it changes. */
const NEEDED: readonly (readonly [table: string, right: string, columns?: string])[] = [
  ...["sent_ledger", "segment_runs", "templates_sent", "pauses", "runs", "leases", "meta", "alerts", "suppressions", "preferences"].map(
    (table) => [table, "select"] as const,
  ),
  ...["sent_ledger", "segment_runs", "templates_sent", "pauses", "runs"].map((table) => [table, "insert"] as const),
  ["runs", "update", "status, finished_at, candidates, claimed, accepted, failed, in_doubt, released, held, lag_p50_ms, lag_p95_ms, duration_ms, error"],
  ["leases", "update", "holder, fence, expires_at"],
  ["alerts", "update", "content"],
];

/** Temporary files that a sort of a run may need at the least, kB; a setting that only a superuser changes. */
const LEAST_TEMP_FILES_KB = 64 * 1024;

/** What the session can't set, and a run needs: each with words, and the SQL that helps. */
export async function findObstacles(warehouse: Warehouse, { database, user }: PostgresConnection, schema: string): Promise<Problem[]> {
  const [found] = await warehouse.query({
    sql: `select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only,
  has_database_privilege(current_database(), 'TEMPORARY') as temporary, current_setting('temp_file_limit') as limit_text,
  (select cast(setting as bigint) from pg_settings where name = 'temp_file_limit') as limit_kb,
  current_user as role, current_database() as database`,
    params: [],
    ours: true,
  });
  const role = found?.["role"] === undefined ? user : String(found["role"]);
  const here = found?.["database"] === undefined ? database : String(found["database"]);
  const problems: Problem[] = [];
  if (found?.["read_only"] === true) problems.push(readOnly(here));
  if (found?.["temporary"] === false) problems.push(noTemporaryTables(here, role));
  const limit = Number(found?.["limit_kb"] ?? -1);
  if (limit >= 0 && limit < LEAST_TEMP_FILES_KB)
    problems.push({
      code: "warehouse/temp-file-limit",
      message: `temp_file_limit is ${String(found?.["limit_text"])}: large segments fail.`,
      hint: `As a superuser: alter role ${quoted(role)} set temp_file_limit = -1;`,
    });
  return [...problems, ...(await missingRights(warehouse, schema, role))];
}

/** Rights on the ledger that the role lacks; empty where no ledger exists yet. */
async function missingRights(warehouse: Warehouse, schema: string, role: string | null): Promise<Problem[]> {
  const needed = NEEDED.flatMap(([table, right, columns]) =>
    columns === undefined
      ? [`(${literal(table)}, ${literal(right)}, null)`]
      : columns.split(", ").map((column) => `(${literal(table)}, ${literal(right)}, ${literal(column)})`),
  );
  const rows = await warehouse.query({
    sql: `select p.tbl, p.wanted, string_agg(p.col, ', ' order by p.place) as cols, bool_and(has_schema_privilege(n.oid, 'usage')) as usable
from (values ${needed.map((row, place) => row.replace(/\)$/, `, ${String(place)})`)).join(", ")}) as p(tbl, wanted, col, place)
join pg_namespace n on n.nspname = $1
join pg_class c on c.relnamespace = n.oid and c.relname = p.tbl
where not has_schema_privilege(n.oid, 'usage')
  or not case when p.col is null then has_table_privilege(c.oid, p.wanted) else has_column_privilege(c.oid, p.col, p.wanted) end
group by p.tbl, p.wanted
order by p.tbl, p.wanted`,
    params: [schema],
    ours: true,
  });
  if (rows.length === 0) return [];
  const grants =
    rows[0]?.["usable"] === false
      ? [`grant usage on schema ${quoted(schema)} to ${quoted(role)};`]
      : rows.map(
          (row) =>
            `grant ${String(row["wanted"])}${row["cols"] === null ? "" : ` (${String(row["cols"])})`} on ${quoted(schema)}.${String(row["tbl"])} to ${quoted(role)};`,
        );
  return [
    {
      code: "warehouse/rights",
      message: `Role ${role ?? "of this target"} lacks rights on the ledger in schema ${schema}.`,
      hint: `As the ledger's owner: ${grants.join(" ")}`,
    },
  ];
}
