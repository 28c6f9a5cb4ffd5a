/**
 * From an entry that may be posted to its one outcome: attempts, waits, and what an answer means
 * for the message.
 */
import { LatencyHistogram } from "../latency.js";
import { backoffMs } from "./limits.js";
import type { OpenLane, Stop } from "./open-lane.js";
import type { Rejection } from "./rejections.js";
import type { DeliverableClaim, Lane, OutcomeEvent, OutgoingMessage, ReleaseReason, SendOutcome } from "../types.js";

/** A rendered claim on its way. */
export interface Entry<T extends DeliverableClaim> {
  readonly claim: T;
  readonly message: OutgoingMessage;
  readonly lane: Lane;
  /** Whether its `sending` row is committed. */
  marked: boolean;
  attempts: number;
  /** The lane's number of its first request; 0 before it. */
  firstRequest: number;
  /** Whether an attempt of it counts as a failure of the provider: further ones don't. */
  failed: boolean;
  /**
   * Why an earlier attempt is in doubt (`on_doubt: resend`): from then on it can't be called
   * released or rejected.
   */
  doubt: string | null;
}

export interface PostingHooks<T extends DeliverableClaim> {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after the time, or as soon as the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
  /**
   * Epoch milliseconds: nothing is posted from then on. Asked before every post, as a lease may be
   * renewed.
   */
  sendUntil(): number;
  /** Takes each entry's outcome, exactly once. */
  settled(outcome: OutcomeEvent<T>): void;
  /** There may be more to mark, or less that waits for it. */
  moved(): void;
}

/** What attempts need of the lanes of the run. */
export interface Lanes<T extends DeliverableClaim> {
  open(lane: Lane): OpenLane<Entry<T>>;
  /**
   * Whether the entry may be posted now, or wait until this time (epoch ms); if not, it is settled.
   */
  mayStart(entry: Entry<T>, now: number): boolean;
  mayWait(entry: Entry<T>, until: number): boolean;
  /** An attempt of the entry counts as a failure of its lane. */
  failed(entry: Entry<T>): void;
  /** Whatever of the entry's lane is not under way is released. */
  stopLane(entry: Entry<T>, stop: Stop): void;
}

export interface PostingLimits {
  /** Most attempts for a message. */
  attempts: number;
  backoffBaseMs: number;
  backoffLongestMs: number;
}

/** Attempts of all lanes of a run. */
export class Attempts<T extends DeliverableClaim> {
  readonly latency = new LatencyHistogram();
  /** Requests made, retries included. */
  posts = 0;
  readonly #lanes: Lanes<T>;
  readonly #hooks: PostingHooks<T>;
  readonly #limits: PostingLimits;
  readonly #stop: AbortSignal;
  readonly #abandon: AbortSignal;

  constructor(lanes: Lanes<T>, hooks: PostingHooks<T>, limits: PostingLimits, stop: AbortSignal, abandon: AbortSignal) {
    this.#lanes = lanes;
    this.#hooks = hooks;
    this.#limits = limits;
    this.#stop = stop;
    this.#abandon = abandon;
  }

  /** Makes one attempt. Never rejects. */
  async make(entry: Entry<T>): Promise<void> {
    const begun = this.#hooks.now();
    const open = this.#lanes.open(entry.lane);
    const request = open.throttle.begin();
    open.underWay += 1;
    if (entry.attempts === 0) entry.firstRequest = request;
    entry.attempts += 1;
    let outcome: SendOutcome;
    try {
      outcome = await entry.lane.provider.send(entry.message, this.#abandon);
    } catch {
      // Against its contract, and after who knows what; its message is not repeated, as it may hold
      // the request.
      outcome = { kind: "in_doubt", reason: "the provider's code failed while the message was with it" };
    }
    const now = this.#hooks.now();
    const unposted = outcome.kind === "rejected" && outcome.unposted === true;
    if (!unposted) this.posts += 1;
    if (!unposted && outcome.kind !== "try_again") this.latency.record(now - begun);
    const learned = open.learn(request, entry, outcome, now);
    const stop = outcome.wrongClock === undefined ? learned : { kind: "clock" as const, reason: outcome.wrongClock };
    if (entry.failed) this.#lanes.failed(entry);
    if (stop !== null) this.#lanes.stopLane(entry, stop);
    this.#judge(entry, outcome, now);
    open.underWay -= 1;
    if (open.underWay === 0) this.#pass(open, entry);
  }

  /** Passes sentence on those rejected alike, now that every answer has come. */
  #pass(open: OpenLane<Entry<T>>, entry: Entry<T>): void {
    const sentence = open.rejections.sentence();
    if (sentence === null) return;
    this.fail(sentence.failed);
    for (const { entry: each } of sentence.released) this.release(each, "channel_stopped", sentence.stop);
    this.#lanes.stopLane(entry, { kind: "rejected", reason: sentence.stop });
  }

