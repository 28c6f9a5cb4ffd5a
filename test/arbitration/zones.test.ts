import { describe, expect, it } from "vitest";
import { zoneHours, type QuietHours, type ZoneHours } from "../../src/arbitration/zones.js";
import { ABBREVIATIONS, isShut, localTime } from "../model/zones.js";

const NIGHT: QuietHours = { from: "21:00", to: "08:00" };
const NOON = "2026-03-02T12:00:00Z";

function hours(zone: string, asOf: string, quiet: QuietHours | null = NIGHT): ZoneHours {
  const [first] = zoneHours([zone], "Europe/Zurich", quiet, asOf);
  if (first === undefined) throw new Error("no zone");
  return first;
}

describe("zones", () => {
  it("are known by their IANA name, in any case; the rest counts as the project's", () => {
    const known = ["Europe/Berlin", "europe/berlin", "UTC", "Etc/GMT+12", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "Pacific/Kiritimati", ""];
    const unknown = [
      "Mars/Base",
      "+02:00",
      "-0500",
      "−02:00",
      "GMT+2",
      "UTC+1",
      " Europe/Berlin",
      "Europe/Berlin ",
      "Europe",
      "Z",
      "null",
      "Europe/Berlin'; --",
      "x".repeat(5000),
      "\u0000",
      "漢字",
      "2026-03-02T12:00[Europe/Berlin]",
      ...ABBREVIATIONS,
    ];
    const found = zoneHours([...known, ...unknown], "Europe/Zurich", NIGHT, NOON);
    expect(found.filter((zone) => zone.known).map(({ zone }) => zone)).toEqual(known);
    expect(found.filter((zone) => !zone.known).map(({ zone }) => zone)).toEqual(unknown);
    const project = hours("Europe/Zurich", NOON);
    for (const zone of found.filter(({ known: is, zone: name }) => !is || name === ""))
      expect(zone).toEqual({ ...project, zone: zone.zone, known: zone.zone === "" });
  });

  it("are never shut without quiet hours", () => {
    expect(zoneHours(["Europe/Berlin", "Mars/Base"], "UTC", null, NOON)).toEqual([
      { zone: "Europe/Berlin", known: true, shut: false, opensAt: null, shutsAt: null },
      { zone: "Mars/Base", known: false, shut: false, opensAt: null, shutsAt: null },
    ]);
  });
});

