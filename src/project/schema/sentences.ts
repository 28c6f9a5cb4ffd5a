import type { Problem } from "../../core/errors.js";

/** Words that begin a message and are not a key of a file, which keeps its spelling. */
const PROSE = /^(?:a|an|the|this|its|no|unknown|broken|everything)\b/;

/** A problem in full sentences: a capital where no key begins it, a full stop but after a key to write, and a hint of the same kind. */
export function inSentences(problem: Problem): Problem {
  const { message, hint } = problem;
  const said = ended(PROSE.test(message) ? capitalised(message) : message);
  return { ...problem, message: said, ...(hint === undefined ? {} : { hint: ended(capitalised(hint)) }) };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function ended(text: string): string {
  return /[.?!…:]$/.test(text) ? text : `${text}.`;
}
