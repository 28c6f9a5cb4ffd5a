import { Temporal } from "temporal-polyfill";
import { remembered } from "./remembered.js";

/**
 * True for the IANA name of a time zone, in any case. This is the one definition, for rows and for
 * opportune.yml. An offset isn't a zone, as it knows no summer. Nor is an abbreviation such as PST,
 * which Intl takes and Temporal refuses. An answer takes Intl 30 µs.
 */
export const isZone = remembered((name) => /^[A-Za-z]/.test(name) && isTaken(name));

/** The zone that counts for a row: its own if that is one, else the project's. */
export function zoneOr(own: string | null, projectZone: string): string {
  return own !== null && isZone(own) ? own : projectZone;
}

/** By both that are asked for times. Newer Nodes have a Temporal of their own, with other names. */
function isTaken(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}
