/** Takes old rows out of the ledger: docs/decisions.md has the law, sql/prune_*.sql which rows. */
import { statementsOf, timestampLiteral } from "../warehouse/sql.js";
import type { Statement } from "../warehouse/types.js";
import { PRUNED_TO } from "./facts.js";
import type { HeldLedger } from "./lease/held-ledger.js";
import type { Ledger } from "./ledger.js";
import { FORGOTTEN } from "./runs/segment-runs.js";
import { statement } from "./tables.js";

/** Rows, by what they are of. */
export interface Pruned {
  /** Deleted rows of `sent_ledger`, by event. */
  events: Record<string, number>;
  /** Rows of `sent_ledger` that stay without `detail` and `properties`. */
  emptied: number;
  segmentRuns: number;
  runs: number;
}

/** What pruning would delete. `before`: ISO 8601 UTC. `leastRuns`: runs of each segment that a surge is held against. */
export async function prunable(ledger: Ledger, before: string, leastRuns: number): Promise<Pruned> {
  const found = await ledger.query(ledger.file("prunable.sql", selections(ledger, before, leastRuns)));
  const of = (name: string): number => Number(found.find((row) => row["name"] === name)?.["n"] ?? 0);
  const events = Object.fromEntries(found.filter((row) => !String(row["name"]).startsWith(" ")).map((row) => [String(row["name"]), Number(row["n"])]));
  return { events, emptied: of(" emptied"), segmentRuns: of(" segment_runs"), runs: of(" runs") };
}

/** Deletes what was decided before `before` (ISO 8601 UTC) and is asked for no more, in one script: all of it or nothing. */
export async function prune(ledger: HeldLedger, before: string, leastRuns: number): Promise<Pruned> {
  const pruned = await prunable(ledger, before, leastRuns);
  const { sql } = ledger.file("prune.sql", selections(ledger, before, leastRuns));
  const deletions = statementsOf(sql).map((each): Statement => ({ sql: each, params: [], ours: true }));
  await ledger.commit({ statements: [...deletions, ...remembered(ledger, before)] });
  return pruned;
}

/** Queries for what goes, and the condition of what stays without its details. */
function selections(ledger: Ledger, before: string, leastRuns: number): Record<string, string> {
  const words = { before: timestampLiteral(before, ledger.dialect), forgotten: FORGOTTEN, least_runs: String(leastRuns) };
  const file = (name: string, more: Record<string, string> = {}): string => ledger.file(name, { ...words, ...more }).sql.trim();
  const going = { going_rows: file("prune_rows.sql"), going_segment_runs: file("prune_segment_runs.sql") };
  const kept = "('claimed', 'held_out', 'accepted', 'failed', 'released', 'voided')";
  const stays = `decided_at < ${words.before} and event in ${kept} and (detail is not null or properties is not null)`;
  return { ...going, going_runs: file("prune_runs.sql", going), stays, forgotten: FORGOTTEN };
}

/** The latest time to which the ledger was ever pruned: a backfill takes nothing up that is older. */
function remembered({ tables, facts: { prunedTo } }: HeldLedger, before: string): Statement[] {
  if (prunedTo !== null && Date.parse(prunedTo) >= Date.parse(before)) return [];
  return [
    statement(tables.deleteFrom("meta").where("name", "=", PRUNED_TO)),
    statement(tables.insertInto("meta").values({ name: PRUNED_TO, content: before })),
  ];
}
