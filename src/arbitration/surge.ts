import type { Policy } from "../project/types.js";

/** Fewer known runs than this say nothing about what is usual. */
export const LEAST_RUNS = 5;

/** How far back earlier runs are looked at: two weeks hold every hour of the week twice, ms. */
export const SURGE_LOOK_BACK_MS = 14 * 24 * 3_600_000;

/** What a segment usually offers: how many of its runs are known, and the median of those that offered anything. */
export interface UsualOffer {
  median: number;
  runs: number;
}

/** A segment held back, with the numbers behind it. */
export interface Surge {
  offered: number;
  limit: number;
  /** Too few runs of it are known to say what is usual: the limit is `at_least`. */
  young: boolean;
}

/** The surge of a segment that offers so many candidates; null: it may. `usual` is undefined where no run of it is known. */
export function surgeOf(surge: NonNullable<Policy["surge"]>, usual: UsualOffer | undefined, offered: number): Surge | null {
  const young = usual === undefined || usual.runs < LEAST_RUNS;
  const limit = young ? surge.atLeast : Math.max(surge.atLeast, Math.floor(surge.multiple * usual.median));
  return offered > limit ? { offered, limit, young } : null;
}
