/** How many messages are marked `sending` with one append, as suits the warehouse. */

/** How a warehouse's appends are best used: in small steps, as few as keep the lanes busy, or in whole batches of claims. */
export type Marks = Bound & ({ readonly kind: "steps" } | { readonly kind: "batches"; /** Messages marked with one append. */ readonly size: number });

interface Bound {
  /** Most messages that are marked and whose outcome is not in the ledger: what a crash leaves in doubt. */
  readonly unanswered: number;
}

/** For appends of milliseconds: what a crash leaves in doubt is little. */
export const SMALL_STEPS: Marks = { kind: "steps", unanswered: 600 };
/** For appends that take seconds and are charged for: one for each batch of claims. */
export const BATCHES: Marks = { kind: "batches", size: 2_500, unanswered: 5_000 };
