import { describe, expect, it } from "vitest";
import { SMALL_STEPS } from "../../../src/core/marks.js";
import { deliverClaims, type DeliveryOptions } from "../../../src/delivery/deliver.js";
import { FAILURES_AFTER_GOOD, FAILURES_BEFORE_GOOD, FIRST_WINDOW, REST_MS, Throttle } from "../../../src/delivery/lanes/throttle.js";
import type { OutgoingMessage, SendOutcome } from "../../../src/delivery/types.js";
import { createRandom } from "../../support/random.js";
import { FakeClock, ScriptedProvider, accept, batchesOf, claim, lane, told, world } from "../fixtures.js";

const options: DeliveryOptions = { sendUntil: () => Infinity, flushAfterMs: 100, marks: SMALL_STEPS };
const unavailable: SendOutcome = { kind: "try_again", afterMs: null, reason: "HTTP 503" };
const hung: SendOutcome = { kind: "in_doubt", reason: "no answer within 30 seconds" };
const patience: SendOutcome = { kind: "try_again", afterMs: 1000, reason: "HTTP 429" };

/** A throttle that has had so many good answers, one after another, its window full each time. */
function proven(goods: number, widest = 256): Throttle {
  const throttle = new Throttle(widest, 0);
  for (let i = 0; i < goods; i += 1) throttle.good(throttle.begin(), true);
  return throttle;
}

describe("the window", () => {
  it("reaches 256 in six windows of good answers", () => {
    const throttle = new Throttle(256, 0);
    const windows = [throttle.window];
    for (let round = 0; round < 6; round += 1) {
      const under = Array.from({ length: throttle.window }, () => throttle.begin());
      for (const request of under) throttle.good(request, true);
      windows.push(throttle.window);
    }
    expect(windows).toEqual([FIRST_WINDOW, 8, 16, 32, 64, 128, 256]);
    throttle.good(throttle.begin(), true);
    expect(throttle.window).toBe(256);
  });

  it("never begins wider than the lane, and stays as it is while it is not full", () => {
    expect(new Throttle(2, 0).window).toBe(2);
    const throttle = proven(0);
    for (let i = 0; i < 50; i += 1) throttle.good(throttle.begin(), false);
    expect(throttle.window).toBe(FIRST_WINDOW);
  });

  it("is shut by half a window of failures, and stays open where three in ten fail", () => {
    const throttle = proven(60);
    expect(throttle.window).toBe(64);
    for (let i = 0; i < 9; i += 1) throttle.failure(throttle.begin(), true);
    expect(throttle.window).toBe(46);
    for (let i = 0; i < 23; i += 1) throttle.failure(throttle.begin(), true);
    expect(throttle.window).toBe(1);
    const mixed = proven(0);
    for (let i = 0; i < 3000; i += 1) {
      if (i % 10 < 3) mixed.failure(mixed.begin(), false);
      else mixed.good(mixed.begin(), true);
    }
    expect(mixed.window).toBeGreaterThan(250);
  });

  it("shrinks to what the provider took where it asks for patience", () => {
    const throttle = proven(252);
    for (let i = 0; i < 246; i += 1) throttle.patience();
    expect(throttle.window).toBe(10);
  });
});

describe("the breaker", () => {
  const fail = (throttle: Throttle, times: number): string[] => Array.from({ length: times }, () => throttle.failure(throttle.begin(), false));

  it("rests after five failures from the start and ten later on; then one request decides", () => {
    for (const [throttle, most] of [
      [proven(0), FAILURES_BEFORE_GOOD],
      [proven(1), FAILURES_AFTER_GOOD],
    ] as const) {
      expect(fail(throttle, most)).toEqual([...Array.from({ length: most - 1 }, () => "none"), "rest"]);
      expect(throttle.window).toBe(1);
      expect(fail(throttle, 1)).toEqual(["stop"]);
    }
    const back = proven(0);
    fail(back, FAILURES_BEFORE_GOOD);
    back.good(back.begin(), true);
    expect(fail(back, FAILURES_AFTER_GOOD)).toEqual([...Array.from({ length: FAILURES_AFTER_GOOD - 1 }, () => "none"), "rest"]);
  });

  it("what was under way as the lane went to rest does not decide", () => {
    const throttle = proven(20);
    const under = Array.from({ length: 24 }, () => throttle.begin());
    expect(under.map((request) => throttle.failure(request, false)).filter((consequence) => consequence !== "none")).toEqual(["rest"]);
    expect(throttle.failure(throttle.begin(), false)).toBe("stop");
  });

  it("a good answer to a later request makes earlier failures chance, whenever these come to light", () => {
    const throttle = proven(1);
    const hanging = Array.from({ length: 100 }, () => throttle.begin());
    throttle.good(throttle.begin(), true);
    expect(hanging.map((request) => throttle.failure(request, false))).not.toContain("rest");
    expect(throttle.failures).toBe(0);
  });

  it("a good answer to an earlier request does not", () => {
    const throttle = proven(1);
    const slow = throttle.begin();
    fail(throttle, FAILURES_AFTER_GOOD - 1);
    throttle.good(slow, true);
    expect(fail(throttle, 1)).toEqual(["rest"]);
  });

  it("one message's repeated failures count once", () => {
    const throttle = proven(1);
    throttle.failure(throttle.begin(), false);
    for (let i = 0; i < 100; i += 1) expect(throttle.failure(throttle.begin(), true)).toBe("none");
    expect(throttle.failures).toBe(1);
  });
});

