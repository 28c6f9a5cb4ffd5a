import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "../../../src/delivery/latency.js";
import { TokenBucket, backoffMs } from "../../../src/delivery/lanes/limits.js";

/** Takes whatever the bucket gives for a while, waiting as it says plus some lateness; gives the times of the starts. */
function starts(rate: number, forMs: number, lateness: (at: number) => number): number[] {
  const bucket = new TokenBucket(rate, 0);
  const times: number[] = [];
  let now = 0;
  let turn = 0;
  while (now < forMs) {
    const wait = bucket.take(now);
    if (wait === 0) times.push(now);
    else now += wait + lateness((turn += 1));
  }
  return times;
}

function mostInOneSecond(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  times.forEach((time, at) => {
    while ((times[from] ?? 0) <= time - 1000) from += 1;
    most = Math.max(most, at - from + 1);
  });
  return most;
}

describe("TokenBucket", () => {
  it.each([1, 2, 7, 50, 100, 999, 15_000])("never starts more than %i in any second, and nearly as many over ten", (rate) => {
    for (const lateness of [() => 0, (turn: number) => turn % 3, (turn: number) => (turn % 50 === 0 ? 400 : 0)]) {
      const times = starts(rate, 10_000, lateness);
      expect(mostInOneSecond(times)).toBeLessThanOrEqual(rate);
    }
    expect(starts(rate, 10_000, () => 0).length).toBeGreaterThanOrEqual(rate * 10 * 0.9);
  });

  it("takes rates below one a second", () => {
    expect(starts(0.5, 10_000, () => 0)).toEqual([0, 2000, 4000, 6000, 8000]);
  });

  it("is not filled by a clock that was set back", () => {
    const bucket = new TokenBucket(1, 10_000);
    expect(bucket.take(10_000)).toBe(0);
    expect(bucket.take(5_000)).toBe(1000);
    expect(bucket.take(5_999)).toBe(1);
    expect(bucket.take(6_000)).toBe(0);
  });

  it("refuses a rate that is not above 0", () => {
    expect(() => new TokenBucket(0, 0)).toThrow(RangeError);
    expect(() => new TokenBucket(Number.NaN, 0)).toThrow(RangeError);
  });
});

describe("backoffMs", () => {
  it("doubles its ceiling up to the longest, with full jitter", () => {
    const ceiling = (failed: number) => backoffMs(failed, 500, 30_000, () => 1);
    expect([1, 2, 3, 7, 100].map(ceiling)).toEqual([500, 1000, 2000, 30_000, 30_000]);
    expect(backoffMs(3, 500, 30_000, () => 0)).toBe(0);
    expect(backoffMs(3, 500, 30_000, () => 0.25)).toBe(500);
  });
});

describe("LatencyHistogram", () => {
  it("gives percentiles that are at most 9 % too high and never above the maximum", () => {
    const histogram = new LatencyHistogram();
    for (let ms = 1; ms <= 1000; ms += 1) histogram.record(ms);
    const { count, p50, p99, max } = histogram.summary();
    expect(count).toBe(1000);
    expect(max).toBe(1000);
    expect(p50).toBeGreaterThanOrEqual(500);
    expect(p50).toBeLessThanOrEqual(550);
    expect(p99).toBeGreaterThanOrEqual(990);
    expect(p99).toBeLessThanOrEqual(1000);
  });

  it("gives the buckets, each no more than 9 % above what is in it", () => {
    const histogram = new LatencyHistogram();
    for (const ms of [0, 0, 100, 86_400_000]) histogram.record(ms);
    const { buckets } = histogram.summary();
    expect(buckets.map(({ count }) => count)).toEqual([2, 1, 1]);
    const [none, hundred, day] = buckets.map(({ ms }) => ms);
    expect([none, day]).toEqual([0, 86_400_000]);
    expect(hundred).toBeGreaterThanOrEqual(100);
    expect(hundred).toBeLessThanOrEqual(109);
  });

  it("is zero without answers", () => {
    expect(new LatencyHistogram().summary()).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0, buckets: [] });
  });
});
