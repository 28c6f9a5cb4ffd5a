/** How many messages are marked `sending` with one append, as suits the warehouse. */

/** How a warehouse's appends are best used. */
export interface Marks {
  /** Messages marked with one append where there are so many; 1: as few as keep the lanes busy. */
  together: number;
  /** Most messages that are marked and whose outcome is not in the ledger: what a crash leaves in doubt. */
  unanswered: number;
}

/** For appends of milliseconds: what a crash leaves in doubt is little. */
export const SMALL_STEPS: Marks = { together: 1, unanswered: 600 };
/** For appends that take seconds and are charged for: one for each batch of claims. */
export const BATCHES: Marks = { together: 2_500, unanswered: 5_000 };
