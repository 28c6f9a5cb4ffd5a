/**
 * Every state in which an exchange breaks off, and what it makes of the message: docs/delivery.md,
 * line by line.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANSWERS, GOOD, type Answer } from "./answers.js";
import { blocksIn, deliver, headersEnd, lawOf, moveOf } from "./exchange.js";
import type { Cut } from "./cutter.js";
import type { Ending, Move } from "./receiver.js";

const CUTS = ["fin", "rst", "hang"] as const;
/** More than the buffers of two sockets hold. */
const LARGE = "x".repeat(12 * 1024 * 1024);
const TLS = join(import.meta.dirname, "../data/tls");
const KEYS = { key: readFileSync(join(TLS, "server.key"), "utf8"), cert: readFileSync(join(TLS, "server.pem"), "utf8") };
const ACCEPTED: Move = { answer: GOOD, ending: "open" };
/** What the ledger has, and the requests it took: what may be sent again is, and then accepted. */
const SHOWN: Readonly<Record<Answer["means"], [outcome: string, exchanges: number]>> = {
  accepted: ["accepted", 1],
  failed: ["failed rejected", 1],
  again: ["accepted", 2],
  stopped: ["released channel_stopped", 1],
  in_doubt: ["in_doubt", 1],
};

/** The first exchange's move, then good ones. */
function first(move: Move): (exchange: number) => Move {
  return (exchange) => (exchange === 1 ? move : ACCEPTED);
}

/**
 * Nothing, a byte, within and after each line of its headers, within its body, all but a byte, all.
 */
function places(answer: Answer): number[] {
  const { length } = answer.bytes;
  const end = Math.min(headersEnd(answer), length);
  const line = answer.bytes.indexOf("\r\n");
  const interim =
    answer.interim === undefined ? [] : [answer.bytes.indexOf("\r\n\r\n") + 2, answer.bytes.indexOf("\r\n\r\n") + 4, answer.bytes.lastIndexOf("HTTP/")];
  const all = [0, 1, 9, 12, line, line + 2, ...interim, end - 1, end, Math.floor((end + length) / 2), length - 1, length];
  return [...new Set(all.filter((place) => place >= 0 && place <= length))];
}

function shown(answer: Answer, sent: number, ending: Ending): string {
  return `${ending} after ${JSON.stringify(answer.bytes.slice(Math.max(0, sent - 20), sent))}`;
}

describe("an answer that breaks off", () => {
  it.each(Object.entries(ANSWERS))("%s", async (_, answer) => {
    const states = places(answer).flatMap((sent, at) => [at % 2 === 0 ? "fin" : "rst", "hang"].map((ending) => ({ sent, ending: ending as Ending })));
    const found = await Promise.all(
      states.map(async ({ sent, ending }) => {
        const { outcomes, taken, exchanges } = await deliver({ script: first(moveOf(answer, sent, ending)), headers: blocksIn(answer, sent) });
        return { state: shown(answer, sent, ending), outcome: outcomes["m1"]?.join(", "), exchanges, twice: Math.max(0, ...taken.values()) > 1 };
      }),
    );
    expect(found).toEqual(
      states.map(({ sent, ending }) => {
        const [outcome, exchanges] = SHOWN[lawOf(answer, sent)];
        return { state: shown(answer, sent, ending), outcome, exchanges, twice: false };
      }),
    );
  });
});

describe("a request that breaks off", () => {
  it.each(CUTS)("after some of its bytes: in doubt (%s)", async (ending) => {
    for (const read of [1, 20, 200, 400]) {
      const told = await deliver({ script: first({ read, answer: "", ending }) });
      expect(told, `${read} bytes`).toMatchObject({ outcomes: { m1: ["in_doubt"] }, exchanges: 1, taken: new Map() });
    }
  });

  it.each(CUTS)("in a body most of which never left: in doubt (%s)", async (ending) => {
    const told = await deliver({ script: first({ read: 1000, answer: "", ending }), html: LARGE });
    expect(told).toMatchObject({ outcomes: { m1: ["in_doubt"] }, exchanges: 1, taken: new Map() });
  });

  it.each(["fin", "rst"] as const)("as its connection is made: sent on another one if nothing left, else in doubt (%s)", async (ending) => {
    const { outcomes, taken } = await deliver({ script: first({ read: 0, answer: "", ending }) });
    expect(outcomes["m1"]).toEqual([taken.size === 1 ? "accepted" : "in_doubt"]);
    expect(taken.get("m1") ?? 1).toBe(1);
  });
});

