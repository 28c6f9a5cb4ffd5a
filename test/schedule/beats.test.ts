/** Beats and ticks: real node-cron on a clock that the test moves. */
import { schedule } from "node-cron";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { beatExpression, beatSeconds, startBeats } from "../../src/schedule/beats.js";
import { tickOf } from "../../src/schedule/due.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { World } from "./support.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Both clock changes of 2026. Lord Howe's clocks move by half an hour. */
const CHANGES = [
  ["America/New_York", "2026-03-08T07:00:00Z"],
  ["America/New_York", "2026-11-01T06:00:00Z"],
  ["Europe/Berlin", "2026-03-29T01:00:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:30:00Z"],
] as const;

const zone = process.env["TZ"];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

describe("beats", () => {
  it.each([
    [1, 1, "*/1 * * * * *"],
    [30, 30, "*/30 * * * * *"],
    [60, 60, "*/1 * * * *"],
    [90, 30, "*/30 * * * * *"],
    [300, 300, "*/5 * * * *"],
    [420, 60, "*/1 * * * *"],
    [5_400, 1_800, "*/30 * * * *"],
    [3_600, 3_600, "0 * * * *"],
    [86_400, 3_600, "0 * * * *"],
  ])("of an interval of %i seconds come every %i", (interval, seconds, expression) => {
    expect([beatSeconds(interval), beatExpression(seconds)]).toEqual([seconds, expression]);
  });

  it.each(CHANGES)("in %s, where clocks change at %s, skip and double no tick, and no segment's `every`", async (name, change) => {
    process.env["TZ"] = name;
    const from = tickOf(Date.parse(change) - 3 * HOUR, 1800);
    const to = from + 6 * HOUR;
    expect(new Date(from).getTimezoneOffset(), "the zone is in force").not.toBe(new Date(to).getTimezoneOffset());
    vi.setSystemTime(from);
    const world = new World({ often: null, hourly: 3600, odd: 420 });
    const scheduler = new Scheduler(world, 300, from);
    const beats: number[] = [];
    const running = startBeats(
      300,
      (at) => {
        beats.push(at);
        void scheduler.beat(at);
      },
      vi.fn(),
    );
    await vi.advanceTimersByTimeAsync(to - from);
    running.stop();
    await scheduler.stop();
    expect(beats).toEqual(Array.from({ length: 72 }, (_, i) => from + (i + 1) * 5 * MINUTE));
    expect(world.runs.map(({ at }) => at)).toEqual(beats);
    expect(world.timesOf("hourly")).toEqual(Array.from({ length: 6 }, (_, i) => from + 5 * MINUTE + i * HOUR));
    expect(world.timesOf("odd")).toEqual(Array.from({ length: 36 }, (_, i) => from + 5 * MINUTE + i * 10 * MINUTE));
  });

  it("would skip or double some if cron counted in local time", async () => {
    vi.setSystemTime(Date.parse("2026-11-01T03:00:00Z"));
    process.env["TZ"] = "UTC";
    let runs = 0;
    const task = schedule("*/5 * * * *", () => void (runs += 1), { timezone: "America/New_York" });
    await vi.advanceTimersByTimeAsync(6 * HOUR);
    await task.destroy();
    expect(runs).not.toBe(72);
  });

  it("hold every tick of an interval that cron can't say", async () => {
    const from = Date.parse("2026-03-02T00:00:00Z");
    vi.setSystemTime(from);
    const world = new World({ often: null });
    world.intervalSeconds = 420;
    const scheduler = new Scheduler(world, 420, from);
    const running = startBeats(420, (at) => void scheduler.beat(at), vi.fn());
    await vi.advanceTimersByTimeAsync(3 * HOUR);
    running.stop();
    await scheduler.stop();
    // The first minute of that day is a multiple of seven minutes since 1970.
    expect(world.runs.map(({ at }) => at)).toEqual(Array.from({ length: 26 }, (_, i) => from + MINUTE + i * 7 * MINUTE));
  });

  it("are one for all that were slept through, and go on", async () => {
    const from = Date.parse("2026-03-02T00:01:00Z");
    vi.setSystemTime(from);
    const beats: number[] = [];
    const setBack = vi.fn();
    const running = startBeats(300, (at) => beats.push(at), setBack);
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    // A clock that goes on while nothing else does: suspended for three days.
    vi.setSystemTime(Date.now() + 72 * HOUR);
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    running.stop();
    const woken = Date.parse("2026-03-05T00:05:00Z");
    expect(beats).toEqual([from + 4 * MINUTE, woken, woken + 5 * MINUTE, woken + 10 * MINUTE]);
    expect(setBack).not.toHaveBeenCalled();
  });

  it("go on at once by a clock that was set back, and say so", async () => {
    const from = Date.parse("2026-03-02T06:00:00Z");
    vi.setSystemTime(from);
    const beats: number[] = [];
    const setBack = vi.fn();
    const running = startBeats(300, (at) => beats.push(at), setBack);
    await vi.advanceTimersByTimeAsync(6 * MINUTE);
    vi.setSystemTime(Date.now() - HOUR);
    await vi.advanceTimersByTimeAsync(6 * MINUTE);
    running.stop();
    expect(setBack).toHaveBeenCalledTimes(1);
    expect(beats).toEqual([from + 5 * MINUTE, from - 50 * MINUTE]);
  });
});
