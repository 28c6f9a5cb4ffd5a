import type { RunOptions } from "../../src/run/types.js";

const nothing = (): void => undefined;

/** A run out of which nobody hears, with nothing asked for on its command line; it still needs its segments and its clock. */
export const QUIET_RUN: Omit<RunOptions, "segments" | "now"> = {
  backfill: new Set(),
  whole: false,
  approved: new Set(),
  dryRun: false,
  asOf: null,
  onStep: nothing,
  onStatement: nothing,
  onProgress: nothing,
  onDecided: nothing,
};
