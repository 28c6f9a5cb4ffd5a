import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatDuration, nearestDuration, parseDuration } from "../../src/core/durations.js";
import { didYouMean, nearestName } from "../../src/core/suggest.js";

describe("durations", () => {
  test.each([
    ["30 seconds", 30],
    ["1 second", 1],
    ["0 seconds", 0],
    ["10 minutes", 600],
    ["1 hour 30 minutes", 5_400],
    ["1 hour  30  minutes", 5_400],
    [" 24 hours ", 86_400],
    ["7 days", 604_800],
    ["2 weeks 1 day 1 second", 1_296_001],
    ["36500 days", 3_153_600_000],
  ])("%j is %d seconds", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  test.each(["", "10", "minutes", "10m", "10minutes", "1.5 hours", "-1 hours", "1 month", "30 minutes 1 hour", "1 hour 2 hours", "36501 days", "10 minutes!"])(
    "%j is none",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test.each([
    [0, "0 seconds"],
    [1, "1 second"],
    [60, "1 minute"],
    [5_400, "1 hour 30 minutes"],
    [86_400, "24 hours"],
    [172_800, "48 hours"],
    [259_200, "3 days"],
    [604_800, "7 days"],
    [604_861, "7 days 1 minute 1 second"],
  ])("%d seconds are %j", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  test("what is formatted reads back as the same", () => {
    for (let seconds = 0, step = 1; seconds < 3_000_000; seconds += step, step += 37) {
      expect(parseDuration(formatDuration(seconds))).toBe(seconds);
    }
  });

  test.each([-1, 1.5, Number.NaN])("%d is nothing to format", (seconds) => {
    expect(() => formatDuration(seconds)).toThrow(RangeError);
  });

  test.each([
    ["10m", "10 minutes"],
    ["1h", "1 hour"],
    ["2 hrs", "2 hours"],
    ["10 min", "10 minutes"],
    ["7 Days", "7 days"],
    ["30 secs", "30 seconds"],
    ["10 minuts", "10 minutes"],
    ["1 month", undefined],
    ["soon", undefined],
    ["10 minutes", undefined],
  ])("%j was meant as %j", (text, meant) => {
    expect(nearestDuration(text)).toBe(meant);
  });
});

describe("nearest names", () => {
  test.each([
    ["emial", ["sms", "email"], "email"],
    ["Email", ["email"], "email"],
    ["orderd", ["ordered", "orders"], "ordered"],
    ["dve", ["prod", "dev"], "dev"],
    ["webhook", ["email", "sms"], undefined],
    ["prod", ["dev"], undefined],
    ["x", [], undefined],
  ])("%j among %j: %j", (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });

  test("the hint asks, or there is none", () => {
    expect(didYouMean("email")).toBe('Did you mean "email"?');
    expect(didYouMean(undefined)).toBeUndefined();
  });

  test("it has one spelling: no other file writes it", () => {
    const src = join(import.meta.dirname, "../../src");
    const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && file !== join("core", "suggest.ts"));
    expect(files.length).toBeGreaterThan(200);
    const own = files.filter((file) => /did you mean/i.test(readFileSync(join(src, file), "utf8")));
    // Commander's own words, put into ours.
    expect(own).toEqual([join("commands", "program.ts")]);
  });
});
