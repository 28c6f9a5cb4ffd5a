/** When messages are marked `sending`, and how many at once. */
import type { Marks } from "../../core/marks.js";
import type { Entry } from "./attempts.js";
import type { Posting } from "./posting.js";
import type { DeliverableClaim } from "../types.js";

/**
 * Of the room that there is in small steps, one lane alone leaves an eighth to others: what it
 * holds may be unanswered for long.
 */
const OF_ONE_LANE = 7 / 8;

export class Marking<T extends DeliverableClaim> {
  readonly #posting: Posting<T>;
  readonly #marks: Marks;

  constructor(posting: Posting<T>, marks: Marks) {
    this.#posting = posting;
    this.#marks = marks;
  }

  /**
   * What to mark with the append that begins now. `appendMs`: how long one takes at present;
   * `last`: no further message is rendered before these are taken.
   */
  next(appendMs: number, last: boolean): Entry<T>[] {
    const marks = this.#marks;
    // Rejections that wait for others have their answer: they must not keep others from being
    // asked.
    const room = marks.unanswered - this.#posting.unanswered + this.#posting.undecided;
    const { ready, stopping } = this.#posting;
    if (marks.kind === "steps") {
      if (!this.#posting.hungry(appendMs) && !stopping) return [];
      return this.#posting.take(room, marks.unanswered, Math.floor(marks.unanswered * OF_ONE_LANE), appendMs);
    }
    const due = (last || ready >= marks.size) && room >= Math.min(marks.size, ready);
    if (!due && !stopping) return [];
    return this.#posting.take(Math.min(room, marks.size), marks.unanswered, marks.unanswered, null);
  }
}
