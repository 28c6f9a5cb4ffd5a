/** When the job runs, and whom it asks then. Times are ms since 1970 UTC; no zone's clock changes touch them. */
import { ASK_AGAIN } from "../ledger/runs/history.js";
import type { Segment } from "../project/types.js";
import type { RunResult } from "../run/types.js";

/** The tick that a moment belongs to: ticks are the multiples of the interval since 1970. */
export function tickOf(at: number, intervalSeconds: number): number {
  const ms = intervalSeconds * 1000;
  return Math.floor(at / ms) * ms;
}

/**
 * The segments to ask at `at`: those without `every`, and those whose `every` has passed since they were last asked. It is counted
 * from tick to tick: a run that begins some seconds later than another must not make a segment miss its turn.
 */
export function dueSegments(segments: readonly Segment[], askedAt: ReadonlyMap<string, number>, at: number, intervalSeconds: number): Segment[] {
  return segments.filter((segment) => dueAt(segment, askedAt, intervalSeconds) <= at);
}

/** The tick from which on a segment is due; -Infinity: always. */
export function dueAt({ id, everySeconds }: Segment, askedAt: ReadonlyMap<string, number>, intervalSeconds: number): number {
  const asked = askedAt.get(id);
  if (everySeconds === null || asked === undefined) return -Infinity;
  const earliest = tickOf(asked, intervalSeconds) + everySeconds * 1000;
  const tick = tickOf(earliest, intervalSeconds);
  return tick === earliest ? tick : tick + intervalSeconds * 1000;
}

/**
 * Takes down when a run asked whom. A segment that failed, that a failed audience or the run's limit held up, or any of a run
 * that released claims, is asked again at the next tick.
 */
export function noteAsked(askedAt: Map<string, number>, { asOf, decisions, delivery }: RunResult): void {
  const released = Object.values(delivery?.counts.released ?? {}).reduce((sum, n) => sum + n, 0);
  for (const { segment, returned, reasons } of decisions.segments) {
    if (released === 0 && returned !== null && !ASK_AGAIN.some((reason) => (reasons[reason] ?? 0) > 0)) askedAt.set(segment, Date.parse(asOf));
    else askedAt.delete(segment);
  }
}
