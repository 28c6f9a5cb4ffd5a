import type { Policy } from "../project/types.js";

/** Fewer earlier runs than this say nothing about what is usual. */
const LEAST_RUNS = 5;

/** How far back earlier runs are looked at: two weeks hold every hour of the week twice, ms. */
export const SURGE_LOOK_BACK_MS = 14 * 24 * 3_600_000;

/** What a segment usually offers: the median over recent runs that offered any candidates which had not been offered before. */
export interface UsualOffer {
  median: number;
  runs: number;
}

/** A segment held back, with the numbers behind it. */
export interface Surge {
  offered: number;
  limit: number;
}

/** The most candidates that a run of this segment may offer without approval; null: the breaker has nothing to go by, or is off. */
export function surgeLimit(policy: Pick<Policy, "surge">, usual: UsualOffer | undefined): number | null {
  if (policy.surge === null || usual === undefined || usual.runs < LEAST_RUNS) return null;
  return Math.max(policy.surge.atLeast, Math.floor(policy.surge.multiple * usual.median));
}
