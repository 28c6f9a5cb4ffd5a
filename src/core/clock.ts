/** An instant as ISO 8601 UTC, e.g. `2026-03-02T12:00:00Z`; milliseconds only where there are any. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

/** The instant some seconds before another. */
export function secondsBefore(at: string, seconds: number): string {
  return instant(Date.parse(at) - seconds * 1000);
}
