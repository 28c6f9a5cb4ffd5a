import { sql, type Kysely, type RawBuilder } from "kysely";
import { instant } from "../../core/clock.js";
import type { Dialect } from "../../warehouse/dialect.js";
import { isoText, timestampLiteral } from "../../warehouse/sql.js";
import type { Row, Statement, Warehouse } from "../../warehouse/types.js";
import type { Ledger, RunKey } from "../lease/held-ledger.js";
import { ledgerQueries, statement, type LedgerTables, type RunsTable } from "../tables.js";
import { heeded } from "../trial.js";

/** The shape that stands on the row of a segment that is gone for good: no query has it. */
export const FORGOTTEN = "forgotten";

/** Of the rows of `runs`: those of runs that were taken back, and those that say so. Neither is a run that decides. */
export const TAKEN_BACK = ["forgotten", "forget"] as const;

/** The condition that a row's run was not taken back. */
export function ofStandingRuns(queries: Kysely<LedgerTables>): RawBuilder<boolean> {
  return sql<boolean>`run_id not in ${queries.selectFrom("runs").select("run_id").where("status", "=", "forgotten")}`;
}

/** The last successful run of a segment. */
export interface PreviousSegmentRun {
  segment: string;
  runId: string;
  asOf: string;
  shape: string;
  activatedAt: string | null;
  /** JSON of the steps and since when they are active. */
  steps: string;
  /** Its candidates by reason. */
  decisions: Record<string, number>;
}

export type RunEnd = Omit<RunsTable, "run_id" | "as_of" | "started_at" | "finished_at" | "fence" | "opportune_version" | "status" | "trial"> & {
  status: "success" | "error";
};

/** What a run that failed before it decided anything ends with. */
export const NOTHING_DONE: Omit<RunEnd, "status" | "error"> = {
  candidates: 0,
  claimed: 0,
  accepted: 0,
  failed: 0,
  in_doubt: 0,
  released: 0,
  held: 0,
  lag_p50_ms: null,
  lag_p95_ms: null,
  duration_ms: 0,
};

/** How many runs have not ended: at most one is under way, all others were cut off. */
export async function unfinishedRuns(warehouse: Warehouse, schema: string): Promise<number> {
  const rows = await warehouse.query(statement(ledgerQueries(warehouse.dialect, schema).selectFrom("runs").select("run_id").where("status", "=", "running")));
  return rows.length;
}

/** How far back a segment's last run is looked for before all history is: most run every few minutes, ms. */
export const RECENTLY_MS = 7 * 24 * 3_600_000;

/** For how long after its last run a segment without a file is looked at: in later runs nothing is left to find, ms. */
export const REMOVED_LATELY_MS = 8 * 24 * 3_600_000;

/** Of these segments, the last run in which the query worked. `asOf`: ISO 8601 UTC. */
export async function previousSegmentRuns(
  warehouse: Warehouse,
  schema: string,
  segments: readonly string[],
  trial: boolean,
  asOf: string,
): Promise<Map<string, PreviousSegmentRun>> {
  const read = async (ids: readonly string[], since: string | null): Promise<Map<string, PreviousSegmentRun>> =>
    ids.length === 0 ? new Map() : previousRuns(await warehouse.query(statement(lastRuns(warehouse.dialect, schema, { of: ids }, trial, since))));
  const recent = await read(segments, instant(Date.parse(asOf) - RECENTLY_MS));
  const others = segments.filter((segment) => !recent.has(segment));
  return new Map([...recent, ...(await read(others, null))]);
}

/** Of all segments but these, whether they have a file or not, the last run ever in which the query worked. */
export async function otherSegmentRuns(
  warehouse: Warehouse,
  schema: string,
  known: readonly string[],
  trial: boolean,
): Promise<Map<string, PreviousSegmentRun>> {
  return previousRuns(await warehouse.query(statement(lastRuns(warehouse.dialect, schema, { but: known }, trial, null))));
}

/** Rows of `fact`, `name` and `content`: the last runs in which the query of these segments (`of`: at least one) worked, since `since` or ever. */
export function lastRuns(
  dialect: Dialect,
  schema: string,
  segments: { of: readonly string[] } | { but: readonly string[] },
  trial: boolean,
  since: string | null,
) {
  const [operator, ids] = "of" in segments ? (["in", segments.of] as const) : (["not in", segments.but] as const);
  const text = (value: string) => sql<string | null>`${sql.raw(value)}`;
  const latest = ledgerQueries(dialect, schema)
    .selectFrom("segment_runs as s")
    .innerJoin("runs as r", "r.run_id", "s.run_id")
    .select(["segment", "s.run_id", "shape", "steps", "decisions", text(isoText("s.as_of", dialect)).as("as_of_text")])
    .select([text(isoText("activated_at", dialect)).as("activated_text")])
    .select(sql<number>`row_number() over (partition by segment order by s.as_of desc, fence desc)`.as("newest"))
    .where("succeeded", "=", 1)
    // What somebody said of a segment after its run stands, whatever becomes of the run.
    .where(({ or, eb }) => or([eb("status", "<>", "forgotten"), eb("shape", "=", FORGOTTEN)]))
    .$if(ids.length > 0, (query) => query.where("segment", operator, ids))
    .where(heeded(trial, "s"))
    .$if(since !== null, (query) => query.where(sql<boolean>`s.as_of >= ${sql.raw(timestampLiteral(since ?? "", dialect))}`));
  const content = dialect.jsonObject([
    ["run_id", "run_id"],
    ["as_of", "as_of_text"],
    ["shape", "shape"],
    ["activated_at", "activated_text"],
    ["steps", "steps"],
    ["decisions", "decisions"],
  ]);
  return ledgerQueries(dialect, schema)
    .selectFrom(latest.as("r"))
    .select([text("'segment'").as("fact"), text("segment").as("name"), text(content).as("content")])
    .where("newest", "=", 1);
}

