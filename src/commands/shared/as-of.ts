import { instant } from "../../core/clock.js";
import { OpportuneError } from "../../core/errors.js";
import { INSTANTS, readInstant } from "../../core/instants.js";

/**
 * The instant that --as-of names, ISO 8601 UTC: a date is its midnight UTC, a time needs `Z` or an offset.
 * @param now wall clock, ms since 1970 UTC
 * @param ahead whether it may be in the future
 * @throws OpportuneError (exit 2) for anything else
 */
export function parseAsOf(text: string, now: number, ahead: boolean): string {
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
  if (ms > now && !ahead) {
    throw new OpportuneError(
      {
        code: "usage/as-of",
        message: `--as-of ${text} is in the future; it is ${instant(now)} now.`,
        hint: "Name a time up to now. `opportune run --dry-run` and `opportune compile` may look ahead.",
      },
      2,
    );
  }
  return instant(ms);
}
