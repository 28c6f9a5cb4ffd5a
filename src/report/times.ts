/** How times are written for people who read a report: in a zone of theirs. Files, logs and JSON have UTC, by core/clock.ts. */
import { Temporal } from "temporal-polyfill";
import { isZone } from "../core/zones.js";

/** No locale knows the usual names of all zones; where none does, it is `GMT-3`. */
const NAMING = ["en-GB", "en-US", "en-AU"];

interface Formats {
  day: Intl.DateTimeFormat;
  clock: Intl.DateTimeFormat;
  names: readonly Intl.DateTimeFormat[];
}

/** Making formats is slow, and a story has hundreds of times. */
const formats = new Map<string, Formats>();

function formatsOf(timeZone: string): Formats {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = {
    day: new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    clock: new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    names: NAMING.map((locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: "short" })),
  };
  formats.set(timeZone, made);
  return made;
}

/** An instant in a zone: `Monday, 2 March 2026`, `12:05`, and the zone as people name it there and then, e.g. `CET`. */
export function timeIn(iso: string, timezone: string): { day: string; clock: string; zone: string } {
  const at = new Date(iso);
  const { day, clock, names } = formatsOf(timezone);
  const zones = names.flatMap((format) => format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? []);
  return {
    day: day.format(at).replace(/^(\w+) /, "$1, "),
    clock: clock.format(at),
    zone: zones.find((zone) => !/^(?:GMT|UTC)[+-]/.test(zone)) ?? zones[0] ?? timezone,
  };
}

/** `2026-03-02 21:00:00` of `2026-03-02T12:00:00Z` in Asia/Tokyo; a zone that this machine doesn't know is told in UTC, and says so. */
export function localTime(iso: string, timezone: string): string {
  const words = (zone: string): string =>
    Temporal.Instant.from(iso).toZonedDateTimeISO(zone).toPlainDateTime().toString({ smallestUnit: "second" }).replace("T", " ");
  return isZone(timezone) ? words(timezone) : `${words("UTC")} UTC`;
}
