/** The delivery of a run's claims: in batches, `sending` before the first post of each, every claim to one outcome. */
import { setMaxListeners } from "node:events";
import { Tally, type ChannelCounts, type DeliveryCounts } from "./counts.js";
import { Journal } from "./journal.js";
import { LatencyHistogram, type Latency } from "./latency.js";
import { sleep as realSleep } from "./limits.js";
import { Posting, type Entry } from "./posting.js";
import type { DeliverableClaim, DeliveryEvent, Lane, OutcomeEvent, OutgoingMessage, PauseState, StopKind, StoppedChannel } from "./types.js";

/** The world around a delivery. */
export interface DeliveryIo<T extends DeliverableClaim> {
  /** The message of a claim, or why there can be none: the claim fails as `invalid`. */
  render(claim: T): OutgoingMessage | { invalid: string };
  /** Which provider takes a message, with its limits. The same object each time for messages that share limits. */
  lane(message: OutgoingMessage, claim: T): Lane;
  /** Writes events to the ledger, all of them or none; gives what is paused then. Never called again before the last call ended. */
  append(events: readonly DeliveryEvent<T>[]): Promise<PauseState>;
  /** Epoch milliseconds by the wall's clock. */
  now(): number;
  /** Resolves after `ms` milliseconds, or as soon as the signal fires. Default: a timer. */
  sleep?(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1), for jitter. Default: Math.random. */
  random?(): number;
}

export interface DeliveryOptions {
  /** Epoch milliseconds: nothing is posted from then on. Asked before every post: the lease's end less a margin. */
  sendUntil(): number;
  /** No new post from then on: what is under way is waited for, the rest is released. */
  stop?: AbortSignal;
  /** Gives up answers that are still awaited: they are in doubt. For a process that must end now; fire `stop` first. */
  abandon?: AbortSignal;
  /** Most attempts for a message; default 5. */
  attempts?: number;
  /** Backoff without the provider's word: base 500 ms, at most 30,000 ms, with full jitter. */
  backoff?: { baseMs: number; longestMs: number };
  /** Outcomes older than this are written without waiting for the next batch; default 2,000 ms. */
  flushAfterMs?: number;
  /** Called after every append and at the end. */
  onProgress?(progress: DeliveryProgress): void;
}

export interface DeliveryProgress {
  /** Claims read so far. */
  claims: number;
  /** Claims with an outcome, and which. */
  settled: number;
  counts: DeliveryCounts;
}

export interface DeliveryResult extends DeliveryProgress {
  /** False if a channel stopped: the run ends with exit code 1. */
  ok: boolean;
  /** By name: channels whose provider refused them, or took nothing any more. */
  stoppedChannels: ReadonlyMap<string, StoppedChannel>;
  /** Requests made, retries included. */
  posts: number;
  /** From handing a message to the provider until its answer, over all attempts. */
  latency: Latency;
  /** From falling due until the provider accepted. */
  lag: Latency;
  /** Outcomes by channel. */
  channels: ReadonlyMap<string, ChannelCounts>;
}

/**
 * How long a stopped channel is better left alone, ms: outages of a provider last minutes, and each further try may leave a few
 * messages in doubt; a key or a sender waits for a person.
 */
export const PAUSE_MS: Readonly<Record<StopKind, number>> = { unavailable: 15 * 60_000, refused: 60 * 60_000 };

/** Rendering is synchronous: after so many messages, answers that came meanwhile are heard. */
const RENDERED_AT_A_STRETCH = 16;

/**
 * Delivers claims batch by batch. While one batch is posted the next is read and rendered, and its `sending` rows go with the
 * outcomes known by then in one append; a batch begins when no more messages than its own are still under way, so that two
 * batches overlap and one slow message does not hold up the rest.
 *
 * Each claim gets exactly one outcome event. `on_doubt: resend` posts a message in doubt once more in this run; whatever that
 * says short of "accepted", it stays in doubt. A lane begins with few requests at once, and stops where its provider refuses
 * the channel or takes nothing any more (throttle.ts): whatever of it is not under way is released.
 *
 * Rejects with the first error of `batches`, `render`, `lane` or `append`, after what was under way has ended and its
 * outcomes were offered to `append` once more. Claims not settled by then have no outcome: recovery decides on them.
 */
