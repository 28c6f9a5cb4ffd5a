/**
 * Rejections of one lane that wait for their outcome: they speak of their messages, or of the whole
 * channel.
 */
import { alike } from "../../core/alike.js";

/** So many rejected alike, and none accepted, stop the channel. */
export const REJECTED_ALIKE = 5;
/**
 * Most rejections that wait; a crash leaves them in doubt. More than a first window of requests.
 */
const MOST_WAITING = 20;

export interface Rejection<E> {
  entry: E;
  /** As the provider put it. */
  reason: string;
  /** When the answer came, epoch ms. */
  at: number;
}

/**
 * What is to be written now: settled as failed, or released because the channel stops for this
 * reason.
 */
export interface Sentence<E> {
  stop: string;
  released: readonly Rejection<E>[];
  failed: readonly Rejection<E>[];
}

export class Rejections<E> {
  /** Something was accepted in this run: from then on a rejection speaks of its message. */
  #proven = false;
  #waiting: Rejection<E>[] = [];
  readonly #counts: Map<string, number>;
  /** What five have in common, while those under way are awaited. */
  #suspect: string | null = null;

  /**
   * `earlier`: rejections of earlier runs since the channel's last accepted message, by what they
   * have in common.
   */
  constructor(earlier: ReadonlyMap<string, number>) {
    this.#counts = new Map(earlier);
  }

  /** Whether nothing new may start, as the answers under way decide. */
  get undecided(): boolean {
    return this.#suspect !== null;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The provider accepted a message; gives those that are to be settled as failed. */
  accepted(): readonly Rejection<E>[] {
    this.#proven = true;
    return this.drain();
  }

  /** The provider rejected a message; gives those that are to be settled as failed now. */
  rejected(rejection: Rejection<E>): readonly Rejection<E>[] {
    if (this.#proven) return [rejection];
    const kind = alike(rejection.reason);
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.#waiting.push(rejection);
    if (count >= REJECTED_ALIKE) this.#suspect ??= kind;
    return this.#waiting.splice(0, this.#waiting.length - MOST_WAITING);
  }

  /** To be called when nothing is under way; null while there is nothing to decide. */
  sentence(): Sentence<E> | null {
    const suspect = this.#suspect;
    if (suspect === null) return null;
    const all = this.drain();
    const released = all.filter(({ reason }) => alike(reason) === suspect);
    return {
      stop: `${String(this.#counts.get(suspect) ?? 0)} messages were rejected alike and none was accepted: ${released.at(-1)?.reason ?? suspect}`,
      released,
      failed: all.filter(({ reason }) => alike(reason) !== suspect),
    };
  }

  /** Those that wait; none does afterwards. */
  drain(): readonly Rejection<E>[] {
    const all = this.#waiting;
    this.#waiting = [];
    this.#suspect = null;
    return all;
  }
}
