/** How many messages are marked `sending` and unanswered: what a crash leaves in doubt. */
import { describe, expect, it } from "vitest";
import { deliverClaims, type DeliveryOptions } from "../../../src/delivery/deliver.js";
import { BATCHES, SMALL_STEPS } from "../../../src/core/marks.js";
import type { DeliveryEvent, Lane, PauseState, SendOutcome } from "../../../src/delivery/types.js";
import { FakeClock, NOTHING_PAUSED, ScriptedProvider, accept, batchesOf, claim, lane, standStill, told, world, type TestClaim } from "../fixtures.js";

const options: DeliveryOptions = { sendUntil: () => Infinity, flushAfterMs: 100, marks: SMALL_STEPS };
const BOUND = SMALL_STEPS.unanswered;

/** Lets everything happen that needs no time. */
async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise(setImmediate);
}

/** A provider and a ledger that answer when the test says so, and what the ledger would leave in doubt meanwhile. */
class Stage {
  readonly clock = new FakeClock();
  readonly marks: number[] = [];
  /** Marked in the ledger, without an outcome there. */
  readonly open = new Set<string>();
  mostOpen = 0;
  mostUnderWay = 0;
  answers: (() => void)[] = [];
  readonly provider = new ScriptedProvider((outgoing) => {
    const answered = new Promise<SendOutcome>((resolve) => this.answers.push(() => resolve(accept(outgoing))));
    this.mostUnderWay = Math.max(this.mostUnderWay, this.answers.length);
    return answered;
  });
  /** Appends that wait for the test. */
  commits: (() => void)[] = [];
  readonly #events: DeliveryEvent<TestClaim>[] = [];

  constructor(readonly held = false) {}

  readonly append = async (events: readonly DeliveryEvent<TestClaim>[]): Promise<PauseState> => {
    if (this.held) await new Promise<void>((resolve) => this.commits.push(resolve));
    this.#events.push(...events);
    const sending = events.filter(({ event }) => event === "sending");
    if (sending.length > 0) this.marks.push(sending.length);
    for (const { event, claim: of } of events) {
      if (event === "sending") this.open.add(of.messageId);
      else this.open.delete(of.messageId);
    }
    this.mostOpen = Math.max(this.mostOpen, this.open.size);
    return NOTHING_PAUSED;
  };

