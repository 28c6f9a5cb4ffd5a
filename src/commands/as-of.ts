import { instant } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";
import { INSTANTS, readInstant } from "../core/instants.js";

/**
 * The instant that --as-of names, ISO 8601 UTC: a date is its midnight UTC, a time needs `Z` or an offset.
 * @param now wall clock, ms since 1970 UTC
 * @throws OpportuneError (exit 2) for anything else, and for the future
 */
export function parseAsOf(text: string, now: number): string {
  const ms = readInstant(text);
  if (ms === null) {
    throw new OpportuneError(
      {
        code: "usage/as-of",
        message: `--as-of can't be ${JSON.stringify(text)}.`,
        hint: `Write ${INSTANTS}.`,
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
