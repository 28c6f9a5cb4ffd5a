/** Rejections that wait for each other: five alike and none accepted stop the channel. */
import { describe, expect, it } from "vitest";
import { SMALL_STEPS } from "../../../src/core/marks.js";
import { deliverClaims, type DeliveryOptions } from "../../../src/delivery/deliver.js";
import { alike } from "../../../src/core/alike.js";
import { NOTHING_EARLIER, type OutgoingMessage, type SendOutcome } from "../../../src/delivery/types.js";
import { ScriptedProvider, accept, batchesOf, lane, told, world } from "../fixtures.js";

const options: DeliveryOptions = { sendUntil: () => Infinity, flushAfterMs: 100, marks: SMALL_STEPS };
const numberOf = ({ messageId }: OutgoingMessage): number => Number(messageId.slice(1));
const unverified = (message: OutgoingMessage): SendOutcome => ({ kind: "rejected", reason: `HTTP 400: Sender unknown (request ${message.messageId}77)` });
const badWord = (message: OutgoingMessage): SendOutcome => ({
  kind: "rejected",
  reason: `HTTP 400: word ${"abcdefghijklmnopqrstuvwxyz"[numberOf(message)] ?? "z"}`,
});

/** Outcomes by kind; each message has exactly one. */
async function delivered(
  count: number,
  script: (message: OutgoingMessage) => SendOutcome | Promise<SendOutcome>,
  changes: Parameters<typeof lane>[1] = {},
): Promise<{ counts: Record<string, number>; reason: string | undefined; kind: string | undefined; posts: number }> {
  const { io, events } = world(lane(new ScriptedProvider(script), { inFlight: 256, ...changes }));
  const result = await deliverClaims(batchesOf(count, 100), io, options);
  const outcomes = Object.values(told(events()));
  expect(outcomes.map((each) => each.length)).toEqual(Array.from({ length: count }, () => 1));
  const counts: Record<string, number> = {};
  for (const [event = ""] of outcomes.map((each) => (each[0] ?? "").split(" "))) counts[event] = (counts[event] ?? 0) + 1;
  const stopped = result.stoppedChannels.get("email");
  return { counts, reason: stopped?.reason, kind: stopped?.kind, posts: result.posts };
}

describe("rejected alike", () => {
  it("five stop the channel, and all are released, those under way too", async () => {
    const { counts, reason, kind, posts } = await delivered(2_000, unverified);
    expect(counts).toEqual({ released: 2_000 });
    expect(kind).toBe("rejected");
    expect(reason).toMatch(/^\d+ messages were rejected alike and none was accepted: HTTP 400: Sender unknown \(request m\d+\)$/);
    expect(posts).toBeGreaterThanOrEqual(5);
    expect(posts).toBeLessThan(20);
  });

  it("four are failed when the run ends", async () => {
    expect(await delivered(4, unverified)).toMatchObject({ counts: { failed: 4 }, kind: undefined });
  });

  it("are failed, and the channel goes on, if one that is under way is accepted", async () => {
    // In flight beside the fifth, and answered last.
    const slow = async (message: OutgoingMessage): Promise<SendOutcome> => {
      if (numberOf(message) !== 1) return unverified(message);
      for (let turns = 0; turns < 200; turns += 1) await new Promise(setImmediate);
      return accept(message);
    };
    const { counts, kind } = await delivered(50, slow);
    expect(counts).toEqual({ accepted: 1, failed: 49 });
    expect(kind).toBeUndefined();
  });

  it("don't stop a channel that has accepted one", async () => {
    expect(await delivered(50, (message) => (numberOf(message) === 1 ? accept(message) : unverified(message)), { inFlight: 1 })).toMatchObject({
      counts: { accepted: 1, failed: 49 },
      kind: undefined,
    });
  });

  it("each for a reason of its own are failed, however many", async () => {
    const { counts, kind } = await delivered(26, badWord);
    expect(counts).toEqual({ failed: 26 });
    expect(kind).toBeUndefined();
  });

  it("release those of their kind alone", async () => {
    const { counts, kind } = await delivered(30, (message) => (numberOf(message) <= 3 ? badWord(message) : unverified(message)), { inFlight: 1 });
    expect(counts).toEqual({ failed: 3, released: 27 });
    expect(kind).toBe("rejected");
  });

  it("go on from earlier runs", async () => {
    const rejections = new Map([[alike("HTTP 400: Sender unknown (request m177)"), 4]]);
    const earlier = { ...NOTHING_EARLIER, rejections };
    expect(await delivered(1, unverified, { earlier })).toMatchObject({ counts: { released: 1 }, kind: "rejected" });
    expect(await delivered(1, badWord, { earlier })).toMatchObject({ counts: { failed: 1 }, kind: undefined });
  });

  it("refused before any request say nothing of the provider", async () => {
    const { counts, kind } = await delivered(30, () => ({ kind: "rejected", reason: "the subject is empty", unposted: true }));
    expect(counts).toEqual({ failed: 30 });
    expect(kind).toBeUndefined();
  });
});
