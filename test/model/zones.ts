/** The user's own hour, by Intl: a second way to the answer, beside the one that the job uses. */

const formats = new Map<string, Intl.DateTimeFormat | null>();

function formatFor(zone: string): Intl.DateTimeFormat | null {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = makeFormat(zone);
  formats.set(zone, format);
  return format;
}

/** Intl takes them, and they aren't zones. */
export const ABBREVIATIONS = "ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST".split(" ");

function makeFormat(zone: string): Intl.DateTimeFormat | null {
  if (!/^[A-Z]/i.test(zone) || ABBREVIATIONS.includes(zone.toUpperCase())) return null;
  try {
    return new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** `HH:MM:SS` on the wall of the zone at an instant (ms since 1970 UTC); an unknown or null zone is the fallback's. */
export function localTime(instant: number, zone: string | null, fallback: string): string {
  const format = (zone === null ? null : formatFor(zone)) ?? formatFor(fallback);
  if (format === null) throw new Error(`The project's time zone ${fallback} is unknown; name one of the IANA zones`);
  return format.format(instant);
}

/** The first instant later than `after` and before `until` (ms since 1970 UTC) at which the zone is shut; null: none. */
export function nextShut(after: number, until: number, zone: string | null, fallback: string, hours: { from: string; to: string }): number | null {
  const minute = 60_000;
  // Quiet hours, and changes of the clock, begin at whole minutes.
  for (let at = (Math.floor(after / minute) + 1) * minute; at < until; at += minute) if (isShut(localTime(at, zone, fallback), hours)) return at;
  return null;
}

/** At or after `from` and before `to`, both `HH:MM`; over midnight when `from` is the later. */
export function isShut(local: string, hours: { from: string; to: string }): boolean {
  const from = `${hours.from}:00`;
  const to = `${hours.to}:00`;
  return from <= to ? local >= from && local < to : local >= from || local < to;
}
