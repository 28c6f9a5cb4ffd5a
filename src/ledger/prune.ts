/** Takes old rows out of the ledger: docs/decisions.md has the law, sql/prune_*.sql which rows. */
import { Binder, ledgerTable, renderSqlFile, timestampLiteral } from "../warehouse/sql.js";
import type { Statement, Warehouse } from "../warehouse/types.js";
import { PRUNED_TO } from "./facts.js";
import type { Ledger } from "./lease/held-ledger.js";
import { FORGOTTEN } from "./runs/runs.js";

/** Rows, by what they are of. */
export interface Pruned {
  /** Deleted rows of `sent_ledger`, by event. */
  events: Record<string, number>;
  /** Rows of `sent_ledger` that stay without `detail` and `properties`. */
  emptied: number;
  segmentRuns: number;
  runs: number;
}

/** What pruning would delete. `before`: ISO 8601 UTC. */
export async function prunable(warehouse: Warehouse, schema: string, before: string): Promise<Pruned> {
  const { dialect } = warehouse;
  const { rows, segmentRuns, runs, stays } = selections(warehouse, schema, before);
  const counted = [
    `select event as name, count(*) as n from (\n${rows}\n) r group by event`,
    `select ' segment_runs', count(*) from (\n${segmentRuns}\n) r`,
    `select ' runs', count(*) from (\n${runs}\n) r`,
    `select ' emptied', count(*) from ${ledgerTable(dialect, schema, "sent_ledger")} where ${stays}`,
  ];
  const found = await warehouse.query({ sql: counted.join("\nunion all\n"), params: [], ours: true });
  const of = (name: string): number => Number(found.find((row) => row["name"] === name)?.["n"] ?? 0);
  const events = Object.fromEntries(found.filter((row) => !String(row["name"]).startsWith(" ")).map((row) => [String(row["name"]), Number(row["n"])]));
  return { events, emptied: of(" emptied"), segmentRuns: of(" segment_runs"), runs: of(" runs") };
}

/** Deletes what was decided before `before` (ISO 8601 UTC) and is asked for no more, in one script: all of it or nothing. */
export async function prune(ledger: Ledger, before: string): Promise<Pruned> {
  const { warehouse, schema } = ledger;
  const { dialect } = warehouse;
  const pruned = await prunable(warehouse, schema, before);
  const table = (name: string): string => ledgerTable(dialect, schema, name);
  const { rows, segmentRuns, runs, stays } = selections(warehouse, schema, before);
  const plain = (sql: string): Statement => ({ sql, params: [], ours: true });
  await ledger.commit({
    statements: [
      // Runs first: which of them stay is told by rows that go after.
      plain(`delete from ${table("runs")} where run_id in (\n${runs}\n)`),
      plain(`delete from ${table("segment_runs")} where shape <> '${FORGOTTEN}' and run_id || ' ' || segment in (\n${segmentRuns}\n)`),
      plain(`delete from ${table("sent_ledger")} where seq in (select seq from (\n${rows}\n) going)`),
      plain(`update ${table("sent_ledger")} set detail = null, properties = null where ${stays}`),
      ...remembered(ledger, before),
    ],
  });
  return pruned;
}

/** Queries for what goes, and the condition of what stays without its details. */
function selections(warehouse: Warehouse, schema: string, before: string): Record<"rows" | "segmentRuns" | "runs" | "stays", string> {
  const { dialect } = warehouse;
  const words = { before: timestampLiteral(before, dialect), forgotten: FORGOTTEN };
  const file = (name: string, more: Record<string, string> = {}): string => renderSqlFile(name, dialect, schema, { ...words, ...more }).sql.trim();
  const [rows, segmentRuns] = [file("prune_rows.sql"), file("prune_segment_runs.sql")];
  const runs = file("prune_runs.sql", { going_rows: rows, going_segment_runs: segmentRuns });
  const kept = "('claimed', 'held_out', 'accepted', 'failed', 'released', 'voided')";
  return { rows, segmentRuns, runs, stays: `decided_at < ${words.before} and event in ${kept} and (detail is not null or properties is not null)` };
}

/** The latest time to which the ledger was ever pruned: a backfill takes nothing up that is older. */
function remembered({ warehouse: { dialect }, schema, facts }: Ledger, before: string): Statement[] {
  if (facts.prunedTo !== null && Date.parse(facts.prunedTo) >= Date.parse(before)) return [];
  const meta = ledgerTable(dialect, schema, "meta");
  const binder = new Binder(dialect);
  const insert = `insert into ${meta} (name, content) select '${PRUNED_TO}', ${binder.bind(before)} from ${ledgerTable(dialect, schema, "leases")} where name = 'run'`;
  return [
    { sql: `delete from ${meta} where name = '${PRUNED_TO}'`, params: [], ours: true },
    { sql: insert, params: binder.params, ours: true },
  ];
}
