import { expect, it } from "vitest";
import { isZone, zoneOr } from "../../src/core/zones.js";

it.each(["Europe/Berlin", "europe/berlin", "UTC", "Etc/GMT+12", "EST", "CET", "Asia/Calcutta", "America/Argentina/Buenos_Aires"])("%s is a zone", (name) => {
  expect(isZone(name)).toBe(true);
  expect(zoneOr(name, "Asia/Tokyo")).toBe(name);
});

it.each(["", "+02:00", "-02:00", "\u221202:00", "PST", "pst", "IST", "JST", "GMT+2", "Europe/Berlin ", "2026-03-02T12:00[Europe/Berlin]", "null"])(
  "%j isn't a zone, and the project's counts",
  (name) => {
    expect(isZone(name)).toBe(false);
    expect(zoneOr(name, "Asia/Tokyo")).toBe("Asia/Tokyo");
  },
);

it("every zone that Intl names is one, also where more were asked than are remembered", () => {
  for (let n = 0; n < 3000; n += 1) expect(isZone(`Mars/Base_${String(n)}`)).toBe(false);
  expect(Intl.supportedValuesOf("timeZone").filter((zone) => !isZone(zone))).toEqual([]);
  expect(zoneOr(null, "Asia/Tokyo")).toBe("Asia/Tokyo");
});
