import { formatDuration } from "./durations.js";

/** An instant as ISO 8601 UTC, e.g. `2026-03-02T12:00:00Z`; milliseconds only where there are any. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

/** The instant some seconds before another. */
export function secondsBefore(at: string, seconds: number): string {
  return instant(Date.parse(at) - seconds * 1000);
}

/** This machine's clock, ms since 1970 UTC, for comparing it with another one: not a time that somebody passes in. */
export function hostClock(): number {
  return new Date().getTime();
}

/** Clocks that differ by no more agree, ms. */
export const CLOCKS_AGREE_MS = 60_000;

/** How far two clocks are apart, in words: beyond an hour the seconds that a question took say nothing. */
export function apart(skewMs: number): string {
  const seconds = Math.abs(skewMs) / 1000;
  return formatDuration(seconds < 3600 ? Math.round(seconds) : Math.round(seconds / 60) * 60);
}

/** How far a clock is ahead of another one, ms, that was read while the first went from `before` to `after`; negative: behind. */
export function skewOf(other: number, before: number, after: number): number {
  if (before > other) return before - other;
  return Math.min(0, after - other);
}
