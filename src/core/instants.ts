import { Temporal } from "temporal-polyfill";

/** How an instant may be written, for hints. */
export const INSTANTS = "a date (2026-03-02, its midnight in UTC) or a time with Z or an offset (2026-03-02T12:00:00Z, 2026-03-02T13:00:00+01:00)";

/** Ms since 1970 UTC of a date, which is its midnight UTC, or of a time with `Z` or an offset; null for anything else. */
export function readInstant(text: string): number | null {
  try {
    return Temporal.Instant.from(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text).epochMilliseconds;
  } catch {
    return null;
  }
}