describe("the count of earlier runs", () => {
  it("goes on with the first failure of this run", () => {
    const throttle = new Throttle(256, FAILURES_BEFORE_GOOD - 1);
    expect(throttle.window).toBe(FIRST_WINDOW);
    expect(throttle.failure(throttle.begin(), false)).toBe("rest");
    expect(throttle.undecided).toBe(true);
    expect(throttle.failure(throttle.begin(), false)).toBe("stop");
  });

  it("lets this run's first request decide where there were enough", () => {
    const bad = new Throttle(256, FAILURES_BEFORE_GOOD);
    expect(bad.window).toBe(1);
    expect(bad.undecided).toBe(false);
    expect(bad.failure(bad.begin(), false)).toBe("stop");
    const good = new Throttle(256, 20);
    good.good(good.begin(), true);
    expect(good.window).toBe(2);
    expect(good.failures).toBe(0);
    // As after any good answer: ten in a row.
    for (let i = 1; i < FAILURES_AFTER_GOOD; i += 1) expect(good.failure(good.begin(), false)).toBe("none");
    expect(good.failure(good.begin(), false)).toBe("rest");
  });

  it.each([
    [0, 4, false],
    [0, 5, true],
    [1, 3, false],
    [1, 4, true],
    [4, 1, true],
    [20, 1, true],
  ])("%i before, and %i in doubt of a run of as many: stopped is %s", async (failures, count, stopped) => {
    const { io, events } = world(lane(new ScriptedProvider(() => hung), { earlier: { failures, rejections: new Map() } }));
    const result = await deliverClaims(batchesOf(count, 10), io, options);
    expect(result.ok).toBe(!stopped);
    expect(result.stoppedChannels.has("email")).toBe(stopped);
    expect(Object.values(told(events()))).toEqual(Array.from({ length: count }, () => ["in_doubt"]));
  });

  it("asks for patience without being taken for an outage", async () => {
    const { io } = world(
      lane(new ScriptedProvider((_, attempt) => (attempt < 3 ? patience : accept(_))), { earlier: { failures: 20, rejections: new Map() } }),
    );
    expect(await deliverClaims(batchesOf(2, 10), io, options)).toMatchObject({ ok: true, counts: { accepted: 2 } });
  });
});

