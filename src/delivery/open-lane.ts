import { LaneQueue, type QueueHooks } from "./queue.js";
import { REST_MS, Throttle } from "./throttle.js";
import type { Lane, SendOutcome, StopKind } from "./types.js";

/** Why no further message of a lane is posted in this run. */
export interface Stop {
  kind: StopKind;
  reason: string;
}

/** One lane in a run: its waiting line, how much of it may be under way, and why it stopped, if it did. */
export class OpenLane<E> {
  readonly queue: LaneQueue<E>;
  readonly throttle: Throttle;
  stop: Stop | null = null;

  constructor(lane: Pick<Lane, "inFlight" | "ratePerSecond">, hooks: Omit<QueueHooks<E>, "window">) {
    const throttle = new Throttle(lane.inFlight);
    this.throttle = throttle;
    this.queue = new LaneQueue<E>(lane.ratePerSecond, { ...hooks, window: () => throttle.window });
  }

  /**
   * What an answer says of the provider, whatever it says of the message: no answer, no connection and an error of the
   * provider's own are failures; one with a word on when to come back asks for patience. `request` is the number that it began
   * with, `message` remembers whether it failed before, `now` is epoch milliseconds. Gives why the lane must stop, null if it
   * goes on.
   */
  learn(request: number, message: { failed: boolean }, outcome: SendOutcome, now: number): Stop | null {
    switch (outcome.kind) {
      case "unauthorised":
        return { kind: "refused", reason: outcome.reason };
      case "accepted":
        this.throttle.good(request, this.queue.full);
        return null;
      case "rejected":
        if (outcome.unposted !== true) this.throttle.good(request, this.queue.full);
        return null;
      case "try_again":
        if (outcome.afterMs === null) return this.#failure(request, message, outcome.reason, now);
        this.throttle.patience();
        return null;
      case "in_doubt":
        return this.#failure(request, message, outcome.reason, now);
    }
  }

  #failure(request: number, message: { failed: boolean }, reason: string, now: number): Stop | null {
    const consequence = this.throttle.failure(request, message.failed);
    message.failed = true;
    if (consequence === "rest") this.queue.holdUntil(now + REST_MS);
    if (consequence !== "stop") return null;
    return {
      kind: "unavailable",
      reason: `${reason} (${this.throttle.failures} messages in a row failed, and another request ${REST_MS / 1000} seconds later)`,
    };
  }
}
