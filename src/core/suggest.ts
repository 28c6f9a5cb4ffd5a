import { distance } from "fastest-levenshtein";

/**
 * The candidate that was probably meant, for "did you mean": the nearest by edit distance, upper and lower case alike, the
 * earlier of two equally near; undefined where none is near. Near is a third of the name's length (rounded down, at least
 * one edit, swapped letters count as one): further away, what comes back is more often another word than a typo.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    const swapped = other !== wanted && letters(other) === letters(wanted);
    const edits = distance(wanted, other) - (swapped ? 1 : 0);
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}

function letters(name: string): string {
  return Array.from(name).sort().join("");
}

/** `Did you mean "x"?`, or undefined without an x: fits a Problem's hint. */
export function didYouMean(nearest: string | undefined): string | undefined {
  return nearest === undefined ? undefined : `Did you mean "${nearest}"?`;
}
