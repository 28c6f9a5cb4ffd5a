import { afterEach, describe, expect, it } from "vitest";
import { UncertainAppendError } from "../../src/core/errors.js";
import { SMALL_STEPS } from "../../src/core/marks.js";
import { deliverClaims, type DeliveryOptions } from "../../src/delivery/deliver.js";
import { createSendGridProvider } from "../../src/delivery/providers/sendgrid/provider.js";
import type { DeliveryEvent, SendOutcome } from "../../src/delivery/types.js";
import { startSandbox, type Sandbox } from "../../src/server/sandbox/sandbox.js";
import { sendGridBodyCheck } from "../support/sendgrid-schema.js";
import {
  FakeClock,
  KEY,
  NOON,
  NOTHING_PAUSED,
  ScriptedProvider,
  accept,
  batchesOf,
  claim,
  lane,
  message,
  paused,
  standStill,
  told,
  world,
  type TestClaim,
} from "./fixtures.js";

const options: DeliveryOptions = { sendUntil: () => Infinity, flushAfterMs: 100, marks: SMALL_STEPS };
const unavailable: SendOutcome = { kind: "try_again", afterMs: null, reason: "HTTP 503" };

describe("order of writes", () => {
  it("commits `sending` before the first post of a batch and each outcome after its post", async () => {
    const log: string[] = [];
    const provider = new ScriptedProvider((outgoing) => {
      log.push(`post ${outgoing.messageId}`);
      return accept(outgoing);
    });
    const { io } = world(lane(provider), new FakeClock(), {
      sleep: standStill,
      append: async (events) => {
        await new Promise(setImmediate);
        for (const { event, claim: of } of events) log.push(`${event} ${of.messageId}`);
        return NOTHING_PAUSED;
      },
    });
    const result = await deliverClaims(batchesOf(23, 5), io, options);
    expect(result).toMatchObject({ ok: true, claims: 23, settled: 23, posts: 23, counts: { accepted: 23 } });
    // The clock stands still, a minute after they fell due.
    expect(result.lag).toMatchObject({ count: 23, max: 60_000, p50: 60_000 });
    expect([...result.channels]).toEqual([["email", { accepted: 23, failed: 0, inDoubt: 0, released: 0, untaken: 0 }]]);
    expect(log).toHaveLength(3 * 23);
    for (let number = 1; number <= 23; number += 1) {
      const at = ["sending", "post", "accepted"].map((step) => log.indexOf(`${step} m${number}`));
      expect(at).toEqual([...at].sort((one, other) => one - other));
      expect(at[0]).toBeGreaterThanOrEqual(0);
      expect(log.filter((line) => line.endsWith(` m${number}`))).toHaveLength(3);
    }
  });

  it("lets one append carry outcomes and the next marks, and never has two appends at once", async () => {
    let atOnce = 0;
    let most = 0;
    const recorded: DeliveryEvent<TestClaim>[][] = [];
    const { io } = world(lane(new ScriptedProvider(accept)), new FakeClock(), {
      sleep: standStill,
      append: async (events) => {
        recorded.push([...events]);
        most = Math.max(most, (atOnce += 1));
        await new Promise(setImmediate);
        atOnce -= 1;
        return NOTHING_PAUSED;
      },
    });
    await deliverClaims(batchesOf(50, 5), io, options);
    expect(most).toBe(1);
    const mixed = recorded.filter((events) => events.some(({ event }) => event === "sending") && events.some(({ event }) => event === "accepted"));
    // All but the first, which has no outcome yet, and the last, which marks nothing.
    expect(recorded.length).toBeGreaterThan(3);
    expect(mixed).toEqual(recorded.slice(1, -1));
  });

  it("keeps the provider busy while the next marks are appended", async () => {
    const pending: (() => void)[] = [];
    const provider = new ScriptedProvider((outgoing) => new Promise((resolve) => pending.push(() => resolve(accept(outgoing)))));
    const { io, appends } = world(lane(provider, { inFlight: 2 }));
    let appended: () => void = () => undefined;
    const append = io.append;
    const delivery = { ...io, append: (events: Parameters<typeof append>[0]) => append(events).finally(() => appended()) };
    const first = new Promise<void>((resolve) => (appended = resolve));
    const running = deliverClaims(batchesOf(4, 2), delivery, options);
    await first;
    while (pending.length < 2) await new Promise(setImmediate);
    const second = new Promise<void>((resolve) => (appended = resolve));
    pending.shift()?.();
    // Marks for what is to follow are written although the other message has no answer.
    await second;
    expect(provider.sent.map(({ messageId }) => messageId)).toEqual(["m1", "m2"]);
    expect(appends.map((events) => events.map(({ event, claim: of }) => `${event} ${of.messageId}`))).toEqual([
      ["sending m1", "sending m2"],
      ["accepted m1", "sending m3", "sending m4"],
    ]);
    while (appends.flat().length < 6) {
      pending.shift()?.();
      await new Promise(setImmediate);
    }
    while (pending.length > 0) pending.shift()?.();
    expect((await running).counts.accepted).toBe(4);
  });

  it("does not wait for one slow message before it goes on", async () => {
    let release: () => void = () => undefined;
    const provider = new ScriptedProvider((outgoing) =>
      outgoing.messageId === "m1" ? new Promise((resolve) => (release = () => resolve(accept(outgoing)))) : accept(outgoing),
    );
    const { io, events } = world(lane(provider));
    const running = deliverClaims(batchesOf(30, 5), io, options);
    while (provider.sent.length < 30) await new Promise(setImmediate);
    expect(told(events())).not.toHaveProperty("m1");
    release();
    expect((await running).counts.accepted).toBe(30);
  });

  it("writes what is known before a long wait", async () => {
    const provider = new ScriptedProvider((outgoing, attempt) =>
      outgoing.messageId === "m2" && attempt === 1 ? { kind: "try_again", afterMs: 60_000, reason: "HTTP 429" } : accept(outgoing),
    );
    const known: number[] = [];
    const clock = new FakeClock();
    const { io, events } = world(lane(provider, { inFlight: 1 }), clock);
    const sleep = clock.sleep;
    await deliverClaims(
      batchesOf(2, 2),
      {
        ...io,
        sleep: async (ms) => {
          await new Promise(setImmediate);
          known.push(events().filter(({ event }) => event === "accepted").length);
          await sleep(ms);
        },
      },
      options,
    );
    expect(known).toEqual([1]);
  });

  it("writes an answer 100 ms later although nothing moves, as another message hangs", async () => {
    let answer: () => void = () => undefined;
    const provider = new ScriptedProvider((outgoing) =>
      outgoing.messageId === "m1" ? new Promise((resolve) => (answer = () => resolve(accept(outgoing)))) : accept(outgoing),
    );
    const { io, clock, events } = world(lane(provider, { inFlight: 3 }));
    const running = deliverClaims(batchesOf(3, 3), io, options);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(told(events())).toEqual({ m2: ["accepted"], m3: ["accepted"] });
    expect(clock.time).toBe(NOON + options.flushAfterMs);
    answer();
    expect((await running).counts.accepted).toBe(3);
  });

  it("never offers outcomes again whose append may stand", async () => {
    const { io, events, appends } = world(lane(new ScriptedProvider(accept)));
    const { append } = io;
    const uncertain: typeof append = async (given) => {
      await append(given);
      if (appends.length === 2) throw new UncertainAppendError(new Error("the connection was lost"));
      return NOTHING_PAUSED;
    };
    await expect(deliverClaims(batchesOf(12, 4), { ...io, append: uncertain }, options)).rejects.toThrow("the connection was lost");
    expect(Object.keys(told(events())).length).toBeGreaterThanOrEqual(4);
    expect(Object.values(told(events())).every((each) => each.length === 1)).toBe(true);
  });

  it("gives the error of an append, posts nothing of what it was to mark, and offers the known outcomes once more", async () => {
    const recorded: DeliveryEvent<TestClaim>[][] = [];
    let failures = 0;
    const provider = new ScriptedProvider(accept);
    const { io } = world(lane(provider), new FakeClock(), {
      append: async (events) => {
        await new Promise(setImmediate);
        if (failures === 0 && events.some(({ claim: of }) => of.messageId === "m11")) {
          failures += 1;
          throw new Error("the lease was taken");
        }
        recorded.push([...events]);
        return NOTHING_PAUSED;
      },
    });
    await expect(deliverClaims(batchesOf(40, 5), io, options)).rejects.toThrow("the lease was taken");
    const sent = provider.sent.map(({ messageId }) => messageId);
    expect(sent).toContain("m4");
    expect(sent).not.toContain("m11");
    const outcomes = Object.entries(told(recorded.flat()));
    expect(new Set(outcomes.filter(([, [outcome]]) => outcome === "accepted").map(([id]) => id))).toEqual(new Set(sent));
    expect(outcomes.every(([, each]) => each.length === 1)).toBe(true);
    expect(outcomes.map(([id]) => id)).not.toContain("m11");
  });

  it("passes on what reading or rendering throws, after what was under way ended", async () => {
    const { io, events } = world(lane(new ScriptedProvider(accept)));
    const broken = async function* () {
      yield [claim(1)];
      await Promise.resolve();
      throw new Error("the warehouse went away");
    };
    await expect(deliverClaims(broken(), io, options)).rejects.toThrow("the warehouse went away");
    expect(told(events())).toEqual({ m1: ["accepted"] });
  });
});

