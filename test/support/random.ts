/** Seeded randomness for tests: the same seed draws the same story on every machine. */

export interface Random {
  /** 0 up to, not including, 1. */
  next(): number;
  /** Whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  chance(probability: number): boolean;
  /** One of a non-empty list. */
  pick<T>(list: readonly T[]): T;
  /** Up to `most` different ones, in the list's order. */
  some<T>(list: readonly T[], most: number): T[];
}

/** The mulberry32 generator: 32 bits of state, good enough to draw stories. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new Error("Nothing to pick from: the list is empty");
    return list[whole(0, list.length - 1)] as T;
  };
  const some = <T>(list: readonly T[], most: number): T[] => {
    const wanted = Math.min(most, list.length);
    const chosen = new Set<number>();
    while (chosen.size < wanted) chosen.add(whole(0, list.length - 1));
    return list.filter((_, index) => chosen.has(index));
  };
  return { next, whole, chance: (probability) => next() < probability, pick, some };
}

/** A number 0 up to, not including, 1 that hangs on a text alone: for choices that must not depend on the order of calls. */
export function hashed(text: string): number {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return createRandom(hash).next();
}