describe("quiet hours", () => {
  it.each<[string, string, QuietHours, Partial<ZoneHours>]>([
    ["UTC", "2026-03-02T20:59:59Z", NIGHT, { shut: false, shutsAt: "2026-03-02T21:00:00Z", opensAt: null }],
    ["UTC", "2026-03-02T20:59:59.999Z", NIGHT, { shut: false, shutsAt: "2026-03-02T21:00:00Z" }],
    ["UTC", "2026-03-02T21:00:00Z", NIGHT, { shut: true, opensAt: "2026-03-03T08:00:00Z", shutsAt: null }],
    ["UTC", "2026-03-02T07:59:59.999Z", NIGHT, { shut: true, opensAt: "2026-03-02T08:00:00Z" }],
    ["UTC", "2026-03-02T08:00:00Z", NIGHT, { shut: false, shutsAt: "2026-03-02T21:00:00Z" }],
    ["UTC", "2026-03-02T00:00:00Z", NIGHT, { shut: true, opensAt: "2026-03-02T08:00:00Z" }],
    ["UTC", "2026-03-02T13:30:00Z", { from: "12:00", to: "14:00" }, { shut: true, opensAt: "2026-03-02T14:00:00Z" }],
    ["UTC", "2026-03-02T14:00:00Z", { from: "12:00", to: "14:00" }, { shut: false, shutsAt: "2026-03-03T12:00:00Z" }],
    ["UTC", "2026-03-02T23:59:00Z", { from: "22:00", to: "00:00" }, { shut: true, opensAt: "2026-03-03T00:00:00Z" }],
    ["UTC", "2026-03-02T00:00:00Z", { from: "00:00", to: "06:00" }, { shut: true, opensAt: "2026-03-02T06:00:00Z" }],
    ["Asia/Kathmandu", "2026-03-02T15:15:00Z", NIGHT, { shut: true, opensAt: "2026-03-03T02:15:00Z" }],
    ["Pacific/Kiritimati", "2026-03-02T12:00:00Z", NIGHT, { shut: true, opensAt: "2026-03-02T18:00:00Z" }],
    // New York springs forward on 8 March 2026, from 2:00 EST (7:00 UTC), and back on 1 November, from 2:00 EDT (6:00 UTC).
    ["America/New_York", "2026-03-08T02:30:00Z", NIGHT, { shut: true, opensAt: "2026-03-08T12:00:00Z" }],
    ["America/New_York", "2026-11-01T02:30:00Z", NIGHT, { shut: true, opensAt: "2026-11-01T13:00:00Z" }],
    ["America/New_York", "2026-03-08T06:30:00Z", { from: "00:00", to: "02:30" }, { shut: true, opensAt: "2026-03-08T07:00:00Z" }],
    ["America/New_York", "2026-03-08T06:30:00Z", { from: "02:30", to: "06:00" }, { shut: false, shutsAt: "2026-03-08T07:00:00Z" }],
    ["America/New_York", "2026-03-08T06:30:00Z", { from: "02:10", to: "02:50" }, { shut: false, shutsAt: "2026-03-09T06:10:00Z" }],
    ["America/New_York", "2026-11-01T05:15:00Z", { from: "00:00", to: "01:30" }, { shut: true, opensAt: "2026-11-01T05:30:00Z" }],
    ["America/New_York", "2026-11-01T05:45:00Z", { from: "00:00", to: "01:30" }, { shut: false, shutsAt: "2026-11-01T06:00:00Z" }],
    ["America/New_York", "2026-11-01T06:15:00Z", { from: "00:00", to: "01:30" }, { shut: true, opensAt: "2026-11-01T06:30:00Z" }],
    ["America/New_York", "2026-11-01T06:15:00Z", { from: "01:30", to: "05:00" }, { shut: false, shutsAt: "2026-11-01T06:30:00Z" }],
    ["America/New_York", "2026-11-01T05:45:00Z", { from: "01:30", to: "05:00" }, { shut: true, opensAt: "2026-11-01T06:00:00Z" }],
    // Berlin: 29 March 2026 at 1:00 UTC, 25 October at 1:00 UTC.
    ["Europe/Berlin", "2026-03-28T20:00:00Z", NIGHT, { shut: true, opensAt: "2026-03-29T06:00:00Z" }],
    ["Europe/Berlin", "2026-10-24T19:00:00Z", NIGHT, { shut: true, opensAt: "2026-10-25T07:00:00Z" }],
    // Lord Howe moves by half an hour: 5 April 2026 back at 15:00 UTC of the 4th, 4 October forward at 15:30 UTC of the 3rd.
    ["Australia/Lord_Howe", "2026-04-04T12:00:00Z", NIGHT, { shut: true, opensAt: "2026-04-04T21:30:00Z" }],
    ["Australia/Lord_Howe", "2026-10-03T12:00:00Z", NIGHT, { shut: true, opensAt: "2026-10-03T21:00:00Z" }],
    // Where midnight does not exist: Havana on 8 March 2026 and Beirut on 29 March 2026 go from 0:00 to 1:00.
    ["America/Havana", "2026-03-08T04:30:00Z", { from: "22:00", to: "00:00" }, { shut: true, opensAt: "2026-03-08T05:00:00Z" }],
    ["America/Havana", "2026-03-08T04:30:00Z", { from: "00:00", to: "06:00" }, { shut: false, shutsAt: "2026-03-08T05:00:00Z" }],
    ["Asia/Beirut", "2026-03-28T21:30:00Z", { from: "22:00", to: "00:30" }, { shut: true, opensAt: "2026-03-28T22:00:00Z" }],
    ["Asia/Beirut", "2026-03-28T21:30:00Z", { from: "00:30", to: "06:00" }, { shut: false, shutsAt: "2026-03-28T22:00:00Z" }],
    // Samoa left out 30 December 2011 altogether.
    ["Pacific/Apia", "2011-12-30T09:59:00Z", NIGHT, { shut: true, opensAt: "2011-12-30T18:00:00Z" }],
  ])("of %s at %s, %j", (zone, asOf, quiet, expected) => {
    expect(hours(zone, asOf, quiet)).toMatchObject(expected);
  });

  it("agree with the wall clock minute by minute around every change, and turn at the very second they name", () => {
    const days: readonly (readonly [string, string])[] = [
      ["America/New_York", "2026-03-08"],
      ["America/New_York", "2026-11-01"],
      ["Europe/Berlin", "2026-03-29"],
      ["Europe/Berlin", "2026-10-25"],
      ["Australia/Lord_Howe", "2026-04-04"],
      ["Australia/Lord_Howe", "2026-10-03"],
      ["America/Havana", "2026-03-08"],
      ["America/Havana", "2026-11-01"],
      ["Asia/Beirut", "2026-03-29"],
      ["Asia/Beirut", "2026-10-24"],
      ["Africa/Casablanca", "2026-02-15"],
      ["Africa/Casablanca", "2026-03-22"],
      ["Asia/Kathmandu", "2026-06-01"],
    ];
    const windows: readonly QuietHours[] = [
      NIGHT,
      { from: "01:30", to: "02:15" },
      { from: "00:00", to: "01:45" },
      { from: "23:30", to: "00:30" },
      { from: "02:00", to: "03:00" },
    ];
    let turns = 0;
    for (const [zone, day] of days) {
      const start = Date.parse(`${day}T00:00:00Z`) - 12 * 3_600_000;
      const wall = Array.from({ length: 72 * 60 }, (_, minute) => localTime(start + minute * 60_000, zone, "UTC"));
      for (const quiet of windows) {
        const shut = wall.map((local) => isShut(local, quiet));
        for (let minute = 0; minute < 36 * 60; minute += 45) {
          const asOf = new Date(start + minute * 60_000 + 30_000).toISOString();
          const turn = shut.findIndex((is, later) => later > minute && is !== shut[minute]);
          const until = new Date(start + turn * 60_000).toISOString().replace(".000Z", "Z");
          const expected = shut[minute] === true ? { shut: true, opensAt: until, shutsAt: null } : { shut: false, opensAt: null, shutsAt: until };
          expect(hours(zone, asOf, quiet), `${zone} ${asOf} ${JSON.stringify(quiet)}`).toEqual({ zone, known: true, ...expected });
          turns += 1;
        }
      }
    }
    expect(turns).toBe(days.length * windows.length * 48);
  });
});
