import { Temporal } from "temporal-polyfill";
import { isZone, zoneOr } from "../core/zones.js";

/** Whether one time zone's users may hear from us now, and until when that holds. */
export interface ZoneHours {
  /** As the rows name it; '' for rows without a zone. */
  zone: string;
  /** False: no such IANA zone; the project's counts instead. */
  known: boolean;
  shut: boolean;
  /** ISO 8601 UTC; null without quiet hours, or while open. */
  opensAt: string | null;
  /** ISO 8601 UTC; null without quiet hours, or while shut. */
  shutsAt: string | null;
}

/** Local wall-clock times `HH:MM`. */
export interface QuietHours {
  from: string;
  to: string;
}

/** Works out quiet hours for each distinct zone at one instant (ISO 8601 UTC). */
export function zoneHours(zones: readonly string[], projectZone: string, quiet: QuietHours | null, asOf: string): ZoneHours[] {
  return zones.map((zone) => {
    const known = zone === "" || isZone(zone);
    return { zone, known, ...hoursIn(zoneOr(zone, projectZone), quiet, asOf) };
  });
}

function hoursIn(zone: string, quiet: QuietHours | null, asOf: string): Pick<ZoneHours, "shut" | "opensAt" | "shutsAt"> {
  if (quiet === null) return { shut: false, opensAt: null, shutsAt: null };
  const now = Temporal.Instant.from(asOf).toZonedDateTimeISO(zone);
  const from = Temporal.PlainTime.from(quiet.from);
  const to = Temporal.PlainTime.from(quiet.to);
  const shut = isShut(now, from, to);
  const until = nextTurn(now, shut, from, to);
  return shut ? { shut, opensAt: until, shutsAt: null } : { shut, opensAt: null, shutsAt: until };
}

function isShut(at: Temporal.ZonedDateTime, from: Temporal.PlainTime, to: Temporal.PlainTime): boolean {
  const wall = at.toPlainTime();
  const afterFrom = Temporal.PlainTime.compare(wall, from) >= 0;
  const beforeTo = Temporal.PlainTime.compare(wall, to) < 0;
  return Temporal.PlainTime.compare(from, to) < 0 ? afterFrom && beforeTo : afterFrom || beforeTo;
}

/** The first moment after `now` at which it is no longer as `shut` says: when the wall clock gets there, or is set over it. */
function nextTurn(now: Temporal.ZonedDateTime, shut: boolean, from: Temporal.PlainTime, to: Temporal.PlainTime): string {
  const regular = nextAt(now, shut ? to : from);
  // Looking for changes is slow: of 400 zones only those are asked whose offset will differ.
  const change = regular.offsetNanoseconds === now.offsetNanoseconds ? null : now.getTimeZoneTransition("next");
  const first = change !== null && Temporal.ZonedDateTime.compare(change, regular) < 0 && isShut(change, from, to) !== shut ? change : regular;
  return first.toInstant().toString({ smallestUnit: "second" });
}

/** The next time the wall clock shows `time`, which it does twice on the day it is set back. */
function nextAt(now: Temporal.ZonedDateTime, time: Temporal.PlainTime): Temporal.ZonedDateTime {
  for (let day = now.toPlainDate(); ; day = day.add({ days: 1 })) {
    for (const disambiguation of ["earlier", "later"] as const) {
      const at = day.toPlainDateTime(time).toZonedDateTime(now.timeZoneId, { disambiguation });
      if (Temporal.ZonedDateTime.compare(at, now) > 0 && at.toPlainTime().equals(time)) return at;
    }
  }
}