/** Those among rows of facts, by segment. */
export function previousRuns(rows: readonly Row[]): Map<string, PreviousSegmentRun> {
  return new Map(
    rows
      .filter((row) => row["fact"] === "segment")
      .map((row) => {
        const told = JSON.parse(String(row["content"])) as Record<"run_id" | "as_of" | "shape" | "steps", string> &
          Record<"activated_at" | "decisions", string | null>;
        const segment = String(row["name"]);
        const { run_id: runId, as_of: asOf, shape, steps, activated_at: activatedAt } = told;
        return [segment, { segment, runId, asOf, shape, activatedAt, steps, decisions: JSON.parse(told.decisions ?? "{}") as Record<string, number> }];
      }),
  );
}

/**
 * What these segments (at least one) offered in their successful runs, those that a surge held back left out: how many runs there
 * were, and the median of those that offered anything, as data may be loaded once a day and asked for every ten minutes. The runs
 * are those since `since` (ISO 8601 UTC), or the `last` ones however old, and what has the `as_of` of the oldest of these.
 */
export async function usualOffers(
  warehouse: Warehouse,
  schema: string,
  trial: boolean,
  segments: readonly string[],
  of: { since: string } | { last: number },
): Promise<Map<string, { median: number; runs: number }>> {
  const queries = ledgerQueries(warehouse.dialect, schema);
  const known = queries
    .selectFrom("segment_runs")
    .select(["segment", "offered", sql<number>`rank() over (partition by segment order by as_of desc)`.as("age")])
    .where("succeeded", "=", 1)
    .where("offered", "is not", null)
    .where("segment", "in", segments)
    .where(heeded(trial))
    .where(ofStandingRuns(queries))
    .$if("since" in of, (query) => query.where(sql<boolean>`as_of >= ${sql.raw(timestampLiteral("since" in of ? of.since : "", warehouse.dialect))}`));
  const ranked = queries
    .selectFrom(known.as("k"))
    .select(["segment", "offered", sql<number>`row_number() over (partition by segment order by offered desc)`.as("place")])
    .select(sql<number>`count(*) over (partition by segment)`.as("runs"))
    .select(sql<number>`count(case when offered > 0 then 1 end) over (partition by segment)`.as("offering"))
    .$if("last" in of, (query) => query.where("age", "<=", "last" in of ? of.last : 0));
  const rows = await warehouse.query(
    statement(
      queries
        .selectFrom(ranked.as("r"))
        .select(["segment", "offered", "runs"])
        .where(sql<boolean>`place * 2 in (offering + 1, offering + 2)`),
    ),
  );
  return new Map(rows.map((row) => [String(row["segment"]), { median: Number(row["offered"]), runs: Number(row["runs"]) }]));
}

/** `work`: definitions of the run's work tables, made in the same request. */
export async function recordRunStart(ledger: Ledger, run: RunKey & { version: string }, now: number, work: readonly Statement[] = []): Promise<void> {
  const values = { run_id: run.runId, as_of: run.asOf, started_at: instant(now), opportune_version: run.version, fence: ledger.fence, trial: run.trial };
  const insert = ledgerQueries(ledger.warehouse.dialect, ledger.schema)
    .insertInto("runs")
    .values({ ...values, ...NOTHING_YET, finished_at: null, status: "running" });
  await ledger.commit({ work, statements: [statement(insert)] });
}

/** What the row of a run says of no run yet, or of none. */
export const NOTHING_YET = {
  candidates: null,
  claimed: null,
  accepted: null,
  failed: null,
  in_doubt: null,
  released: null,
  held: null,
  lag_p50_ms: null,
  lag_p95_ms: null,
  duration_ms: null,
  error: null,
};

/**
 * Closes a run that failed before it could deliver, so that the next one has nothing to recover. If claims of it stand all the
 * same, it is left to that one.
 */
export async function recordFailure(ledger: Ledger, run: { runId: string; asOf: string }, error: string, now: number): Promise<void> {
  const { warehouse, schema } = ledger;
  const queries = ledgerQueries(warehouse.dialect, schema);
  const claims = queries
    .selectFrom("sent_ledger")
    .select("seq")
    .where("run_id", "=", run.runId)
    .where(sql<boolean>`decided_at >= ${sql.raw(timestampLiteral(run.asOf, warehouse.dialect))}`)
    .where("event", "=", "claimed");
  const close = queries
    .updateTable("runs")
    .set({ ...NOTHING_DONE, status: "error", error, finished_at: instant(now) })
    .where("run_id", "=", run.runId)
    .where(({ not, exists }) => not(exists(claims)));
  await ledger.commit({ statements: [statement(close)] });
}

/** Closes the run, and gives the lease back. */
export async function recordRunEnd(ledger: Ledger, runId: string, end: RunEnd, now: number): Promise<void> {
  const update = ledgerQueries(ledger.warehouse.dialect, ledger.schema)
    .updateTable("runs")
    .set({ ...end, finished_at: instant(now) })
    .where("run_id", "=", runId);
  await ledger.commitAndRelease([statement(update)]);
}
