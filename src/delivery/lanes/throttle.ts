/**
 * How many requests a lane may have under way, and when its provider counts as gone. Nothing here
 * waits or keeps time.
 */

/**
 * As many are at risk before anything is known of the provider; from 4, six round trips of doubling
 * reach 256.
 */
export const FIRST_WINDOW = 4;
/**
 * Failures in a row before the first good answer: a provider that fails 30 % by chance begins one
 * run in 400 so, and stops one in 1,400.
 */
export const FAILURES_BEFORE_GOOD = 5;
/**
 * Failures in a row later on: by chance at 30 %, a rest in 240,000 messages and a stop in 800,000.
 */
export const FAILURES_AFTER_GOOD = 10;
/**
 * Rest before the one request that decides, ms: a balancer or a server that restarts is back by
 * then.
 */
export const REST_MS = 5_000;

/**
 * What a failure leads to: `rest` for REST_MS, after which one request tries; `stop` for the rest
 * of the run.
 */
export type Consequence = "none" | "rest" | "stop";

/**
 * Slow start and circuit breaker of one lane.
 *
 * **The window** opens by one with each good answer that came while it was full, so that it doubles
 * with each window of them and never grows beyond what the lane's rate uses. It closes by two with
 * each failure, so that half a window of them shuts it to one request; by one where a request begun
 * later was answered well meanwhile, so that failures here and there, less than half, leave it
 * open; and by one with each request for patience: to what the provider took.
 *
 * **The breaker** counts messages that failed since the last good answer, in the order in which
 * their requests began: late failures of a provider that has answered since don't count, and a
 * message counts once, so that one that always fails is not taken for an outage. When there are too
 * many, the lane rests, and one request decides whether it goes on or stops.
 */
export class Throttle {
  readonly #widest: number;
  #window: number;
  /** Requests begun so far; each is known by its number. */
  #begun = 0;
  /** The latest begun request that was answered well; 0 for none. */
  #good = 0;
  /** Requests begun after that which failed, one a message. */
  #failed: number[] = [];
  /** The first request after the rest; null while there is none to come. */
  #deciding: number | null = null;
  /** Messages that failed in a row before this run; 0 after the first good answer. */
  #earlier: number;

  /**
   * `widest`: most requests under way at once. `earlier`: messages that failed in a row in runs
   * before this one.
   */
  constructor(widest: number, earlier: number) {
    this.#widest = widest;
    this.#window = Math.min(FIRST_WINDOW, widest);
    this.#earlier = earlier;
    // There were enough of them: this run's first request decides.
    if (earlier >= FAILURES_BEFORE_GOOD) this.#decide(1);
  }

  /** Requests that may be under way at once now. */
  get window(): number {
    return this.#window;
  }

  /** Messages that failed in a row, those of earlier runs among them. */
  get failures(): number {
    return this.#earlier + this.#failed.length;
  }

  get earlier(): number {
    return this.#earlier;
  }

  /** Whether too many failed, some of them in this run, and no request has decided yet. */
  get undecided(): boolean {
    return this.#deciding !== null && this.#failed.length > 0;
  }

  /** A request begins; gives its number. */
  begin(): number {
    this.#begun += 1;
    return this.#begun;
  }

  /** Whether a request begun later than this one was answered well. */
  goodSince(request: number): boolean {
    return this.#good > request;
  }

  /**
   * The provider took the message, or refused it because of the message. `full`: no further request
   * could have been under way.
   */
  good(request: number, full: boolean): void {
    if (full) this.#window = Math.min(this.#widest, this.#window + 1);
    if (request <= this.#good) return;
    this.#good = request;
    this.#earlier = 0;
    this.#failed = this.#failed.filter((failed) => failed > request);
    if (this.#failed.length < FAILURES_AFTER_GOOD) this.#deciding = null;
  }

  /** The provider asked to wait: no failure. */
  patience(): void {
    this.#window = Math.max(1, this.#window - 1);
  }

  /**
   * No answer, no connection, or an error of the provider's own. `again`: the message has failed
   * before.
   */
  failure(request: number, again: boolean): Consequence {
    const isLate = request < this.#good;
    this.#window = Math.max(1, this.#window - (isLate ? 1 : 2));
    if (isLate) return "none";
    if (this.#deciding !== null) return request >= this.#deciding ? "stop" : "none";
    if (again) return "none";
    this.#failed.push(request);
    if (this.failures < (this.#good === 0 ? FAILURES_BEFORE_GOOD : FAILURES_AFTER_GOOD)) return "none";
    this.#decide(this.#begun + 1);
    return "rest";
  }

  #decide(request: number): void {
    this.#window = 1;
    this.#deciding = request;
  }
}