describe("a delivery", () => {
  it.each<[string, SendOutcome, number]>([
    ["no answer", hung, FAILURES_BEFORE_GOOD + 1],
    ["a gateway that lost its upstream", { kind: "in_doubt", reason: "HTTP 502" }, FAILURES_BEFORE_GOOD + 1],
    ["errors", unavailable, 0],
  ])("stops a lane that gives nothing but %s, with a handful in doubt", async (_, outcome, inDoubt) => {
    const provider = new ScriptedProvider(() => outcome);
    const { io, events, clock } = world(lane(provider, { inFlight: 256 }));
    const result = await deliverClaims(batchesOf(1000, 100), io, options);
    expect(result).toMatchObject({ ok: false, settled: 1000, counts: { accepted: 0, inDoubt, released: { provider_unavailable: 1000 - inDoubt } } });
    expect(provider.sent.length).toBeLessThanOrEqual(12);
    expect(clock.slept).toContain(REST_MS);
    const { reason, ...stopped } = result.stoppedChannels.get("email") ?? { reason: "" };
    expect(stopped).toEqual({ kind: "unavailable", pauseMs: 900_000, accepted: 0, inDoubt, released: 1000 - inDoubt });
    expect(reason).toBe(`${"reason" in outcome ? outcome.reason : ""} (5 messages in a row failed, and another request 5 seconds later)`);
    expect(Object.values(told(events())).every((outcomes) => outcomes.length === 1)).toBe(true);
  });

  it("lets a provider that falls silent in mid-run keep no more than was under way", async () => {
    const { io } = world(lane(new ScriptedProvider((outgoing) => (Number(outgoing.messageId.slice(1)) <= 400 ? accept(outgoing) : hung)), { inFlight: 64 }));
    const result = await deliverClaims(batchesOf(1000, 200), io, options);
    expect(result.counts.accepted).toBe(400);
    expect(result.counts.inDoubt).toBeLessThanOrEqual(64 + 1);
    expect(result.ok).toBe(false);
  });

  it("goes on where the provider is back after the rest", async () => {
    const clock = new FakeClock();
    const from = clock.time;
    const { io } = world(lane(new ScriptedProvider((outgoing) => (clock.time - from < REST_MS ? unavailable : accept(outgoing))), { inFlight: 64 }), clock);
    const result = await deliverClaims(batchesOf(300, 100), io, options);
    expect(result).toMatchObject({ ok: true, counts: { accepted: 300 } });
    expect(clock.time - from).toBeLessThan(2 * REST_MS);
  });

  it("three in ten failing by chance stop nothing", async () => {
    const random = createRandom(42);
    const { io } = world(
      lane(
        new ScriptedProvider((outgoing) => {
          const drawn = random.next();
          return drawn < 0.15 ? hung : drawn < 0.3 ? unavailable : accept(outgoing);
        }),
        { inFlight: 64 },
      ),
    );
    const result = await deliverClaims(batchesOf(3000, 500), io, options);
    expect(result.ok).toBe(true);
    expect(result.counts.accepted).toBeGreaterThan(2400);
    expect(result.settled).toBe(3000);
  });

  it("addresses that always fail settle alone, even where nothing else is left to send", async () => {
    const bad = (outgoing: OutgoingMessage): boolean => Number(outgoing.messageId.slice(1)) % 20 === 0;
    const { io, events } = world(lane(new ScriptedProvider((outgoing) => (bad(outgoing) ? unavailable : accept(outgoing))), { inFlight: 8 }));
    const result = await deliverClaims(batchesOf(400, 400), io, options);
    expect(result).toMatchObject({ ok: true, counts: { accepted: 380, released: { provider_unavailable: 20 } } });
    expect(told(events())["m20"]).toEqual(["released provider_unavailable"]);
  });

  it("messages refused before they are posted say nothing of the provider", async () => {
    const { io } = world(
      lane(
        new ScriptedProvider((outgoing) =>
          Number(outgoing.messageId.slice(1)) % 2 === 0 ? { kind: "rejected", reason: "the subject is empty", unposted: true } : hung,
        ),
      ),
    );
    const result = await deliverClaims(batchesOf(200, 50), io, options);
    expect(result.counts.inDoubt).toBe(FAILURES_BEFORE_GOOD + 1);
    expect(result.posts).toBe(FAILURES_BEFORE_GOOD + 1);
    expect(result.stoppedChannels.get("email")?.kind).toBe("unavailable");
  });

  it("429s are waited for, not counted: a provider that takes ten a second gets all", async () => {
    const clock = new FakeClock();
    const taken = new Map<number, number>();
    const provider = new ScriptedProvider((outgoing) => {
      const second = Math.floor(clock.time / 1000);
      const before = taken.get(second) ?? 0;
      if (before >= 10) return { ...patience, afterMs: 1000 - (clock.time % 1000) };
      taken.set(second, before + 1);
      return accept(outgoing);
    });
    const { io } = world(lane(provider, { inFlight: 256 }), clock);
    const result = await deliverClaims(batchesOf(300, 300), io, options);
    expect(result).toMatchObject({ ok: true, counts: { accepted: 300 } });
    expect(provider.sent.length).toBeLessThanOrEqual(2 * 300 + 256);
  });

  it("a provider that only ever asks for patience stops the lane when a message has used up its attempts", async () => {
    const provider = new ScriptedProvider(() => patience);
    const { io } = world(lane(provider, { inFlight: 256 }));
    const result = await deliverClaims(batchesOf(1000, 100), io, options);
    expect(result).toMatchObject({ ok: false, counts: { released: { provider_unavailable: 1000 } } });
    expect(provider.sent.length).toBeLessThanOrEqual(5 * FIRST_WINDOW);
    expect(result.stoppedChannels.get("email")?.reason).toBe("nothing came through while a message was asked to wait 5 times: HTTP 429");
  });

  it("channels that share a lane are all stopped with it, and named", async () => {
    const shared = lane(new ScriptedProvider(() => unavailable), { name: "outbox" });
    const { io } = world(shared);
    const claims = Array.from({ length: 20 }, (_, at) => claim(at + 1, { channel: at < 10 ? "email" : "push" }));
    const result = await deliverClaims(
      (async function* () {
        yield claims;
        await Promise.resolve();
      })(),
      io,
      options,
    );
    expect([...result.stoppedChannels.keys()].sort()).toEqual(["email", "push"]);
    expect(result.counts.released).toEqual({ provider_unavailable: 20 });
  });
});
