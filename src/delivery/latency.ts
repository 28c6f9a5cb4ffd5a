/** Eight buckets for each doubling: a percentile is at most 9 % too high. */
const PER_DOUBLING = 8;

/** How long things took, in milliseconds; a fixed few hundred numbers, however many things. */
export class LatencyHistogram {
  readonly #buckets: number[] = [];
  #count = 0;
  #max = 0;

  record(ms: number): void {
    const at = Math.ceil(Math.log2(Math.max(0, ms) + 1) * PER_DOUBLING);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    this.#count += 1;
    this.#max = Math.max(this.#max, ms);
  }

  get count(): number {
    return this.#count;
  }

  /** The time within which this share (0 to 1) of the answers came, in milliseconds; 0 without answers. */
  percentile(share: number): number {
    let seen = 0;
    for (let at = 0; at < this.#buckets.length; at += 1) {
      seen += this.#buckets[at] ?? 0;
      if (seen > 0 && seen >= share * this.#count) return this.#upTo(at);
    }
    return this.#max;
  }

  summary(): Latency {
    return {
      count: this.#count,
      p50: this.percentile(0.5),
      p95: this.percentile(0.95),
      p99: this.percentile(0.99),
      max: this.#max,
      buckets: this.#buckets.flatMap((count, at) => (count > 0 ? [{ ms: this.#upTo(at), count }] : [])),
    };
  }

  #upTo(bucket: number): number {
    return Math.min(this.#max, 2 ** (bucket / PER_DOUBLING) - 1);
  }
}

/** Times in milliseconds. */
export interface Latency {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  /** How many took how long: `ms` is at most 9 % more than each of them took. Empty ones are left out. */
  buckets: readonly { ms: number; count: number }[];
}
