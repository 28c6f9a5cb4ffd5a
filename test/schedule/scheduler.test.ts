import { describe, expect, it } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import type { Segment } from "../../src/project/types.js";
import { dueAt, dueSegments, tickOf } from "../../src/schedule/due.js";
import { Scheduler } from "../../src/schedule/scheduler.js";
import { World } from "./support.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = Date.parse("2026-03-02T12:00:00Z");

class Stage {
  readonly world: World;
  readonly scheduler: Scheduler;

  constructor(segments: Record<string, number | null>, remembered?: Partial<World["remembered"]>) {
    this.world = new World(segments);
    this.world.remembered = { ...this.world.remembered, ...remembered };
    this.scheduler = new Scheduler(this.world, this.world.intervalSeconds, NOON);
  }

  async beats(...at: number[]): Promise<void> {
    for (const each of at) {
      this.world.at = each;
      await this.scheduler.beat(each);
    }
  }

  get ran(): string[] {
    return this.world.runs.map(({ at, segments }) => `${new Date(at).toISOString().slice(11, 16)} ${segments.join(" ")}`);
  }
}

describe("every", () => {
  const segment = (everySeconds: number | null): Segment => ({ id: "s", everySeconds }) as Segment;
  const asked = (at: string): Map<string, number> => new Map([["s", Date.parse(at)]]);

  it.each([
    // Jitter of the run before, or of cron, makes nobody miss a turn.
    [300, "2026-03-02T12:00:20Z", "2026-03-02T12:05:00Z", true],
    [300, "2026-03-02T12:00:20Z", "2026-03-02T12:04:59Z", false],
    [3600, "2026-03-02T11:04:59Z", "2026-03-02T12:00:00Z", true],
    [3600, "2026-03-02T11:05:00Z", "2026-03-02T12:04:59Z", false],
    // What the interval doesn't divide comes at the next tick.
    [420, "2026-03-02T12:00:00Z", "2026-03-02T12:05:00Z", false],
    [420, "2026-03-02T12:00:00Z", "2026-03-02T12:10:00Z", true],
    // A clock that was set back makes nobody due.
    [3600, "2026-03-02T12:00:00Z", "2026-03-02T11:00:00Z", false],
  ])("of %i seconds, asked %s, at %s: %s", (seconds, before, at, due) => {
    expect(dueSegments([segment(seconds)], asked(before), Date.parse(at), 300)).toHaveLength(due ? 1 : 0);
  });

  it("is nothing to wait for where there is none, or nobody was asked yet", () => {
    expect(dueAt(segment(null), asked("2026-03-02T12:00:00Z"), 300)).toBe(-Infinity);
    expect(dueAt(segment(86_400), new Map(), 300)).toBe(-Infinity);
    expect(new Date(dueAt(segment(420), asked("2026-03-02T12:01:00Z"), 300)).toISOString()).toBe("2026-03-02T12:10:00.000Z");
    expect(tickOf(NOON + 299_999, 300)).toBe(NOON);
  });
});

