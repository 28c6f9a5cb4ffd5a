/** The delivery of a run's claims: `sending` before each post, every claim to one outcome. */
import { setMaxListeners } from "node:events";
import type { Failures } from "../core/failures.js";
import type { Marks } from "../core/marks.js";
import { Tally, type ChannelCounts, type DeliveryCounts, type InvalidSegment } from "./counts.js";
import { Journal } from "./journal.js";
import { LatencyHistogram, type Latency } from "./latency.js";
import { sleep as realSleep } from "./lanes/limits.js";
import { Marking } from "./lanes/marking.js";
import type { Entry } from "./lanes/attempts.js";
import { PAUSE_MS } from "./lanes/limits.js";
import { Posting } from "./lanes/posting.js";
import type { DeliverableClaim, DeliveryEvent, Lane, OutcomeEvent, OutgoingMessage, PauseState, StoppedChannel } from "./types.js";

/** The world around a delivery. */
export interface DeliveryIo<T extends DeliverableClaim> {
  /** The message of a claim, or why there can be none: the claim fails as `invalid`. */
  render(claim: T): OutgoingMessage | { invalid: string };
  /** Which provider takes a message, with its limits. The same object each time for messages that share limits. */
  lane(message: OutgoingMessage, claim: T): Lane;
  /**
   * Writes events to the ledger, all of them or none; gives what is paused then. Never called again before the last call ended.
   * Events of a call that rejects are offered again, unless it may stand: UncertainAppendError.
   */
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
  /** Outcomes older than this, ms, are written although nothing is to be marked. */
  flushAfterMs: number;
  /** How messages are marked `sending`. */
  marks: Marks;
  /** Called after every append and at the end. What it throws is dropped. */
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
  /** Why messages failed, the commonest reason first. */
  reasons: readonly Failures[];
  /** Segments each of whose messages was found invalid. */
  invalidSegments: readonly InvalidSegment[];
}

/** Rendering is synchronous: after so many messages, answers that came meanwhile are heard. */
const RENDERED_AT_A_STRETCH = 16;

/**
 * Delivers claims in the order of the line. Batches are read and rendered ahead; messages are marked `sending` in small steps, as
 * the lanes need them (open-lane.ts), each step in one append with the outcomes known by then (journal.ts). A message is posted
 * only after its mark is committed. So what is marked and unanswered, which a crash leaves in doubt, is what is under way, what a
 * lane starts within a tenth of a second, and the outcomes that are not written yet: never more than `marks.unanswered`.
 *
 * Each claim gets exactly one outcome event. `on_doubt: resend` posts a message in doubt once more in this run; whatever that
 * says short of "accepted", it stays in doubt. A lane begins with few requests at once, and stops where its provider refuses
 * the channel or takes nothing any more (throttle.ts): whatever of it is not under way is released.
 *
 * Rejects with the first error of `batches`, `render`, `lane` or `append`, after what was under way has ended and its
 * outcomes were offered to `append` once more, but for those whose append may stand. Claims not settled by then have no outcome: recovery decides on them.
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
  const sleep = io.sleep ?? realSleep;
  const tally = new Tally();
  const lag = new LatencyHistogram();
  const failures: unknown[] = [];
  let claims = 0;
  let settled = 0;
  let reading = true;
  /** Goes on once that is so. */
  let waiting: { until: () => boolean; resolve: () => void } | null = null;

  const progress = (): DeliveryProgress => ({ claims, settled, counts: tally.counts });
  const tell = (): void => {
    try {
      options.onProgress?.(progress());
    } catch {
      // A listener that fails must not end what is under way.
    }
  };
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
  const when = (until: () => boolean): Promise<void> => (until() ? Promise.resolve() : new Promise((resolve) => (waiting = { until, resolve })));
  const look = (): void => {
    if (waiting?.until() !== true) return;
    const { resolve } = waiting;
    waiting = null;
    resolve();
  };

  const posting = new Posting<T>(
    {
      now: io.now,
      sleep,
      random: io.random ?? Math.random,
      sendUntil: options.sendUntil,
      settled(outcome) {
        record(outcome);
        look();
      },
      moved: () => journal.wake(),
    },
    {
      attempts: options.attempts ?? 5,
      backoffBaseMs: options.backoff?.baseMs ?? 500,
      backoffLongestMs: options.backoff?.longestMs ?? 30_000,
    },
    stopping.signal,
    abandon,
  );
  const marking = new Marking(posting, options.marks);
  const journal = new Journal<T, Entry<T>>(
    {
      append: io.append,
      now: io.now,
      sleep,
      next(appendMs) {
        const entries = marking.next(appendMs, !reading || waiting !== null);
        look();
        return entries;
      },
      written(entries, pauses) {
        // Pauses read with that commit are the latest: whatever they stop is released, not posted.
        posting.pauses = pauses;
        tell();
        posting.start(entries);
        look();
      },
      failed(error, entries) {
        posting.drop(entries);
        fail(error);
        look();
      },
    },
    options.flushAfterMs,
  );

  const prepare = async (batch: readonly T[]): Promise<void> => {
    for (const [at, claim] of batch.entries()) {
      if (at % RENDERED_AT_A_STRETCH === RENDERED_AT_A_STRETCH - 1) await new Promise(setImmediate);
      const now = io.now();
      const hindrance = posting.hindrance(claim, null, now);
      const message = hindrance === null ? io.render(claim) : null;
      if (hindrance !== null) record({ event: "released", claim, at: now, ...hindrance });
      else if (message === null) continue;
      else if ("invalid" in message) record({ event: "failed", claim, at: io.now(), reason: "invalid", detail: message.invalid });
      else posting.prepare({ claim, message, lane: io.lane(message, claim), marked: false, attempts: 0, firstRequest: 0, failed: false, doubt: null });
      journal.wake();
    }
  };

  try {
    for await (const batch of batches) {
      claims += batch.length;
      await prepare(batch);
      // One batch ahead: while one is posted the next is read and rendered.
      const ahead = when(() => failures.length > 0 || posting.ready <= batch.length);
      journal.wake();
      await ahead;
      if (failures.length > 0) break;
    }
  } catch (error) {
    fail(error);
  }
  reading = false;
  const over = when(() => posting.unanswered === posting.undecided && (failures.length > 0 || posting.ready === 0));
  journal.wake();
  await over;
  posting.conclude();
  options.stop?.removeEventListener("abort", stop);
  try {
    await journal.end();
  } catch (error) {
    failures.push(error);
  }
  tell();
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
    reasons: tally.reasons,
    invalidSegments: tally.invalidSegments,
  };
}