describe("what keeps a claim from being posted", () => {
  it("releases what is paused, in mid-run too", async () => {
    const provider = new ScriptedProvider(accept);
    const { io, events, appends } = world(lane(provider));
    const append = io.append;
    const pausing: typeof append = async (events) => {
      await append(events);
      return appends.length <= 2 ? NOTHING_PAUSED : paused({ segments: ["cart_abandoned"] });
    };
    const result = await deliverClaims(batchesOf(20, 5), { ...io, append: pausing }, options);
    expect(result.counts.released.paused).toBeGreaterThanOrEqual(10);
    expect(result.settled).toBe(20);
    const outcomes = told(events());
    expect(outcomes["m1"]).toEqual(["accepted"]);
    for (let number = 11; number <= 20; number += 1) expect(outcomes[`m${number}`]).toEqual(["released paused"]);
    // The third batch was told of the pause with its own `sending` rows, the fourth before.
    expect(provider.sent.filter(({ messageId }) => Number(messageId.slice(1)) > 10)).toEqual([]);
    expect(events().filter(({ event, claim: of }) => event === "sending" && Number(of.messageId.slice(1)) > 15)).toEqual([]);
  });

  it("lets go on what is not paused: another segment, another channel", async () => {
    const { io, events } = world(lane(new ScriptedProvider(accept)));
    const append = io.append;
    const claims = [claim(1), claim(2, { segment: "other" }), claim(3, { channel: "sms" })];
    await deliverClaims(of([claims]), { ...io, append: (events) => append(events).then(() => paused({ segments: ["other"], channels: ["sms"] })) }, options);
    expect(told(events())).toEqual({ m1: ["accepted"], m2: ["released paused"], m3: ["released paused"] });
  });

  it("releases what is past its send_by, looked at again right before the post", async () => {
    const clock = new FakeClock();
    const provider = new ScriptedProvider((outgoing) => {
      clock.time += 1000;
      return accept(outgoing);
    });
    const { io, events } = world(lane(provider, { inFlight: 1 }), clock);
    const claims = [claim(1, { sendBy: NOON }), claim(2, { sendBy: NOON + 1 }), claim(3, { sendBy: NOON + 1000 }), claim(4, { sendBy: NOON + 1001 })];
    await deliverClaims(of([claims]), io, options);
    expect(told(events())).toEqual({ m1: ["released send_by"], m2: ["accepted"], m3: ["released send_by"], m4: ["accepted"] });
    expect(
      events()
        .filter(({ event }) => event === "sending")
        .map(({ claim: { messageId } }) => messageId),
    ).toEqual(["m2", "m4"]);
  });

  it("releases what passes its send_by while it is marked", async () => {
    const clock = new FakeClock();
    const provider = new ScriptedProvider(accept);
    const { io, events } = world(lane(provider), clock);
    const append = io.append;
    const slow: typeof append = (events) => {
      clock.time += 1000;
      return append(events);
    };
    await deliverClaims(of([[claim(1, { sendBy: NOON + 1000 }), claim(2)]]), { ...io, append: slow }, options);
    expect(told(events())).toEqual({ m1: ["released send_by"], m2: ["accepted"] });
    expect(events().filter(({ event }) => event === "sending")).toHaveLength(2);
    expect(provider.sent.map(({ messageId }) => messageId)).toEqual(["m2"]);
  });

  it("posts nothing from send_until on", async () => {
    const clock = new FakeClock();
    const provider = new ScriptedProvider((outgoing) => {
      clock.time += 1000;
      return accept(outgoing);
    });
    const { io, events } = world(lane(provider, { inFlight: 1 }), clock);
    const result = await deliverClaims(batchesOf(10, 3), io, { ...options, sendUntil: () => NOON + 2500 });
    expect(result.counts).toMatchObject({ accepted: 3, released: { lease: 7 } });
    expect(told(events())["m4"]).toEqual(["released lease"]);
  });

  it("fails what can't be rendered, without a `sending` row", async () => {
    const { io, events } = world(lane(new ScriptedProvider(accept)), new FakeClock(), {
      render: ({ messageId, segment, channel, address }) =>
        messageId === "m2" ? { invalid: "first_name is null" } : message({ messageId, segment, channel, address }),
    });
    await deliverClaims(batchesOf(3, 3), io, options);
    expect(events().filter(({ claim: { messageId } }) => messageId === "m2")).toEqual([
      { event: "failed", claim: claim(2), at: NOON, reason: "invalid", detail: "first_name is null" },
    ]);
  });

  it("a stop lets the posts under way end and releases the rest, sleepers included", async () => {
    const stop = new AbortController();
    const provider = new ScriptedProvider((outgoing) => {
      if (outgoing.messageId === "m1") return unavailable;
      if (outgoing.messageId === "m3") stop.abort();
      return accept(outgoing);
    });
    const clock = new FakeClock();
    const { io, events } = world(lane(provider, { inFlight: 1 }), clock, {
      sleep: (ms, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    });
    const result = await deliverClaims(batchesOf(12, 4), io, { ...options, stop: stop.signal });
    expect(result.settled).toBe(12);
    const outcomes = told(events());
    expect(outcomes["m1"]).toEqual(["released stopped"]);
    expect(outcomes["m3"]).toEqual(["accepted"]);
    expect(outcomes["m4"]).toEqual(["released stopped"]);
    expect(outcomes["m12"]).toEqual(["released stopped"]);
    expect(events().filter(({ event, claim: { messageId } }) => event === "sending" && messageId === "m12")).toEqual([]);
  });
});

describe("what the provider says", () => {
  it("one refused recipient settles only its own message", async () => {
    const provider = new ScriptedProvider((outgoing) => (outgoing.messageId === "m2" ? { kind: "rejected", reason: "HTTP 400: no" } : accept(outgoing)));
    const { io, events } = world(lane(provider));
    const result = await deliverClaims(batchesOf(4, 4), io, options);
    expect(told(events())).toEqual({ m1: ["accepted"], m2: ["failed rejected"], m3: ["accepted"], m4: ["accepted"] });
    expect(events().find(({ event }) => event === "failed")).toMatchObject({ detail: "HTTP 400: no" });
    expect(events().find(({ event }) => event === "accepted")).toMatchObject({ providerId: "p-m1" });
    expect(result.ok).toBe(true);
  });

  it("an unauthorised channel stops; another goes on", async () => {
    const email = lane(new ScriptedProvider(() => ({ kind: "unauthorised", reason: "HTTP 401: no" })), { inFlight: 2 });
    const push = lane(new ScriptedProvider(accept), { name: "push" });
    const { io, events } = world(email, new FakeClock(), { lane: ({ channel }) => (channel === "push" ? push : email) });
    const claims = Array.from({ length: 40 }, (_, at) => claim(at + 1, { channel: at % 2 === 0 ? "email" : "push" }));
    const result = await deliverClaims(of([claims.slice(0, 20), claims.slice(20)]), io, options);
    expect(result.ok).toBe(false);
    expect([...result.stoppedChannels]).toEqual([
      ["email", { kind: "refused", reason: "HTTP 401: no", pauseMs: 3_600_000, accepted: 0, inDoubt: 0, released: 20 }],
    ]);
    expect(result.counts).toMatchObject({ accepted: 20, released: { channel_stopped: 20 } });
    expect((email.provider as ScriptedProvider).sent).toHaveLength(2);
    expect(Object.values(told(events())).every((outcomes) => outcomes.length === 1)).toBe(true);
  });

  it("backs off with full jitter, as often as it may, and then releases", async () => {
    const provider = new ScriptedProvider((outgoing) => (outgoing.messageId === "m1" ? unavailable : accept(outgoing)));
    const { io, clock, events } = world(lane(provider));
    const result = await deliverClaims(batchesOf(2, 2), io, options);
    expect(clock.slept.filter((ms) => ms !== options.flushAfterMs)).toEqual([250, 500, 1000, 2000]);
    expect(result.posts).toBe(6);
    expect(events().find(({ event }) => event === "released")).toMatchObject({
      reason: "provider_unavailable",
      detail: "HTTP 503 (attempt 5 of 5)",
    });
  });

  it("does not wait beyond send_by or send_until", async () => {
    const provider = new ScriptedProvider(() => unavailable);
    const { io, clock, events } = world(lane(provider));
    await deliverClaims(of([[claim(1, { sendBy: NOON + 700 })]]), io, options);
    expect(clock.slept).toEqual([250]);
    await deliverClaims(of([[claim(2)]]), io, { ...options, sendUntil: () => NOON + 1000 });
    expect(told(events())).toEqual({ m1: ["released provider_unavailable"], m2: ["released provider_unavailable"] });
  });

  it("429 makes the whole channel wait until the reset", async () => {
    const clock = new FakeClock();
    const times: number[] = [];
    const provider = new ScriptedProvider((outgoing, attempt) => {
      times.push(clock.time - NOON);
      return outgoing.messageId === "m3" && attempt === 1 ? { kind: "try_again", afterMs: 7000, reason: "HTTP 429" } : accept(outgoing);
    });
    const { io, events } = world(lane(provider, { inFlight: 1 }), clock);
    await deliverClaims(batchesOf(6, 6), io, options);
    expect(times).toEqual([0, 0, 0, 7000, 7000, 7000, 7000]);
    expect(provider.sent.map(({ messageId }) => messageId)).toEqual(["m1", "m2", "m3", "m3", "m4", "m5", "m6"]);
    expect(Object.keys(told(events()))).toHaveLength(6);
  });

  it("429 with a reset beyond send_until releases the channel's claims at once", async () => {
    const provider = new ScriptedProvider(() => ({ kind: "try_again", afterMs: 600_000, reason: "HTTP 429" }));
    const { io, clock, events } = world(lane(provider, { inFlight: 1 }));
    const result = await deliverClaims(batchesOf(30, 10), io, { ...options, sendUntil: () => NOON + 60_000 });
    expect(result.counts.released).toEqual({ provider_unavailable: 30 });
    expect(result.posts).toBe(1);
    // What is known waits for its time to be written, and nothing else.
    expect(clock.slept).toEqual([options.flushAfterMs]);
    expect(Object.keys(told(events()))).toHaveLength(30);
  });

  it("holds what is in doubt", async () => {
    const provider = new ScriptedProvider((outgoing) => (outgoing.messageId === "m1" ? { kind: "in_doubt", reason: "no answer" } : accept(outgoing)));
    const { io, events } = world(lane(provider));
    await deliverClaims(batchesOf(2, 2), io, options);
    expect(told(events())).toEqual({ m1: ["in_doubt"], m2: ["accepted"] });
    expect(provider.sent).toHaveLength(2);
  });

  it.each<[string, SendOutcome[], string, number]>([
    ["accepted", [{ kind: "accepted", providerId: "x" }], "accepted", 2],
    ["in doubt again", [{ kind: "in_doubt", reason: "b" }], "in_doubt", 2],
    ["refused", [{ kind: "rejected", reason: "b" }], "in_doubt", 2],
    ["unavailable", [unavailable, unavailable, unavailable, unavailable], "in_doubt", 5],
    ["unauthorised", [{ kind: "unauthorised", reason: "b" }], "in_doubt", 2],
  ])("resends once where the channel says so: %s", async (_, later, outcome, posts) => {
    const provider = new ScriptedProvider((_outgoing, attempt) => (attempt === 1 ? { kind: "in_doubt", reason: "a" } : (later[attempt - 2] ?? unavailable)));
    const { io, events } = world(lane(provider, { onDoubt: "resend" }));
    await deliverClaims(batchesOf(1, 1), io, options);
    expect(told(events())).toEqual({ m1: [outcome] });
    expect(provider.sent).toHaveLength(posts);
  });

  it("a provider whose code fails leaves the message in doubt", async () => {
    const provider = new ScriptedProvider(() => {
      throw new Error(`Authorization: Bearer ${KEY}`);
    });
    const { io, events } = world(lane(provider));
    await deliverClaims(batchesOf(1, 1), io, options);
    expect(told(events())).toEqual({ m1: ["in_doubt"] });
    expect(JSON.stringify(events())).not.toContain(KEY);
  });
});

describe("limits", () => {
  it("never has more under way than the lane allows", async () => {
    let now = 0;
    let most = 0;
    const provider = new ScriptedProvider(async (outgoing) => {
      most = Math.max(most, (now += 1));
      await new Promise(setImmediate);
      now -= 1;
      return accept(outgoing);
    });
    const { io } = world(lane(provider, { inFlight: 7 }));
    await deliverClaims(batchesOf(100, 50), io, options);
    expect(most).toBe(7);
  });

  it("starts no more a second than the lane allows", async () => {
    const clock = new FakeClock();
    const perSecond = new Map<number, number>();
    const provider = new ScriptedProvider((outgoing) => {
      const second = Math.floor((clock.time - NOON) / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      return accept(outgoing);
    });
    const { io } = world(lane(provider, { ratePerSecond: 20 }), clock);
    await deliverClaims(batchesOf(100, 50), io, options);
    expect(Math.max(...perSecond.values())).toBe(20);
    expect(perSecond.size).toBe(5);
  });

  it("goes on where whoever is told of progress throws", async () => {
    const { io, events } = world(lane(new ScriptedProvider(accept)));
    const onProgress = (): never => {
      throw new Error("the terminal is gone");
    };
    expect((await deliverClaims(batchesOf(20, 5), io, { ...options, onProgress })).counts.accepted).toBe(20);
    expect(Object.keys(told(events()))).toHaveLength(20);
  });

  it("reports progress that ends with everything", async () => {
    const seen: number[] = [];
    const { io } = world(lane(new ScriptedProvider(accept)));
    const result = await deliverClaims(batchesOf(20, 5), io, { ...options, onProgress: ({ settled }) => seen.push(settled) });
    expect(seen.at(-1)).toBe(20);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
    expect(result.latency.count).toBe(20);
  });
});

describe("through SendGrid's provider to the sandbox", () => {
  let sandbox: Sandbox;
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });
  async function begin() {
    sandbox = await startSandbox({ port: 0, apiKey: KEY });
    const provider = createSendGridProvider({
      name: "email",
      apiKey: KEY,
      sandbox: false,
      endpoint: sandbox.url,
      inFlight: 8,
      timeoutSeconds: 60,
      htmlOk: false,
    });
    open.push(provider, sandbox);
    return world(lane(provider, { inFlight: 8 }));
  }

  it("delivers every claim once, in bodies that SendGrid's description takes", async () => {
    const { io, events } = await begin();
    const result = await deliverClaims(batchesOf(200, 50), io, options);
    expect(result.counts.accepted).toBe(200);
    const check = sendGridBodyCheck();
    const kept = sandbox.messages();
    expect(kept.flatMap(({ body }) => check(body))).toEqual([]);
    const ids = kept.map(({ body }) => (body as { personalizations: [{ custom_args: { message_id: string } }] }).personalizations[0].custom_args.message_id);
    expect(new Set(ids)).toEqual(new Set(batchIds(200)));
    expect(ids).toHaveLength(200);
    const provided = events().flatMap((event) => (event.event === "accepted" ? [event.providerId] : []));
    expect(new Set(provided)).toEqual(new Set(kept.map(({ id }) => id)));
  });

  it("honours the reset of a real 429, by the answer's own clock", async () => {
    const { io, clock } = await begin();
    sandbox.setFaults([{ status: 429, resetInSeconds: 30, count: 1 }]);
    const result = await deliverClaims(batchesOf(20, 20), io, options);
    expect(result.counts.accepted).toBe(20);
    expect(result.posts).toBe(21);
    expect(clock.time - NOON).toBeGreaterThanOrEqual(30_000);
    expect(clock.time - NOON).toBeLessThanOrEqual(40_000);
  });

  it("settles a mix of faults: nothing twice, nothing lost, doubt where there is doubt", async () => {
    const { io, events } = await begin();
    sandbox.setFaults([
      { status: 503, share: 0.2, seed: 1 },
      { cut: "after", share: 0.1, seed: 2 },
      { status: 400, share: 0.1, seed: 3 },
    ]);
    const result = await deliverClaims(batchesOf(300, 50), io, options);
    expect(result.settled).toBe(300);
    const outcomes = told(events());
    expect(Object.keys(outcomes)).toHaveLength(300);
    const taken = sandbox
      .messages({ limit: 1000 })
      .map(({ body }) => (body as { personalizations: [{ custom_args: { message_id: string } }] }).personalizations[0].custom_args.message_id);
    expect(new Set(taken).size).toBe(taken.length);
    for (const [id, [outcome]] of Object.entries(outcomes)) {
      expect(taken.includes(id)).toBe(outcome === "accepted" || outcome === "in_doubt");
    }
    expect(result.counts.inDoubt).toBeGreaterThan(0);
    expect(result.counts.failed.rejected).toBeGreaterThan(0);
  });

  it("a revoked key stops the channel and is named nowhere", async () => {
    const { events } = await begin();
    const provider = createSendGridProvider({
      name: "email",
      apiKey: "SG.revoked-key-0123456789",
      sandbox: false,
      endpoint: sandbox.url,
      inFlight: 8,
      timeoutSeconds: 60,
      htmlOk: false,
    });
    open.push(provider);
    const { io, events: later } = world(lane(provider, { inFlight: 8 }));
    const result = await deliverClaims(batchesOf(100, 20), io, options);
    expect(result).toMatchObject({ ok: false, counts: { accepted: 0, released: { channel_stopped: 100 } } });
    expect(sandbox.stats().requests).toBeLessThanOrEqual(8);
    expect(JSON.stringify([events(), later(), [...result.stoppedChannels]])).not.toContain("revoked-key");
  });
});

async function* of(batches: readonly TestClaim[][]): AsyncGenerator<TestClaim[]> {
  for (const batch of batches) {
    await Promise.resolve();
    yield batch;
  }
}

function batchIds(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `m${at + 1}`);
}
