/** The clock of a provider, as the `Date` of its answers tells it. */
import { apart, CLOCKS_AGREE_MS, instant, skewOf } from "../../../core/clock.js";

/** A `Date` is cut to its second, ms. */
const RESOLUTION_MS = 999;

/**
 * How this machine's clock differs from an answer's `Date`, in words; null where it doesn't by more
 * than a minute, or the answer has none. `begun`: when the request began, `answered`: when the
 * answer did, by this machine's clock, ms since 1970 UTC.
 */
export function wrongClock(date: string | undefined, begun: number, answered: number): string | null {
  const theirs = Date.parse(date ?? "");
  if (Number.isNaN(theirs)) return null;
  const skew = skewOf(theirs, begun - RESOLUTION_MS, answered);
  if (Math.abs(skew) <= CLOCKS_AGREE_MS) return null;
  return `this machine's clock says ${instant(Math.floor(answered / 1000) * 1000)}, the provider's ${instant(theirs)}: they differ by ${apart(skew)}`;
}
