/**
 * How often a test repeats what hangs on chance: as often as CI can afford, or in full in
 * `npm run test:soak` (ROUNDS=all).
 */
export function rounds(inCi: number, inFull: number): number {
  return process.env["ROUNDS"] === "all" ? inFull : inCi;
}
