import { expect, it } from "vitest";
import { parseOptionDuration } from "../../src/core/durations.js";

it("an option's duration is written in words, or short where that means one thing alone", () => {
  const seconds = Object.fromEntries(["2d", "400d", " 60w ", "12h", "2 days", "1 hour 30 minutes"].map((text) => [text, parseOptionDuration(text)]));
  expect(seconds).toEqual({ "2d": 172_800, "400d": 34_560_000, " 60w ": 36_288_000, "12h": 43_200, "2 days": 172_800, "1 hour 30 minutes": 5_400 });
  for (const text of ["10m", "2D", "2 d", "2dys", "-2d", "2.5d", "", "d", "99999999d"]) expect([text, parseOptionDuration(text)]).toEqual([text, undefined]);
});
