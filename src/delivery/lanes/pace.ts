/** How far ahead of its requests a lane is marked at most, ms. */
export const AHEAD_MS = 100;

/**
 * How many messages a lane got rid of within the last AHEAD_MS. Time is passed in, so nothing here
 * waits.
 */
export class Pace {
  /** When, epoch ms, oldest first. */
  #times: number[] = [];
  #head = 0;

  /** The provider took or refused a message. */
  add(now: number): void {
    this.#forget(now);
    this.#times.push(now);
  }

  /** Messages within the last AHEAD_MS before `now` (epoch ms). */
  count(now: number): number {
    this.#forget(now);
    return this.#times.length - this.#head;
  }

  /** A clock set back must not keep what is past. */
  #forget(now: number): void {
    while (this.#head < this.#times.length && Math.abs(now - (this.#times[this.#head] ?? 0)) >= AHEAD_MS) this.#head += 1;
    if (this.#head < 1_000) return;
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
