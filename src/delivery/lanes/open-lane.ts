import { AHEAD_MS, Pace } from "./pace.js";
import { LaneQueue, type QueueHooks } from "./queue.js";
import { Rejections } from "./rejections.js";
import { REST_MS, Throttle } from "./throttle.js";
import type { Lane, SendOutcome, StopKind } from "../types.js";

/** Why no further message of a lane is posted in this run. */
export interface Stop {
  kind: StopKind;
  reason: string;
}

/**
 * The line is filled again when it lasts for so many appends: one takes longer than the last one
 * did.
 */
const REFILL_APPENDS = 1.5;

/**
 * One lane in a run: what is rendered, what is marked and waits, how much may be under way, and why
 * it stopped, if it did.
 */
export class OpenLane<E> {
  readonly queue: LaneQueue<E>;
  readonly throttle: Throttle;
  readonly rejections: Rejections<E>;
  stop: Stop | null = null;
  /** Requests that have begun and are not answered. */
  underWay = 0;
  /** Entries taken to be marked that have no outcome yet. */
  unanswered = 0;
  readonly #pace = new Pace();
  readonly #hooks: Omit<QueueHooks<E>, "window">;
  /** Rendered, not yet marked `sending`. */
  #ready: E[] = [];
  /** Messages that may start within AHEAD_MS at the lane's rate; 1 at least. */
  readonly #mostAhead: number;
  /** The hold, epoch ms, for which all of `#ready` can wait. */
  #knownHold = 0;
  /** What the last failure said. */
  #lastFailure = "";

  constructor(lane: Pick<Lane, "inFlight" | "ratePerSecond" | "earlier">, hooks: Omit<QueueHooks<E>, "window">) {
    const throttle = new Throttle(lane.inFlight, lane.earlier.failures);
    const rejections = new Rejections<E>(lane.earlier.rejections);
    this.throttle = throttle;
    this.rejections = rejections;
    this.#mostAhead = Math.max(1, Math.floor((lane.ratePerSecond * AHEAD_MS) / 1_000));
    this.#hooks = hooks;
    this.queue = new LaneQueue<E>(lane.ratePerSecond, { ...hooks, window: () => (rejections.undecided ? 0 : throttle.window) });
  }

  /** Keeps a rendered entry until it is to be marked. */
  prepare(entry: E): void {
    this.#ready.push(entry);
    this.#knownHold = 0;
  }

  /** Rendered entries that are not marked. */
  get ready(): number {
    return this.#ready.length;
  }

  /** Whether the line runs dry before another append is over. `appendMs`: how long one takes. */
  hungry(now: number, appendMs: number): boolean {
    return this.queue.waiting <= (this.#pace.count(now) * REFILL_APPENDS * appendMs) / AHEAD_MS;
  }

  /**
   * The entries to mark now, at most `most`: as many as fill the free places, and what the lane has
   * taken within the last tenth of a second, so that it does not run dry. So a lane is marked for a
   * few messages when a run begins, for more as it opens, and for none while it is held. Entries
   * that may not be posted any more are settled instead. `appendMs` null: all there are.
   */
  take(most: number, now: number, appendMs: number | null): E[] {
    const held = now < this.queue.heldUntil;
    if (held) this.#settleHopeless(now);
    const give = held ? 0 : Math.min(most, appendMs === null ? Infinity : this.#wanted(now, appendMs));
    const taken: E[] = [];
    let at = 0;
    for (const entry of this.#ready) {
      const may = this.#hooks.mayStart(entry, now);
      if (may && taken.length >= give) break;
      at += 1;
      if (may) taken.push(entry);
    }
    this.#ready = this.#ready.slice(at);
    this.unanswered += taken.length;
    return taken;
  }

  #wanted(now: number, appendMs: number): number {
    const ahead = (this.#pace.count(now) * (AHEAD_MS + REFILL_APPENDS * appendMs)) / AHEAD_MS;
    return Math.min(this.queue.free, this.#mostAhead) + Math.floor(ahead) - this.queue.waiting;
  }

  /**
   * Nothing starts now. Messages that can't wait for the end of the hold are settled; for the
   * others it is awaited.
   */
  #settleHopeless(now: number): void {
    const { heldUntil } = this.queue;
    if (this.#knownHold !== heldUntil) {
      this.#knownHold = heldUntil;
      this.#ready = this.#ready.filter((entry) => this.#hooks.mayStart(entry, now) && this.#hooks.mayWait(entry, heldUntil));
    }
    if (this.ready > 0) this.queue.awaitHold(now);
  }

  /**
   * What an answer says of the provider, whatever it says of the message: no answer, no connection
   * and an error of the provider's own are failures; one with a word on when to come back asks for
   * patience. `request` is the number that it began with, `message` remembers whether it failed
   * before, `now` is epoch milliseconds. Gives why the lane must stop, null if it goes on.
   */
  learn(request: number, message: { failed: boolean }, outcome: SendOutcome, now: number): Stop | null {
    switch (outcome.kind) {
      case "unauthorised":
        return { kind: "refused", reason: outcome.reason };
      case "accepted":
        this.#pace.add(now);
        this.throttle.good(request, this.#full);
        return null;
      case "rejected":
        this.#pace.add(now);
        if (outcome.unposted !== true) this.throttle.good(request, this.#full);
        return null;
      case "try_again":
        if (outcome.afterMs === null) return this.#failure(request, message, outcome.reason, now);
        this.throttle.patience();
        return null;
      case "in_doubt":
        return this.#failure(request, message, outcome.reason, now);
    }
  }

  /**
   * Whether more could have been under way if the window, or the marks, had let it; not where the
   * rate is what limits the lane.
   */
  get #full(): boolean {
    return this.queue.full || (this.queue.waiting === 0 && this.ready > 0);
  }

  #failure(request: number, message: { failed: boolean }, reason: string, now: number): Stop | null {
    const consequence = this.throttle.failure(request, message.failed);
    message.failed = true;
    this.#lastFailure = reason;
    if (consequence === "rest") this.queue.holdUntil(now + REST_MS);
    if (consequence !== "stop") return null;
    const rested = this.throttle.failures > this.throttle.earlier;
    return { kind: "unavailable", reason: `${reason} (${this.#inARow()}, and another request${rested ? ` ${String(REST_MS / 1000)} seconds later` : ""})` };
  }

  /**
   * Why the lane must stop at the end of the run: too many failed, and no message was left to
   * decide; null if not.
   */
  get lastWord(): Stop | null {
    return this.stop === null && this.throttle.undecided ? { kind: "unavailable", reason: `${this.#lastFailure} (${this.#inARow()})` } : null;
  }

  #inARow(): string {
    const { failures, earlier } = this.throttle;
    return `${String(failures)} messages in a row failed${earlier === 0 ? "" : `, ${String(earlier)} of them in earlier runs`}`;
  }
}
