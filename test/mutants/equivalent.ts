/** Mutants that no row of the ledger can tell from the file, by the names that `test:mutants` gives them, and why. */
export const EQUIVALENT: readonly { because: string; mutants: readonly string[] }[] = [];
