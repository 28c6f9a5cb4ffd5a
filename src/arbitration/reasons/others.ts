/** Reasons that are no rule: of steps that are no candidates, and of rows about which there is nothing to decide. */
import { ended, type PlacelessReason } from "./row.js";

/** Of a step that is not a candidate. */
export const ENDINGS: readonly PlacelessReason[] = [
  ended("left", {
    concerns: "message",
    rule: "reason",
    detail: { waited_for: "text", waited_seconds: "length", newer_behaviour: "time" },
    title: "No longer due",
    words: "no longer returned by the segment; had waited for {rule}",
    numbers: "after {waited_seconds}",
    means: "Its segment returns it no more. `rule` is what it had waited for.",
    then: "decided afresh if it comes back",
  }),
  ended("backfilled", {
    concerns: "journey",
    detail: { counts_from: "time" },
    title: "Taken up",
    words: "taken up by a backfill",
    numbers: "its steps count from {counts_from}",
    means: "`--backfill` took it up.",
    then: "its steps count from that run",
  }),
];

/** Why a row that a segment returned makes no candidate; counted, not recorded. */
export interface RowReason {
  name: string;
  /** The row can't be right. */
  faulty: boolean;
  /** Follows "because", for docs/reasons.md. */
  means: string;
}

export const ROW_REASONS: readonly RowReason[] = [
  { name: "null_user", faulty: true, means: "the user is null" },
  { name: "null_behaviour", faulty: true, means: "`occurred_at` is null, or a time outside of the years 1 to 9999" },
  { name: "future_behaviour", faulty: true, means: "`occurred_at` is later than the run; times without a zone are UTC" },
  { name: "null_key", faulty: true, means: "the declared key is null" },
  { name: "long_id", faulty: true, means: "the user or the key has more than 512 bytes: it is not an id" },
  { name: "duplicate", faulty: true, means: "an older row of the same user and key" },
  { name: "converted", faulty: false, means: "the goal was reached; its journey ended" },
  { name: "journey_running", faulty: false, means: "a newer behaviour of a journey that still runs" },
  { name: "same_occurrence", faulty: false, means: "this behaviour is done" },
  { name: "repeat_never", faulty: false, means: "it was written about before, and `repeat: never`" },
  { name: "not_due", faulty: false, means: "no step is due yet, or its window was over before it was ever seen" },
];
