/** The misbehaviour that the sandbox can be told to show. */
import { z } from "zod";

const fault = z
  .strictObject({
    /** Answer with this status instead of looking at the message. */
    status: z.int().min(300).max(599).optional(),
    /** With a status: the time of the reset, so many seconds from now, as the provider gives it. */
    resetInSeconds: z.number().min(0).max(86_400).optional(),
    /** With a status: `Retry-After`. */
    retryAfterSeconds: z.number().min(0).max(86_400).optional(),
    /** Never answer: `true` or `before` without taking the message, `after` once it was taken. */
    hang: z.union([z.literal(true), z.enum(["before", "after"])]).optional(),
    /** Reset the connection, before or after taking the message. */
    cut: z.enum(["before", "after"]).optional(),
    /** Wait before whatever is answered. */
    delayMs: z.int().min(0).max(600_000).optional(),
    /** How many requests it befalls; absent: all, until the faults are deleted. */
    count: z.int().min(1).optional(),
    /** The share of requests it befalls, 0 to 1; default 1. */
    share: z.number().min(0).max(1).optional(),
    /** For `share`: the same seed befalls the same requests in order. */
    seed: z.int().optional(),
  })
  .refine(
    (one) => one.status !== undefined || one.hang !== undefined || one.cut !== undefined || one.delayMs !== undefined,
    "a fault needs status, hang, cut or delayMs",
  )
  .refine((one) => [one.status, one.hang, one.cut].filter((kind) => kind !== undefined).length <= 1, "only one of status, hang and cut");

export type Fault = z.infer<typeof fault>;

/** Reads one fault or a list; of a list, the first that befalls a request is shown. Gives what is wrong as text otherwise. */
export function readFaults(value: unknown): { faults: Fault[] } | { wrong: string } {
  const list = z.array(fault).safeParse(Array.isArray(value) ? value : [value]);
  return list.success ? { faults: list.data } : { wrong: z.prettifyError(list.error) };
}

/** Decides for each request which fault befalls it. */
export class FaultPlan {
  readonly #faults: { fault: Fault; left: number; random: () => number }[];

  constructor(list: readonly Fault[]) {
    this.#faults = list.map((one, at) => ({ fault: one, left: one.count ?? Infinity, random: mulberry32((one.seed ?? 1) + at) }));
  }

  /** The fault of the next request, null for none. */
  next(): Fault | null {
    for (const entry of this.#faults) {
      if (entry.left <= 0 || entry.random() >= (entry.fault.share ?? 1)) continue;
      entry.left -= 1;
      return entry.fault;
    }
    return null;
  }

  /** What is still in force; `count` is how many requests it has left. */
  active(): Fault[] {
    return this.#faults.filter(({ left }) => left > 0).map(({ fault: one, left }) => (left === Infinity ? one : { ...one, count: left }));
  }
}

/** A small seeded generator of numbers in [0, 1): Tommy Ettinger's mulberry32, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
