/** Messages that wait in segments which have no file any more: docs/decisions.md has the law. */
import type { ActiveStep } from "../../arbitration/activation.js";
import { instant } from "../../core/clock.js";
import { literal } from "../../warehouse/dialect.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import { MOST_CLAIMS, type HeldLedger } from "../lease/held-ledger.js";
import type { RunKey } from "../runs/record.js";
import { FORGOTTEN, REMOVED_LATELY_MS, type PreviousSegmentRun } from "../runs/segment-runs.js";
import { ofKindSql } from "../trial.js";

const DAY_MS = 24 * 3_600_000;

/** Of segments that the project doesn't have, those whose last run was more than a day ago, and lately. */
export function removedSegments(last: ReadonlyMap<string, PreviousSegmentRun>, known: ReadonlySet<string>, asOf: string): PreviousSegmentRun[] {
  const ago = ({ asOf: ran }: PreviousSegmentRun): number => Date.parse(asOf) - Date.parse(ran);
  return [...last.values()].filter((run) => !known.has(run.segment) && ago(run) >= DAY_MS && ago(run) < REMOVED_LATELY_MS);
}

/** Ends what waits in these segments. */
export async function endRemoved(ledger: HeldLedger, removed: readonly PreviousSegmentRun[], { runId, asOf, trial }: RunKey): Promise<void> {
  const { dialect } = ledger;
  const from = Math.min(...removed.map(oldestWaiting));
  const statement = ledger.file("removed.sql", {
    seq: String(ledger.reserve(MOST_CLAIMS)),
    run_id: literal(runId),
    as_of: timestampLiteral(asOf, dialect),
    recorded_at: timestampLiteral(instant(ledger.now()), dialect),
    from: timestampLiteral(instant(from), dialect),
    segments: removed.map(({ segment }) => literal(segment)).join(", "),
    of_kind: ofKindSql(trial, "l"),
  });
  await ledger.commit({ statements: [statement] });
}

/** When a message was decided at the earliest that waited in the segment's last run, ms: within its longest step, backfills too. */
function oldestWaiting({ asOf, shape, steps }: PreviousSegmentRun): number {
  // Of a segment that was said to be gone nobody knows the steps.
  const longest =
    shape === FORGOTTEN ? 366 * DAY_MS : 1000 * Math.max(0, ...(JSON.parse(steps) as ActiveStep[]).map((step) => step.afterSeconds + step.withinSeconds));
  return Date.parse(asOf) - longest;
}
