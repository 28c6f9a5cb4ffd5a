/** How fast requests may start. Time is passed in, so nothing here waits. */
import type { StopKind } from "../types.js";

/**
 * A burst is what one lost 20 ms turn of the event loop would have sent: timers are not finer, and
 * sockets like it even.
 */
const BURST_SECONDS = 0.02;

/**
 * A token bucket that never lets more than `ratePerSecond` requests start within any one second:
 * the burst it allows is taken off the rate at which it fills. Rates below 1 work (0.5: one every
 * two seconds); Infinity never waits.
 */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  /**
   * `now` is epoch milliseconds, or any clock that `take` uses too. Throws RangeError for a rate
   * that is not above 0.
   */
  constructor(ratePerSecond: number, now: number) {
    if (!(ratePerSecond > 0)) throw new RangeError(`a rate must be above 0 requests a second, not ${ratePerSecond}`);
    this.#burst = Math.max(1, Math.floor(Math.min(ratePerSecond, Number.MAX_SAFE_INTEGER) * BURST_SECONDS));
    this.#perMs = ratePerSecond === Infinity ? Infinity : (ratePerSecond - (this.#burst - 1)) / 1000;
    this.#tokens = this.#burst;
    this.#at = now;
  }

  /** Takes a token and gives 0, or gives the milliseconds until there will be one. */
  take(now: number): number {
    if (this.#perMs === Infinity) return 0;
    // A clock set back must not fill the bucket, nor stop it until the old time is reached again.
    const passed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + passed * this.#perMs);
    // Refilling adds up fractions: what is a token but for rounding is a token.
    const missing = 1 - 1e-9 - this.#tokens;
    if (missing <= 0) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.ceil(missing / this.#perMs);
  }
}

/**
 * Milliseconds before attempt number `failed + 1`, after `failed` (1 and more) failures:
 * exponential with full jitter, i.e. anything between 0 and `base * 2^(failed - 1)`, at most
 * `longest`. `random` is in [0, 1).
 */
export function backoffMs(failed: number, base: number, longest: number, random: () => number): number {
  return Math.round(random() * Math.min(longest, base * 2 ** Math.min(failed - 1, 30)));
}

/**
 * Resolves after `ms` milliseconds, or at once when the signal fires: the caller looks at the
 * signal itself.
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    // setTimeout turns anything longer than 2^31 - 1 ms into 1 ms.
    const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
    signal.addEventListener("abort", done, { once: true });
  });
}

/**
 * How long a stopped channel is better left alone, ms: outages of a provider last minutes, and each further try may leave a few
 * messages in doubt; a key or a sender waits for a person.
 */
export const PAUSE_MS: Readonly<Record<StopKind, number>> = { unavailable: 15 * 60_000, refused: 60 * 60_000, rejected: 60 * 60_000, clock: 60 * 60_000 };