  /** Settles rejections that waited for others. */
  fail(rejections: readonly Rejection<Entry<T>>[]): void {
    for (const { entry, reason, at } of rejections) this.#settle(entry, { event: "failed", claim: entry.claim, at, reason: "rejected", detail: reason });
  }

  #judge(entry: Entry<T>, outcome: SendOutcome, now: number): void {
    const { claim, lane } = entry;
    switch (outcome.kind) {
      case "accepted":
        this.fail(this.#lanes.open(lane).rejections.accepted());
        this.#settle(entry, { event: "accepted", claim, at: now, providerId: outcome.providerId });
        return;
      case "rejected":
        if (entry.doubt !== null) this.#settleInDoubt(entry, `${entry.doubt}; resent and refused: ${outcome.reason}`);
        else if (outcome.unposted === true)
          this.#settle(entry, { event: "failed", claim, at: now, reason: "rejected", detail: outcome.reason, unposted: true });
        else this.fail(this.#lanes.open(lane).rejections.rejected({ entry, reason: outcome.reason, at: now }));
        return;
      case "unauthorised":
        this.release(entry, "channel_stopped", outcome.reason);
        return;
      case "in_doubt":
        if (lane.onDoubt === "hold" || entry.doubt !== null) this.#settleInDoubt(entry, outcome.reason);
        else {
          entry.doubt = outcome.reason;
          void this.#again(entry, now);
        }
        return;
      case "try_again":
        this.#tryAgain(entry, outcome, now);
    }
  }

  #tryAgain(entry: Entry<T>, outcome: { afterMs: number | null; reason: string }, now: number): void {
    const { attempts } = this.#limits;
    const { queue, throttle } = this.#lanes.open(entry.lane);
    if (entry.attempts >= attempts) {
      // Patience has an end too: a provider that only ever asks for it would hold the run until its
      // lease or the messages' time is over.
      if (outcome.afterMs !== null && !throttle.goodSince(entry.firstRequest)) {
        this.#lanes.stopLane(entry, {
          kind: "unavailable",
          reason: `nothing came through while a message was asked to wait ${attempts} times: ${outcome.reason}`,
        });
      }
      this.release(entry, "provider_unavailable", `${outcome.reason} (attempt ${entry.attempts} of ${attempts})`);
      return;
    }
    if (outcome.afterMs === null) {
      void this.#again(entry, now);
      return;
    }
    // The provider's own word holds for everyone on the lane; our jitter on top keeps a wait of 0
    // from becoming a spin.
    queue.holdUntil(now + Math.max(outcome.afterMs, entry.attempts === 1 ? 0 : this.#backoff(entry)));
    queue.pushFirst(entry);
  }

  /** Another attempt after a wait of its own; the slot is free meanwhile. */
  async #again(entry: Entry<T>, now: number): Promise<void> {
    const wait = this.#backoff(entry);
    if (!this.#lanes.mayStart(entry, now) || !this.#lanes.mayWait(entry, now + wait)) return;
    await this.#hooks.sleep(wait, this.#stop);
    this.#lanes.open(entry.lane).queue.pushFirst(entry);
  }

  #backoff(entry: Entry<T>): number {
    return backoffMs(entry.attempts, this.#limits.backoffBaseMs, this.#limits.backoffLongestMs, this.#hooks.random);
  }

  /** Settles an entry that is not posted, or not again. */
  release(entry: Entry<T>, reason: ReleaseReason, detail: string): void {
    if (entry.doubt !== null) this.#settleInDoubt(entry, `${entry.doubt}; not resent: ${reason}`);
    else this.#settle(entry, { event: "released", claim: entry.claim, at: this.#hooks.now(), reason, detail });
  }

  #settleInDoubt(entry: Entry<T>, detail: string): void {
    this.#settle(entry, { event: "in_doubt", claim: entry.claim, at: this.#hooks.now(), detail });
  }

  #settle(entry: Entry<T>, outcome: OutcomeEvent<T>): void {
    if (entry.marked) this.#lanes.open(entry.lane).unanswered -= 1;
    this.#hooks.settled(outcome);
  }
}
