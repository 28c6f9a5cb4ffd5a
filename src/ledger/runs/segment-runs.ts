/** What the ledger knows of the earlier runs of segments. */
import { instant } from "../../core/clock.js";
import { Binder, textList, timestampLiteral } from "../../warehouse/sql.js";
import type { Row } from "../../warehouse/types.js";
import type { Ledger } from "../ledger.js";
import { heededSql } from "../trial.js";

/** The shape that stands on the row of a segment that is gone for good: no query has it. */
export const FORGOTTEN = "forgotten";

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

/** How far back a segment's last run is looked for before all history is: most run every few minutes, ms. */
export const RECENTLY_MS = 7 * 24 * 3_600_000;

/** For how long after its last run a segment without a file is looked at: in later runs nothing is left to find, ms. */
export const REMOVED_LATELY_MS = 8 * 24 * 3_600_000;

/** Of these segments, the last run in which the query worked. `asOf`: ISO 8601 UTC. */
export async function previousSegmentRuns(ledger: Ledger, segments: readonly string[], trial: boolean, asOf: string): Promise<Map<string, PreviousSegmentRun>> {
  const read = async (ids: readonly string[], since: string | null): Promise<Map<string, PreviousSegmentRun>> =>
    ids.length === 0 ? new Map() : lastRuns(ledger, { of: ids }, trial, since);
  const recent = await read(segments, instant(Date.parse(asOf) - RECENTLY_MS));
  const others = segments.filter((segment) => !recent.has(segment));
  return new Map([...recent, ...(await read(others, null))]);
}

/** Of all segments but these, whether they have a file or not, the last run ever in which the query worked. */
export function otherSegmentRuns(ledger: Ledger, known: readonly string[], trial: boolean): Promise<Map<string, PreviousSegmentRun>> {
  return lastRuns(ledger, { but: known }, trial, null);
}

async function lastRuns(ledger: Ledger, segments: Those, trial: boolean, since: string | null): Promise<Map<string, PreviousSegmentRun>> {
  const binder = new Binder(ledger.dialect);
  return previousRuns(await ledger.query(ledger.file("partials/last_segment_runs.sql", lastRunsOf(ledger, segments, trial, since, binder), binder)));
}

type Those = { of: readonly string[] } | { but: readonly string[] };

/** What the SQL of last runs must know. `since`: ISO 8601 UTC; null: ever. */
export function lastRunsOf({ dialect }: Ledger, segments: Those, trial: boolean, since: string | null, binder: Binder): Record<string, string> {
  const [operator, ids] = "of" in segments ? (["in", segments.of] as const) : (["not in", segments.but] as const);
  return {
    forgotten: FORGOTTEN,
    which: ids.length === 0 ? "1 = 1" : `segment ${operator} ${textList(ids, binder)}`,
    heeded: heededSql(trial, "s"),
    since: since === null ? "1 = 1" : `s.as_of >= ${timestampLiteral(since, dialect)}`,
  };
}

/** Those among rows of `fact`, `name` and `content`, by segment. */
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
 * were, and the median of those that offered anything. The runs are those since `since` (ISO 8601 UTC), or the `last` ones however
 * old, and what has the `as_of` of the oldest of these.
 */
export async function usualOffers(
  ledger: Ledger,
  trial: boolean,
  segments: readonly string[],
  of: { since: string } | { last: number },
): Promise<Map<string, { median: number; runs: number }>> {
  const binder = new Binder(ledger.dialect);
  const context = {
    segments: textList(segments, binder),
    heeded: heededSql(trial),
    since: "since" in of ? `as_of >= ${timestampLiteral(of.since, ledger.dialect)}` : "1 = 1",
    among: "last" in of ? `age <= ${String(of.last)}` : "1 = 1",
  };
  const rows = await ledger.query(ledger.file("usual_offers.sql", context, binder));
  return new Map(rows.map((row) => [String(row["segment"]), { median: Number(row["offered"]), runs: Number(row["runs"]) }]));
}

/** A segment that was last asked longer ago counts no more: a year of runs every few minutes is two million rows, ms. */
const LAST_RUN_WITHIN_MS = 30 * 24 * 3_600_000;

/** The segments whose last successful run, of a month, returned a row, and whether any segment's did in the last `withinMs`, at most a month. */
export async function returnedRows(ledger: Ledger, trial: boolean, withinMs: number): Promise<{ last: ReadonlySet<string>; recently: boolean }> {
  const ago = (ms: number): string => timestampLiteral(instant(ledger.now() - ms), ledger.dialect);
  const context = { heeded: heededSql(trial), from: ago(LAST_RUN_WITHIN_MS), lately: ago(withinMs) };
  const rows = await ledger.query(ledger.file("returned_rows.sql", context));
  return {
    last: new Set(rows.filter((row) => row["fact"] === "last").map((row) => String(row["segment"]))),
    recently: rows.some((row) => row["fact"] === "recently"),
  };
}
