/** What the delivery's tests share: messages, claims, a clock that moves only when told, a recorder in the ledger's place. */
import type { DeliveryIo } from "../../src/delivery/deliver.js";
import { NOTHING_EARLIER } from "../../src/delivery/types.js";
import type { DeliverableClaim, DeliveryEvent, Lane, OutgoingMessage, PauseState, Provider, SendOutcome } from "../../src/delivery/types.js";

/** Monday, 2 March 2026, noon UTC. */
export const NOON = Date.UTC(2026, 2, 2, 12);
export const KEY = "SG.tests-only-key.0123456789";

export function message(changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    messageId: "5d41402abc4b2a76b9719d911017c592",
    runId: "run-1",
    segment: "cart_abandoned",
    step: "reminder",
    variant: "",
    channel: "email",
    address: "ada@example.com",
    from: "Shop <shop@example.com>",
    replyTo: null,
    subject: "You left something",
    html: "<p>Your cart waits.</p>",
    text: "Your cart waits.",
    headers: { "List-Unsubscribe": "<https://shop.example/u?token=abc>" },
    topic: "carts",
    ...changes,
  };
}

export interface TestClaim extends DeliverableClaim {
  address: string;
}

export function claim(number: number, changes: Partial<TestClaim> = {}): TestClaim {
  return {
    messageId: `m${number}`,
    segment: "cart_abandoned",
    channel: "email",
    sendBy: Infinity,
    dueAt: NOON - 60_000,
    address: `u${number}@example.com`,
    ...changes,
  };
}

/** Claims 1 to `count`, in batches. */
export async function* batchesOf(count: number, size: number, changes: Partial<TestClaim> = {}): AsyncGenerator<TestClaim[]> {
  for (let from = 1; from <= count; from += size) {
    yield Array.from({ length: Math.min(size, count - from + 1) }, (_, at) => claim(from + at, changes));
    await Promise.resolve();
  }
}

/** For a clock that stands still whatever is slept. */
export const standStill = (): Promise<void> => new Promise(() => undefined);

/** A clock that stands still, but moves on to the end of whichever sleep is over first. */
export class FakeClock {
  readonly #ends: number[] = [];
  time = NOON;
  readonly slept: number[] = [];
  readonly now = (): number => this.time;
  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    const until = this.time + ms;
    this.slept.push(ms);
    this.#ends.push(until);
    do await new Promise(setImmediate);
    while (signal?.aborted !== true && this.#ends.some((end) => end < until));
    this.#ends.splice(this.#ends.indexOf(until), 1);
    if (signal?.aborted !== true) this.time = Math.max(this.time, until);
  };
}

export const NOTHING_PAUSED: PauseState = { project: false, segments: new Set(), channels: new Set() };

export function paused(what: { project?: boolean; segments?: string[]; channels?: string[] }): PauseState {
  return { project: what.project ?? false, segments: new Set(what.segments), channels: new Set(what.channels) };
}

/** A provider that answers as the function says; it keeps what it was asked to send. */
export class ScriptedProvider implements Provider {
  readonly sent: OutgoingMessage[] = [];
  constructor(readonly script: (message: OutgoingMessage, attempt: number) => SendOutcome | Promise<SendOutcome>) {}

  async send(outgoing: OutgoingMessage): Promise<SendOutcome> {
    this.sent.push(outgoing);
    const attempt = this.sent.filter(({ messageId }) => messageId === outgoing.messageId).length;
    await Promise.resolve();
    return this.script(outgoing, attempt);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export const accept = (outgoing: OutgoingMessage): SendOutcome => ({ kind: "accepted", providerId: `p-${outgoing.messageId}` });

export function lane(provider: Provider, changes: Partial<Lane> = {}): Lane {
  return { name: "email", provider, inFlight: 4, ratePerSecond: Infinity, onDoubt: "hold", earlier: NOTHING_EARLIER, ...changes };
}

/** Everything around a delivery, with each append kept as it was. */
export function world(on: Lane, clock = new FakeClock(), changes: Partial<DeliveryIo<TestClaim>> = {}) {
  const appends: DeliveryEvent<TestClaim>[][] = [];
  const io: DeliveryIo<TestClaim> = {
    render: ({ messageId, segment, channel, address }) => message({ messageId, segment, channel, address }),
    lane: () => on,
    append: (events) => {
      appends.push([...events]);
      return Promise.resolve(NOTHING_PAUSED);
    },
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    ...changes,
  };
  return {
    io,
    clock,
    appends,
    events: () => appends.flat(),
    outcomes: () => appends.flat().filter(({ event }) => event !== "sending"),
  };
}

/** Outcomes by claim, as `event` or `event reason`. */
export function told(events: readonly DeliveryEvent<TestClaim>[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const event of events) {
    if (event.event === "sending") continue;
    (found[event.claim.messageId] ??= []).push("reason" in event ? `${event.event} ${event.reason}` : event.event);
  }
  return found;
}