describe("an answer before the request was read", () => {
  it("that refuses it whole lets it be sent again", async () => {
    const { bytes } = ANSWERS["503"] as Answer;
    const told = await deliver({ script: first({ read: 1000, answer: bytes, ending: "fin", refuses: true }), html: LARGE });
    expect(told).toMatchObject({ outcomes: { m1: ["accepted"] }, exchanges: 2, taken: new Map([["m1", 1]]) });
  });

  it("that refuses it in part leaves it in doubt", async () => {
    const { bytes } = ANSWERS["503"] as Answer;
    const told = await deliver({ script: first({ read: 1000, answer: bytes.slice(0, -1), ending: "fin" }), html: LARGE });
    expect(told).toMatchObject({ outcomes: { m1: ["in_doubt"] }, exchanges: 1 });
  });

  it("that accepts it is the provider's word", async () => {
    const told = await deliver({ script: first({ read: 300, answer: GOOD, ending: "open" }), html: LARGE });
    expect(told).toMatchObject({ outcomes: { m1: ["accepted"] }, exchanges: 1 });
  });

  it("that is interim leaves it in doubt", async () => {
    const told = await deliver({ script: first({ read: 1000, answer: "HTTP/1.1 102 Processing\r\n\r\n", ending: "rst" }), html: LARGE });
    expect(told).toMatchObject({ outcomes: { m1: ["in_doubt"] }, exchanges: 1 });
  });
});

describe("a connection that was used before", () => {
  const second = (move: Move) => (exchange: number) => (exchange === 2 ? move : ACCEPTED);

  it.each(CUTS)("breaks off at the next request, unanswered: in doubt (%s)", async (ending) => {
    for (const read of [1, 300, Infinity]) {
      const { outcomes, taken, exchanges } = await deliver({ script: second({ read, answer: "", ending }), messages: 3 });
      expect(outcomes).toEqual({ m1: ["accepted"], m2: ["in_doubt"], m3: ["accepted"] });
      expect([exchanges, Math.max(...taken.values())]).toEqual([3, 1]);
    }
  });

  it("is closed once it has answered: the next message has another one", async () => {
    const told = await deliver({ script: first({ answer: GOOD, ending: "fin" }), messages: 2, between: (receiver) => receiver.closed() });
    expect(told).toMatchObject({ outcomes: { m1: ["accepted"], m2: ["accepted"] }, connections: 2 });
  });

  it.each(["500", "202", "103 alone", "408", "another protocol"])("is closed by bytes that nobody asked for: %s", async (name) => {
    const { bytes } = ANSWERS[name] as Answer;
    for (const surplus of [bytes, bytes.slice(0, 1), bytes.slice(0, 12)]) {
      const script = first({ answer: GOOD, ending: "open", surplus });
      const told = await deliver({ script, messages: 2, between: (receiver) => receiver.closed() });
      expect(told).toMatchObject({ outcomes: { m1: ["accepted"], m2: ["accepted"] }, connections: 2, taken: new Map([1, 2].map((id) => [`m${id}`, 1])) });
    }
  });

  it.each(["500", "202", "401", "103 alone"])("is closed by another answer right behind its own, while a message waits: %s", async (name) => {
    const { bytes } = ANSWERS[name] as Answer;
    const told = await deliver({ script: first({ answer: GOOD + bytes, ending: "open" }), messages: 2 });
    expect(told).toMatchObject({ outcomes: { m1: ["accepted"], m2: ["accepted"] }, connections: 2, taken: new Map([1, 2].map((id) => [`m${id}`, 1])) });
  });
});

describe("TLS", () => {
  beforeEach(() => vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0"));
  afterEach(() => vi.unstubAllEnvs());

  const HANDSHAKE: readonly Omit<Cut, "ending">[] = [
    { towards: "server", bytes: 0 },
    { towards: "server", bytes: 10 },
    { towards: "client", bytes: 0 },
    { towards: "client", bytes: 1 },
    { towards: "client", bytes: 200 },
  ];

  it.each(["fin", "rst"] as const)("that breaks off in its handshake: the message is sent on another connection (%s)", async (ending) => {
    for (const place of HANDSHAKE) {
      const told = await deliver({ script: () => ACCEPTED, tls: { keys: KEYS, cut: { ...place, ending } } });
      expect(told, JSON.stringify(place)).toMatchObject({ outcomes: { m1: ["accepted"] }, connections: 2, taken: new Map([["m1", 1]]) });
    }
  });

  it("that hangs in its handshake: nothing left", async () => {
    for (const place of HANDSHAKE) {
      const told = await deliver({ script: () => ACCEPTED, attempts: 1, tls: { keys: KEYS, cut: { ...place, ending: "hang" } } });
      expect(told, JSON.stringify(place)).toMatchObject({ outcomes: { m1: ["released provider_unavailable"] }, taken: new Map() });
    }
  });

  it.each(CUTS)("that breaks off in the answer: in doubt (%s)", async (ending) => {
    const silent = first({ answer: "HTTP/1.1 103 Early Hints\r\n\r\n", ending });
    const { outcomes, taken } = await deliver({ script: silent, headers: 1, tls: { keys: KEYS, cut: { towards: "client", bytes: Infinity, ending } } });
    expect([outcomes, taken]).toEqual([{ m1: ["in_doubt"] }, new Map([["m1", 1]])]);
  });

  it("whose certificate is not trusted: nothing left", async () => {
    vi.unstubAllEnvs();
    const told = await deliver({ script: () => ACCEPTED, tls: { keys: KEYS, cut: { towards: "client", bytes: Infinity, ending: "hang" } } });
    expect(told).toMatchObject({ outcomes: { m1: ["released provider_unavailable"] }, exchanges: 0, taken: new Map() });
  });
});
