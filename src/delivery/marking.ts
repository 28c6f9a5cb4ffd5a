/** When messages are marked `sending`, and how many at once. */
import type { Marks } from "../core/marks.js";
import type { Entry, Posting } from "./posting.js";
import type { DeliverableClaim } from "./types.js";

export class Marking<T extends DeliverableClaim> {
  readonly #posting: Posting<T>;
  readonly #marks: Marks;
  /** Messages marked, or being marked, that have no outcome yet. */
  #open = 0;

  constructor(posting: Posting<T>, marks: Marks) {
    this.#posting = posting;
    this.#marks = marks;
  }

  /** Messages marked, or being marked, that have no outcome yet. */
  get open(): number {
    return this.#open;
  }

  /** So many have their outcome, or were not marked after all. The next append takes the outcomes along. */
  close(count: number): void {
    this.#open -= count;
  }

  /**
   * What to mark with the append that begins now. `appendMs`: how long one takes at present; `last`: no further message is rendered
   * before these are taken.
   */
  next(appendMs: number, last: boolean): Entry<T>[] {
    const { together, unanswered } = this.#marks;
    const room = unanswered - this.#open;
    const { ready } = this.#posting;
    const few = together === 1;
    const due = few ? this.#posting.hungry(appendMs) : (last || ready >= together) && room >= Math.min(together, ready);
    if (!due && !this.#posting.stopping) return [];
    const entries = this.#posting.take(few ? room : Math.min(room, together), few ? appendMs : null);
    this.#open += entries.length;
    return entries;
  }
}
