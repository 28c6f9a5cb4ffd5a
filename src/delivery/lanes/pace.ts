/** How far ahead of its requests a lane is marked at most, ms. */
export const AHEAD_MS = 100;

/**
 * How many messages a lane got rid of within its last AHEAD_MS. While it has nothing to send,
 * because the next step is not committed yet, its time stands still: else a lane that waits for a
 * slow ledger looks like one whose provider is slow, and gets ever less. Time is passed in, so
 * nothing here waits.
 */
export class Pace {
  /** When, in the lane's time, oldest first. */
  #times: number[] = [];
  #head = 0;
  /** How long it had nothing to send, ms. */
  #idleMs = 0;
  /** Since when it has nothing to send, epoch ms; null while it has. */
  #idleSince: number | null = null;

  /** The provider took or refused a message. */
  add(now: number): void {
    this.#times.push(this.#forget(now));
  }

  /** Messages within the last AHEAD_MS before `now` (epoch ms). */
  count(now: number): number {
    this.#forget(now);
    return this.#times.length - this.#head;
  }

  /** The lane has nothing to send from now on. */
  rest(now: number): void {
    this.#idleSince ??= now;
  }

  /** It has something to send from now on. */
  goOn(now: number): void {
    if (this.#idleSince !== null) this.#idleMs += now - this.#idleSince;
    this.#idleSince = null;
  }

  /** Gives the lane's time. A clock set back must not keep what is past. */
  #forget(now: number): number {
    const time = (this.#idleSince ?? now) - this.#idleMs;
    while (this.#head < this.#times.length && Math.abs(time - (this.#times[this.#head] ?? 0)) >= AHEAD_MS) this.#head += 1;
    if (this.#head >= 1_000) {
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
    return time;
  }
}