describe("the scheduler", () => {
  it("asks each segment as often as its every says, and touches no warehouse where none is due", async () => {
    const stage = new Stage({ hourly: 3600, tens: 600 });
    await stage.beats(...Array.from({ length: 14 }, (_, i) => NOON + i * 5 * MINUTE));
    expect(stage.ran).toEqual(["12:00 hourly tens", "12:10 tens", "12:20 tens", "12:30 tens", "12:40 tens", "12:50 tens", "13:00 hourly tens"]);
    expect(stage.world.names().filter((name) => name === "nothing_due")).toHaveLength(7);
    expect(stage.world.histories).toBe(1);
    expect(stage.world.slept).toEqual(Array(7).fill(15_000));
  });

  it("goes on where the ledger says that another left off", async () => {
    const stage = new Stage(
      { often: null, hourly: 3600, daily: 86_400, fresh: 86_400 },
      {
        lastAsOf: NOON + 7_000,
        askedAt: new Map([
          ["often", NOON + 7_000],
          ["hourly", NOON - 55 * MINUTE],
          ["daily", NOON - 23 * HOUR],
        ]),
      },
    );
    await stage.beats(NOON + MINUTE, NOON + 5 * MINUTE, NOON + 10 * MINUTE);
    // The tick of noon had its run; what that left is caught up with at the next.
    expect(stage.ran).toEqual(["12:05 often hourly fresh", "12:10 often"]);
  });

  it("catches up at once with ticks that nobody had", async () => {
    const stage = new Stage({ often: null }, { lastAsOf: NOON - 3 * HOUR, askedAt: new Map([["often", NOON - 3 * HOUR]]) });
    await stage.beats(NOON + MINUTE, NOON + 5 * MINUTE);
    expect(stage.ran).toEqual(["12:01 often", "12:05 often"]);
    expect(stage.world.slept).toHaveLength(1);
  });

  it("runs one at a time, and once for all ticks that came meanwhile", async () => {
    const stage = new Stage({ often: null });
    let end = (): void => undefined;
    stage.world.hold = new Promise((resolve) => (end = resolve));
    stage.world.at = NOON;
    const first = stage.scheduler.beat(NOON);
    for (const minutes of [5, 10, 10, 15]) await stage.scheduler.beat(NOON + minutes * MINUTE);
    expect(stage.ran).toEqual(["12:00 often"]);
    stage.world.at = NOON + 16 * MINUTE;
    stage.world.hold = null;
    end();
    await first;
    expect(stage.ran).toEqual(["12:00 often", "12:16 often"]);
    // The second one has waited long enough.
    expect(stage.world.slept).toEqual([15_000]);
    expect(stage.world.names().filter((name) => name === "merged")).toHaveLength(3);
    await stage.beats(NOON + 20 * MINUTE);
    expect(stage.ran).toHaveLength(3);
  });

  it.each([
    ["its query failed", { returned: null, reasons: {} }],
    ["an audience failed", { returned: 5, reasons: { audience_failed: 5 } }],
    ["the run was full", { returned: 5, reasons: { claimed: 2, run_limit: 3 } }],
  ])("asks a segment again at the next tick where %s", async (_why, outcome) => {
    const stage = new Stage({ daily: 86_400, other: 86_400 });
    stage.world.outcome = (segment) => (segment === "daily" ? outcome : { returned: 0, reasons: {} });
    await stage.beats(NOON);
    stage.world.outcome = () => ({ returned: 1, reasons: { quiet_hours: 1 } });
    await stage.beats(NOON + 5 * MINUTE, NOON + 10 * MINUTE);
    expect(stage.ran).toEqual(["12:00 daily other", "12:05 daily"]);
  });

  it("asks all of a run again that released claims or broke off", async () => {
    const stage = new Stage({ daily: 86_400, weekly: 604_800 });
    stage.world.released = 1;
    await stage.beats(NOON);
    stage.world.released = 0;
    stage.world.failure = new OpportuneError({ code: "warehouse/unreachable", message: "gone" });
    await stage.beats(NOON + 5 * MINUTE);
    expect(stage.scheduler.notReady).toMatchObject([{ code: "warehouse/unreachable" }]);
    stage.world.failure = null;
    await stage.beats(NOON + 10 * MINUTE, NOON + 15 * MINUTE);
    expect(stage.ran).toEqual(["12:00 daily weekly", "12:05 daily weekly", "12:10 daily weekly"]);
    expect(stage.scheduler.notReady).toBeNull();
  });

  it("waits for a warehouse that is not there at first", async () => {
    const stage = new Stage({ often: null });
    expect(stage.scheduler.notReady).toMatchObject([{ code: "start/starting" }]);
    stage.world.failure = new OpportuneError({ code: "warehouse/unreachable", message: "gone" });
    await stage.beats(NOON, NOON + 5 * MINUTE);
    expect(stage.world.names()).toEqual(["run_failed", "run_failed"]);
    stage.world.failure = null;
    await stage.beats(NOON + 10 * MINUTE);
    expect(stage.ran).toEqual(["12:10 often"]);
  });

  it("is ready although another run holds the ledger", async () => {
    const stage = new Stage({ often: null });
    await stage.beats(NOON);
    stage.world.failure = new OpportuneError({ code: "ledger/lease", message: "held" });
    await stage.beats(NOON + 5 * MINUTE);
    expect(stage.world.names().at(-1)).toBe("run_failed");
    expect(stage.scheduler.notReady).toBeNull();
  });

  it("reads the project anew at each tick, and waits while it is not valid", async () => {
    const stage = new Stage({ daily: 86_400 });
    await stage.beats(NOON);
    const valid = stage.world.load;
    stage.world.load = () => {
      throw new OpportuneError({ code: "config/value", message: "no interval" });
    };
    await stage.beats(NOON + 5 * MINUTE);
    expect(stage.scheduler.notReady).toMatchObject([{ code: "config/value" }]);
    stage.world.load = valid;
    stage.world.segments = { daily: 86_400, added: 86_400 };
    stage.world.intervalSeconds = 60;
    await stage.beats(NOON + 6 * MINUTE, NOON + 7 * MINUTE);
    expect(stage.ran).toEqual(["12:00 daily", "12:06 added"]);
    expect(stage.world.intervals).toEqual([60]);
    expect(stage.world.names()).toEqual(["remembered", "run_started", "run_ended", "project_invalid", "run_started", "run_ended", "nothing_due"]);
  });

  it("runs nothing while the clock stands before the last run, says so once, and goes on after", async () => {
    const stage = new Stage({ often: null });
    await stage.beats(NOON);
    stage.world.remembered = { ...stage.world.remembered, lastAsOf: NOON };
    await stage.beats(NOON - HOUR, NOON - HOUR + 5 * MINUTE);
    stage.scheduler.clockSetBack(NOON - HOUR + 6 * MINUTE);
    await stage.beats(NOON - 5 * MINUTE, NOON, NOON + 5 * MINUTE);
    expect(stage.ran).toEqual(["12:00 often", "12:05 often"]);
    expect(stage.world.events.filter(({ event }) => event === "clock_back")).toEqual([{ event: "clock_back", at: NOON - HOUR, until: NOON }]);
    await stage.beats(NOON - HOUR);
    expect(stage.world.names().filter((name) => name === "clock_back")).toHaveLength(2);
  });

  it("goes on by the ledger once the run by a clock that was ahead is taken back", async () => {
    const stage = new Stage({ hourly: 3600 });
    await stage.beats(NOON + HOUR);
    stage.world.remembered = { ...stage.world.remembered, lastAsOf: NOON + HOUR, askedAt: new Map([["hourly", NOON + HOUR]]) };
    await stage.beats(NOON, NOON + 5 * MINUTE);
    expect(stage.ran).toEqual(["13:00 hourly"]);
    stage.world.remembered = { lastAsOf: null, askedAt: new Map(), lastSuccess: null, lastDecided: null };
    await stage.beats(NOON + 10 * MINUTE, NOON + 15 * MINUTE);
    expect(stage.ran).toEqual(["13:00 hourly", "12:10 hourly"]);
  });

  it("lets the run under way end when it is stopped, and begins no other", async () => {
    const stage = new Stage({ often: null });
    let end = (): void => undefined;
    stage.world.hold = new Promise((resolve) => (end = resolve));
    stage.world.at = NOON;
    void stage.scheduler.beat(NOON);
    await new Promise(setImmediate);
    expect(stage.ran).toHaveLength(1);
    await stage.scheduler.beat(NOON + 5 * MINUTE);
    let stopped = false;
    const stopping = stage.scheduler.stop().then(() => (stopped = true));
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    end();
    await stopping;
    await stage.scheduler.beat(NOON + 10 * MINUTE);
    expect(stage.world.runs).toHaveLength(1);
  });

  it("is healthy as long as beats come", async () => {
    const stage = new Stage({ often: null });
    expect(stage.scheduler.healthy(NOON + 6 * MINUTE)).toBe(true);
    expect(stage.scheduler.healthy(NOON + 6 * MINUTE + 1)).toBe(false);
    await stage.beats(NOON + 5 * MINUTE);
    expect(stage.scheduler.healthy(NOON + 11 * MINUTE)).toBe(true);
    expect(stage.scheduler.healthy(NOON - HOUR)).toBe(true);
  });
});