export async function deliverClaims<T extends DeliverableClaim>(
  batches: AsyncIterable<readonly T[]>,
  io: DeliveryIo<T>,
  options: DeliveryOptions,
): Promise<DeliveryResult> {
  const stopping = new AbortController();
  // Every sleeping message listens: hundreds are no leak.
  setMaxListeners(0, stopping.signal);
  const stop = (): void => stopping.abort();
  if (options.stop?.aborted === true) stop();
  options.stop?.addEventListener("abort", stop);
  const abandon = options.abandon ?? new AbortController().signal;
  const flushAfterMs = options.flushAfterMs ?? 2000;
  const tally = new Tally();
  const lag = new LatencyHistogram();
  const journal = new Journal<T>(io.append);
  const failures: unknown[] = [];
  let claims = 0;
  let settled = 0;
  /** Claims with a `sending` row and no outcome. */
  let open = 0;
  let opened: { below: number; resolve: () => void } | null = null;

  const progress = (): DeliveryProgress => ({ claims, settled, counts: tally.counts });
  const fail = (error: unknown): void => {
    failures.push(error);
    stop();
  };
  const record = (outcome: OutcomeEvent<T>): void => {
    settled += 1;
    tally.add(outcome);
    if (outcome.event === "accepted") lag.record(outcome.at - outcome.claim.dueAt);
    journal.add(outcome);
  };
  const write = async (sending: readonly DeliveryEvent<T>[]): Promise<void> => {
    posting.pauses = (await journal.write(sending)) ?? posting.pauses;
    options.onProgress?.(progress());
  };
  const flushIfOlderThan = (ms: number): void => {
    const { oldest } = journal;
    if (oldest !== null && io.now() - oldest >= ms && !journal.writeQueued && failures.length === 0) void write([]).catch(fail);
  };
  const openAtMost = (below: number): Promise<void> => (open <= below ? Promise.resolve() : new Promise((resolve) => (opened = { below, resolve })));

  const posting = new Posting<T>(
    {
      now: io.now,
      sleep: io.sleep ?? realSleep,
      random: io.random ?? Math.random,
      sendUntil: options.sendUntil,
      settled(outcome) {
        record(outcome);
        open -= 1;
        flushIfOlderThan(flushAfterMs);
        if (opened !== null && open <= opened.below) {
          const { resolve } = opened;
          opened = null;
          resolve();
        }
      },
      // With a long wait ahead nothing else would write what is known.
      resting: (ms) => flushIfOlderThan(Math.max(0, flushAfterMs - ms)),
    },
    {
      attempts: options.attempts ?? 5,
      backoffBaseMs: options.backoff?.baseMs ?? 500,
      backoffLongestMs: options.backoff?.longestMs ?? 30_000,
    },
    stopping.signal,
    abandon,
  );

  /** Settles what can't be sent and gives what can. */
  const hindered = (claim: T, lane: Lane | null): boolean => {
    const now = io.now();
    const hindrance = posting.hindrance(claim, lane, now);
    if (hindrance !== null) record({ event: "released", claim, at: now, ...hindrance });
    return hindrance !== null;
  };
  const prepare = async (batch: readonly T[]): Promise<Entry<T>[]> => {
    const entries: Entry<T>[] = [];
    for (const [at, claim] of batch.entries()) {
      if (at % RENDERED_AT_A_STRETCH === RENDERED_AT_A_STRETCH - 1) await new Promise(setImmediate);
      if (hindered(claim, null)) continue;
      const message = io.render(claim);
      if ("invalid" in message) record({ event: "failed", claim, at: io.now(), reason: "invalid", detail: message.invalid });
      else entries.push({ claim, message, lane: io.lane(message, claim), attempts: 0, firstRequest: 0, failed: false, doubt: null });
    }
    return entries;
  };

  try {
    for await (const batch of batches) {
      claims += batch.length;
      const prepared = await prepare(batch);
      await openAtMost(batch.length);
      if (failures.length > 0) break;
      const entries = prepared.filter((entry) => !hindered(entry.claim, entry.lane));
      const now = io.now();
      await write(entries.map(({ claim }) => ({ event: "sending", claim, at: now })));
      open += entries.length;
      // Pauses read with that commit are the latest: whatever they stop is released, not posted.
      posting.start(entries);
    }
  } catch (error) {
    fail(error);
  }
  await openAtMost(0);
  options.stop?.removeEventListener("abort", stop);
  try {
    await write([]);
  } catch (error) {
    failures.push(error);
  }
  if (failures.length > 0) throw failures[0];
  return {
    ...progress(),
    ok: posting.stopped.size === 0,
    stoppedChannels: new Map(
      [...posting.stopped].map(([name, stop]) => {
        const { accepted, inDoubt, released } = tally.ofChannel(name);
        return [name, { ...stop, pauseMs: PAUSE_MS[stop.kind], accepted, inDoubt, released }];
      }),
    ),
    posts: posting.posts,
    latency: posting.latency.summary(),
    lag: lag.summary(),
    channels: tally.channels,
  };
}
