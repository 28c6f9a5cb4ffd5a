/** What earlier runs say about the next one: read before a run, without the lease. */
import { sql } from "kysely";
import { instant } from "../core/clock.js";
import { isoText } from "../warehouse/sql.js";
import type { Row, Warehouse } from "../warehouse/types.js";
import { requireLedger } from "./schema.js";
import { ledgerQueries, statement } from "./tables.js";

/** What a scheduler must know to go on where another left off. Times are ms since 1970 UTC. */
export interface RunHistory {
  /** The latest `as_of` of any run; null: there was none. */
  lastAsOf: number | null;
  /** When each segment was last asked, of those whose last run left nothing to be done again at once. */
  askedAt: ReadonlyMap<string, number>;
  /** When a run without any problem last ended; null: none did. */
  lastSuccess: number | null;
  /** When a run last ended that had got as far as its decisions; null: none did. */
  lastDecided: number | null;
}

/** Reasons of candidates for which a segment is asked again at once: what they wait for may be over by then. */
export const ASK_AGAIN: readonly string[] = ["audience_failed", "run_limit"];

/** @throws OpportuneError where there is no ledger, or not the one needed */
export async function runHistory(warehouse: Warehouse, schema: string): Promise<RunHistory> {
  await requireLedger(warehouse, schema);
  const queries = ledgerQueries(warehouse.dialect, schema);
  const at = (column: string) => sql<string | null>`${sql.raw(isoText(column, warehouse.dialect))}`;
  const runs = await warehouse.query(
    statement(queries.selectFrom("runs").select([at("max(as_of)").as("as_of"), at("max(case when status = 'success' then finished_at end)").as("succeeded")])),
  );
  const decided = await warehouse.query(
    statement(
      queries.selectFrom("runs").select(at("max(finished_at)").as("finished_at")).where("run_id", "in", queries.selectFrom("segment_runs").select("run_id")),
    ),
  );
  const latest = queries
    .selectFrom("segment_runs as s")
    .innerJoin("runs as r", "r.run_id", "s.run_id")
    .select(["segment", "succeeded", "decisions", "status", "released", at("s.as_of").as("asked")])
    .select(sql<number>`row_number() over (partition by segment order by s.as_of desc, fence desc)`.as("newest"));
  const segments = await warehouse.query(statement(queries.selectFrom(latest.as("r")).selectAll().where("newest", "=", 1)));
  return {
    lastAsOf: milliseconds(runs[0]?.["as_of"]),
    lastSuccess: milliseconds(runs[0]?.["succeeded"]),
    lastDecided: milliseconds(decided[0]?.["finished_at"]),
    askedAt: new Map(segments.filter(isDone).map((row) => [String(row["segment"]), Date.parse(String(row["asked"]))])),
  };
}

/** Whether the run ended with nothing to do again: one that broke off or released claims is not done, whatever its segments say. */
function isDone(row: Row): boolean {
  const ended = (row["status"] === "success" || row["status"] === "error") && Number(row["released"] ?? 0) === 0;
  const decisions = JSON.parse(String(row["decisions"] ?? "{}")) as Record<string, number>;
  return ended && Number(row["succeeded"]) === 1 && !ASK_AGAIN.some((reason) => (decisions[reason] ?? 0) > 0);
}

/** A segment that was last asked longer ago counts no more: a year of runs every few minutes is two million rows, ms. */
const LAST_RUN_WITHIN_MS = 30 * 24 * 3_600_000;

/** The segments whose last successful run, of a month, returned a row, and whether any segment's did in the last `withinMs`. */
export async function returnedRows(
  warehouse: Warehouse,
  schema: string,
  now: number,
  withinMs: number,
): Promise<{ last: ReadonlySet<string>; recently: boolean }> {
  const queries = ledgerQueries(warehouse.dialect, schema);
  const timestamp = (ms: number): ReturnType<typeof sql<string>> => sql<string>`cast(${instant(ms)} as ${sql.raw(warehouse.dialect.types.timestamp)})`;
  const latest = queries
    .selectFrom("segment_runs")
    .select(["segment", "returned", sql<number>`row_number() over (partition by segment order by as_of desc, run_id desc)`.as("newest")])
    .where("succeeded", "=", 1)
    .where("as_of", ">", timestamp(now - LAST_RUN_WITHIN_MS));
  const last = await warehouse.query(statement(queries.selectFrom(latest.as("r")).select("segment").where("newest", "=", 1).where("returned", ">", 0)));
  const recent = await warehouse.query(
    statement(
      queries
        .selectFrom("segment_runs")
        .select(sql<number>`count(*)`.as("n"))
        .where("returned", ">", 0)
        .where("as_of", ">", timestamp(now - withinMs)),
    ),
  );
  return { last: new Set(last.map((row) => String(row["segment"]))), recently: Number(recent[0]?.["n"] ?? 0) > 0 };
}

function milliseconds(value: Row[string] | undefined): number | null {
  return typeof value === "string" ? Date.parse(value) : null;
}
