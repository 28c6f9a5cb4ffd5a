/** Whether a delivery failed: facts in, verdict out. docs/delivery.md, "When a run has failed", says the same in words. */

/** Messages of a channel, or of all, by outcome. */
export interface Outcomes {
  accepted: number;
  /** Rejected by the provider or invalid. */
  failed: number;
  inDoubt: number;
  /** Released for want of the provider. */
  untaken: number;
}

/**
 * - `nothing_accepted`: the provider was wanting, and took nothing.
 * - `many`: too many failed for chance or a few bad addresses.
 * - `any`: fewer failed, and the run is strict.
 * - `well`: none failed, or few.
 */
export type Verdict = "well" | "any" | "many" | "nothing_accepted";

/** Fewer are a few bad addresses. */
const LEAST = 10;
/** One in so many of those handed over is too many: 5 %. */
const ONE_IN = 20;

export function verdictOf({ accepted, failed, inDoubt, untaken }: Outcomes, strict: boolean): Verdict {
  const wanting = inDoubt + untaken;
  const wrong = failed + wanting;
  if (accepted === 0 && wanting > 0) return "nothing_accepted";
  if (wrong >= LEAST && wrong * ONE_IN >= accepted + wrong) return "many";
  return strict && wrong > 0 ? "any" : "well";
}
