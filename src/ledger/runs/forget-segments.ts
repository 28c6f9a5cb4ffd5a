/** Segments that are gone for good. */
import { CLOCKS_AGREE_MS, instant } from "../../core/clock.js";
import { OpportuneError } from "../../core/errors.js";
import { TAKE_BACK } from "../../core/failures.js";
import type { HeldLedger } from "../lease/held-ledger.js";
import { statement, type SegmentRunsTable } from "../tables.js";
import { FORGOTTEN, type PreviousSegmentRun } from "./segment-runs.js";

/**
 * Appends to `segment_runs`, for each of these segments by its last run, that it is gone for good: no new segment is taken for
 * it then. What was sent stays known under its name; if a file brings the name back, those who qualified by then are baseline.
 * `trial`: for trials alone. The ledger is to know its `lastAsOf` of any run.
 * @throws OpportuneError `ledger/ahead` where a run is as of a time to come
 */
export async function forgetSegments(ledger: HeldLedger, gone: readonly PreviousSegmentRun[], trial: boolean): Promise<void> {
  const now = ledger.now();
  const { lastAsOf, clock } = ledger.facts;
  if (lastAsOf !== null && Date.parse(lastAsOf) > Math.max(now, clock) + CLOCKS_AGREE_MS) {
    throw new OpportuneError({
      code: "ledger/ahead",
      message: `The ledger knows a run as of ${lastAsOf}, which is still to come: a segment forgotten now would be so from then on.`,
      hint: `If the clock of that run was ahead, ${TAKE_BACK} first.`,
    });
  }
  // Later than every run, whose rows it is to follow, also where this machine's clock is behind.
  const asOf = instant(Math.max(now, lastAsOf === null ? now : Date.parse(lastAsOf) + 1));
  const rows = gone.map(({ segment, runId }): SegmentRunsTable => ({
    run_id: runId,
    segment,
    trial,
    as_of: asOf,
    segment_version: FORGOTTEN,
    shape: FORGOTTEN,
    activated_at: asOf,
    steps: "[]",
    succeeded: 1,
    returned: null,
    dropped: "{}",
    decisions: "{}",
    bytes_scanned: null,
    offered: null,
    duration_ms: 0,
    error: null,
  }));
  if (rows.length === 0) return;
  await ledger.commit({ statements: [statement(ledger.tables.insertInto("segment_runs").values(rows))] });
}
