/**
 * One delivery against a receiver that breaks exchanges off: real sockets, real parser, time that
 * passes when told.
 */
import { subscribe } from "node:diagnostics_channel";
import { SMALL_STEPS } from "../../src/core/marks.js";
import { deliverClaims } from "../../src/delivery/deliver.js";
import { createSendGridProvider } from "../../src/delivery/providers/sendgrid/provider.js";
import type { DeliveryEvent } from "../../src/delivery/types.js";
import type { Answer } from "./answers.js";
import { Cutter, type Cut } from "./cutter.js";
import { FakeClock, KEY, NOON, claim, lane, message, told, world, type TestClaim } from "./fixtures.js";
import { Receiver, type Ending, type Keys, type Move } from "./receiver.js";

const TIMEOUT_SECONDS = 5;

/** A clock whose ticks come when the test says. */
export function handClock() {
  const ticks = new Set<() => void>();
  const clock = {
    time: NOON,
    now: () => clock.time,
    every: (_ms: number, tick: () => void) => {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
    pass(ms: number) {
      clock.time += ms;
      for (const tick of [...ticks]) tick();
    },
  };
  return clock;
}

/** Blocks of headers that this process read from an origin. */
const blocks = new Map<string, { read: number; changed: () => void }>();
function blocksOf(origin: string): { read: number; changed: () => void } {
  const found = blocks.get(origin) ?? { read: 0, changed: () => undefined };
  blocks.set(origin, found);
  return found;
}
subscribe("undici:request:headers", (event) => {
  const { request } = event as { request: { origin: string } };
  const found = blocksOf(request.origin);
  found.read += 1;
  found.changed();
});

async function blocksRead(origin: string, count: number): Promise<void> {
  const found = blocksOf(origin);
  while (found.read < count) await new Promise<void>((resolve) => (found.changed = resolve));
}

export interface Told {
  /** Message id → its outcomes, each as `event` or `event reason`. */
  outcomes: Record<string, string[]>;
  /** Message id → how often the receiver took it. */
  taken: ReadonlyMap<string, number>;
  exchanges: number;
  connections: number;
}

export interface Setting {
  /** The receiver's move for the exchange of this number, from 1. */
  script: (exchange: number) => Move;
  /** By default 1; the first is `m1`. */
  messages?: number;
  /** Their HTML. */
  html?: string;
  /**
   * Blocks of headers that the client must have read before the timeout passes, unless it settles
   * by itself.
   */
  headers?: number;
  /** Speaks TLS; the first connection is cut. */
  tls?: { keys: Keys; cut: Cut };
  /** Most attempts for a message; by default delivery's own. */
  attempts?: number;
  /** Most runs: each has connections of its own, and what a run released. By default 1. */
  runs?: number;
  /** Called with the receiver before each message but the first is given to delivery. */
  between?: (receiver: Receiver) => Promise<unknown>;
}

/**
 * Delivers messages, one request at a time, to a receiver. Where it hangs, the channel's timeout
 * passes at once.
 */
export async function deliver({ script, messages = 1, html = "<p>Hello</p>", headers = 0, tls, attempts = 5, runs = 1, between }: Setting): Promise<Told> {
  const receiver = await Receiver.open(script, tls?.keys ?? null);
  const cutter = tls === undefined ? null : await Cutter.open(receiver.port, tls.cut);
  const origin = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(cutter ?? receiver).port}`;
  // Of an earlier server on the same port, in this test or another one of the process.
  blocks.delete(origin);
  const clock = handClock();
  const channel = { name: "email", apiKey: KEY, sandbox: false, endpoint: origin, inFlight: 1, timeoutSeconds: TIMEOUT_SECONDS, htmlOk: false };
  const events: DeliveryEvent<TestClaim>[] = [];
  const run = async (claims: readonly TestClaim[]): Promise<void> => {
    const provider = createSendGridProvider(channel, { clock });
    const { io, events: ofRun } = world(lane(provider, { inFlight: 1 }), new FakeClock(), {
      render: ({ messageId, address }) => message({ messageId, address, html }),
    });
    try {
      for (const [at, batch] of (between === undefined ? [claims] : claims.map((one) => [one])).entries()) {
        if (at > 0) await between?.(receiver);
        await deliverClaims(only(batch), io, { sendUntil: () => Infinity, flushAfterMs: 100, marks: SMALL_STEPS, attempts });
      }
    } finally {
      events.push(...ofRun());
      await provider.close();
    }
  };
  const all = async (): Promise<void> => {
    let open = Array.from({ length: messages }, (_, at) => claim(at + 1));
    for (let at = 0; at < runs && open.length > 0; at += 1) {
      await run(open);
      const outcomes = told(events);
      open = open.filter(({ messageId }) => outcomes[messageId]?.at(-1)?.startsWith("released") === true);
    }
  };
  const hung = Promise.race([receiver.hung(), ...(cutter === null ? [] : [cutter.hung])]);
  try {
    const delivery = all();
    const late = hung.then(() => blocksRead(origin, headers)).then(() => clock.pass(TIMEOUT_SECONDS * 1000));
    await Promise.race([delivery, late.then(() => delivery)]);
    return { outcomes: told(events), taken: receiver.taken, exchanges: receiver.exchanges, connections: cutter?.connections ?? receiver.connections };
  } finally {
    await cutter?.close();
    await receiver.close();
    blocks.delete(origin);
  }
}

async function* only(claims: readonly TestClaim[]): AsyncGenerator<readonly TestClaim[]> {
  yield claims;
  await Promise.resolve();
}

/** How many blocks of headers are whole in the first `sent` bytes of an answer. */
export function blocksIn(answer: Answer, sent: number): number {
  let count = 0;
  for (let end = 0; count <= (answer.interim ?? 0); count += 1) {
    end = answer.bytes.indexOf("\r\n\r\n", end) + 4;
    if (end === 3 || end > sent) return count;
  }
  return count;
}

/**
 * Where the headers of an answer that is not an interim one end: from here on its status is known.
 */
export function headersEnd(answer: Answer): number {
  let end = 0;
  for (let block = 0; block <= (answer.interim ?? 0); block += 1) {
    const found = answer.bytes.indexOf("\r\n\r\n", end);
    if (found === -1) return Infinity;
    end = found + 4;
  }
  return end;
}

/**
 * What the law of docs/delivery.md says of an answer that is cut, or hangs, after `sent` of its
 * bytes.
 */
export function lawOf(answer: Answer, sent: number): Answer["means"] {
  if (sent >= answer.bytes.length) return answer.means;
  if (sent < headersEnd(answer)) return "in_doubt";
  return answer.means === "accepted" || answer.means === "failed" ? answer.means : "in_doubt";
}

/**
 * The receiver's move: the answer up to `sent` bytes. It refuses the message only if the refusal is
 * whole.
 */
export function moveOf(answer: Answer, sent: number, ending: Ending): Move {
  const again = sent >= answer.bytes.length && answer.means === "again";
  const refuses = sent >= answer.bytes.length && answer.means !== "accepted" && answer.means !== "in_doubt";
  // A connection that is silent after a whole answer would let the next request hang, which is
  // another state.
  return { answer: answer.bytes.slice(0, sent), ending: again && ending === "hang" ? "open" : ending, refuses };
}