  get outcomes(): Record<string, string[]> {
    return told(this.#events);
  }

  deliver(count: number, on: Partial<Lane> = {}, more: Partial<DeliveryOptions> = {}): ReturnType<typeof deliverClaims> {
    const { io } = world(lane(this.provider, { inFlight: 256, ...on }), this.clock, { append: this.append });
    return deliverClaims(batchesOf(count, 2_500), io, { ...options, ...more });
  }

  /** Everything that is under way is answered, so many ms later, one after another. */
  async roundTrip(ms: number): Promise<void> {
    this.clock.time += ms;
    for (const answer of this.answers.splice(0)) {
      answer();
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
    }
    await turns();
  }
}

describe("marked and unanswered", () => {
  it("are as many as may be under way where the provider never answers", async () => {
    const stage = new Stage();
    const abandon = new AbortController();
    const running = stage.deliver(3_000, {}, { stop: abandon.signal });
    await turns(400);
    expect([...stage.open]).toEqual(["m1", "m2", "m3", "m4"]);
    stage.clock.time += 60_000;
    await turns();
    expect(stage.open.size).toBe(4);
    abandon.abort();
    while (stage.answers.length > 0) await stage.roundTrip(0);
    expect((await running).counts).toMatchObject({ accepted: 4, released: { stopped: 2_996 } });
    // Whatever was not marked is released without a mark.
    expect(stage.marks).toEqual([4]);
  });

  it("grow as the lane opens: a few within the first round trips", async () => {
    const stage = new Stage();
    const running = stage.deliver(3_000);
    const open: number[] = [];
    await turns(400);
    for (let i = 0; i < 7; i += 1) {
      open.push(stage.open.size);
      await stage.roundTrip(120);
    }
    expect(open[0]).toBe(4);
    // A window that doubles, and as much again that waits for it.
    for (const [i, size] of open.entries()) expect(size).toBeLessThanOrEqual(4 * 2 ** i * 2);
    while (stage.answers.length > 0) await stage.roundTrip(120);
    expect((await running).counts.accepted).toBe(3_000);
  });

  it.each([
    { inFlight: 256, tripMs: 80, least: 256 },
    { inFlight: 256, tripMs: 5, least: 256 },
    { inFlight: 2_000, tripMs: 80, least: 500 },
  ])("are never more than 600: $inFlight in flight, answers after $tripMs ms", async ({ inFlight, tripMs, least }) => {
    const stage = new Stage();
    const running = stage.deliver(6_000, { inFlight });
    await turns(400);
    while (stage.answers.length > 0) {
      await stage.roundTrip(tripMs);
      expect(stage.open.size).toBeLessThanOrEqual(BOUND);
    }
    expect((await running).counts.accepted).toBe(6_000);
    expect(stage.mostOpen).toBeLessThanOrEqual(BOUND);
    expect(stage.mostUnderWay).toBeGreaterThanOrEqual(least);
    expect(Object.values(stage.outcomes).every((each) => each.length === 1)).toBe(true);
  });

  it("are never more than 600 where an append takes three round trips: outcomes that are not written count", async () => {
    const stage = new Stage(true);
    const running = stage.deliver(5_000);
    const over = new AbortController();
    void running.then(() => over.abort());
    await turns(400);
    while (!over.signal.aborted) {
      for (let i = 0; i < 3; i += 1) await stage.roundTrip(80);
      for (const commit of stage.commits.splice(0)) commit();
      await turns();
      expect(stage.open.size).toBeLessThanOrEqual(BOUND);
    }
    expect((await running).counts.accepted).toBe(5_000);
    expect(stage.mostOpen).toBeGreaterThanOrEqual(256);
  });

  it("are a few where the lane's rate is low, though many could be under way", async () => {
    const stage = new Stage();
    const stop = new AbortController();
    const { io } = world(lane(stage.provider, { inFlight: 256, ratePerSecond: 10 }), stage.clock, {
      append: stage.append,
      // The test moves the clock.
      sleep: async (ms) => {
        const until = stage.clock.time + ms;
        while (stage.clock.time < until && !stop.signal.aborted) await new Promise(setImmediate);
      },
    });
    const running = deliverClaims(batchesOf(200, 100), io, { ...options, stop: stop.signal });
    await turns(400);
    for (let i = 0; i < 50; i += 1) await stage.roundTrip(100);
    expect(stage.mostOpen).toBeLessThanOrEqual(4);
    expect(stage.provider.sent.length).toBeGreaterThan(40);
    stop.abort();
    await stage.roundTrip(0);
    await running;
  });

  it("are none for a lane that is held, while another goes on", async () => {
    const stage = new Stage();
    const patient = new ScriptedProvider(() => ({ kind: "try_again", afterMs: 60_000, reason: "HTTP 429" }));
    const lanes = { email: lane(patient, { inFlight: 256 }), push: lane(new ScriptedProvider(accept), { name: "push" }) };
    const stop = new AbortController();
    const { io } = world(lanes.email, stage.clock, {
      append: stage.append,
      lane: ({ channel }) => lanes[channel as keyof typeof lanes],
      sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    });
    const claims = async function* () {
      yield Array.from({ length: 400 }, (_, at) => claim(at + 1, { channel: at % 2 === 0 ? "email" : "push" }));
      await Promise.resolve();
    };
    const running = deliverClaims(claims(), io, { ...options, stop: stop.signal });
    await turns(400);
    expect(stage.open.size).toBeLessThanOrEqual(8);
    expect(Object.values(stage.outcomes).filter(([outcome]) => outcome === "accepted").length).toBeGreaterThan(150);
    stop.abort();
    expect((await running).counts).toMatchObject({ accepted: 200, released: { stopped: 200 } });
  });

  it.each([
    { push: "comes with it", later: 0 },
    { push: "comes when it hangs", later: 6_000 },
  ])("of a lane that hangs leave room for another that $push", async ({ later }) => {
    const stage = new Stage();
    let hanging = false;
    const moody = new ScriptedProvider((outgoing) => (hanging ? new Promise(() => undefined) : accept(outgoing)));
    const lanes = { email: lane(moody, { inFlight: 2_000 }), push: lane(new ScriptedProvider(accept), { name: "push" }) };
    const { io } = world(lanes.email, stage.clock, { append: stage.append, sleep: standStill, lane: ({ channel }) => lanes[channel as keyof typeof lanes] });
    const claims = async function* () {
      for (let from = 1; from < 12_000; from += 2_000) {
        // Its window has opened, and it takes thousands at once.
        if (from > 6_000) hanging = true;
        yield Array.from({ length: 2_000 }, (_, at) => claim(from + at, { channel: from + at > later && at % 2 === 1 ? "push" : "email" }));
        await Promise.resolve();
      }
    };
    void deliverClaims(claims(), io, options);
    await turns(4_000);
    const taken = (lanes.push.provider as ScriptedProvider).sent.length;
    expect(hanging).toBe(true);
    expect(stage.open.size).toBeGreaterThan(BOUND / 3);
    expect(stage.open.size).toBeLessThanOrEqual(BOUND);
    expect(taken).toBe((12_000 - later) / 2);
  });

  it("go with one append for each batch where an append costs", async () => {
    const stage = new Stage();
    const running = stage.deliver(9_000, {}, { marks: BATCHES });
    await turns(900);
    while (stage.answers.length > 0) await stage.roundTrip(80);
    expect((await running).counts.accepted).toBe(9_000);
    expect(stage.marks).toEqual([2_500, 2_500, 2_500, 1_500]);
    expect(stage.mostOpen).toBeLessThanOrEqual(BATCHES.unanswered);
  });
});
