import { Temporal } from "temporal-polyfill";
import { instant } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";

/**
 * The instant that --as-of names, ISO 8601 UTC: a date is its midnight UTC, a time needs `Z` or an offset.
 * @param now wall clock, ms since 1970 UTC
 * @throws OpportuneError (exit 2) for anything else, and for the future
 */
export function parseAsOf(text: string, now: number): string {
  const ms = milliseconds(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (ms === null) {
    throw new OpportuneError(
      {
        code: "usage/as-of",
        message: `--as-of can't be ${JSON.stringify(text)}.`,
        hint: "Write a date (2026-03-02, its midnight in UTC) or a time with Z or an offset (2026-03-02T12:00:00Z, 2026-03-02T13:00:00+01:00).",
      },
      2,
    );
  }
  if (ms > now) {
    throw new OpportuneError(
      { code: "usage/as-of", message: `--as-of ${text} is in the future; it is ${instant(now)} now.`, hint: "Decisions are made as of now or earlier." },
      2,
    );
  }
  return instant(ms);
}

function milliseconds(text: string): number | null {
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    return null;
  }
}
