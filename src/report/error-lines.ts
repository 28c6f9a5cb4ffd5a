import { formatProblem, OpportuneError, problemsOf, wordsOf, type Problem } from "../core/errors.js";
import { withoutAddresses } from "../core/redact.js";
import { systemProblem } from "../core/system-error.js";
import type { Paint } from "./paint.js";

/** The code of what a warehouse refused. */
const REFUSED = "warehouse/statement";

/** An error for the terminal: expected ones as `file:line:column: message` with the way out, the stack only for `debug`. */
export function errorLines(error: unknown, debug: boolean, paint: Paint): string[] {
  const ours = error instanceof OpportuneError || systemProblem(error) !== null;
  const lines = ours ? problemLines(problemsOf(error), paint) : [`${paint.red("Unexpected error:")} ${wordsOf(error)}`];
  if (debug) return [...lines, ...stacks(error)];
  return ours ? lines : [...lines, "    This is a mistake in Opportune, not in your project. Add --debug to see where it happened, and report it."];
}

/** Problems as lines: the first of each in red, its hint below. */
export function problemLines(problems: readonly Problem[], paint: Paint): string[] {
  return problems.flatMap((problem) => {
    const [first = "", ...rest] = formatProblem(problem).split("\n");
    return [paint.red(first), ...rest];
  });
}

/** The stacks of an error and of what caused it. A warehouse's own words quote values: of its error only the places are shown. */
function stacks(error: unknown): string[] {
  const lines: string[] = [];
  let hidden = error instanceof SyntaxError;
  for (let current = error; current instanceof Error; current = current.cause) {
    const stack = current.stack ?? "";
    lines.push(hidden ? [current.name, ...stack.split("\n").filter((line) => /^\s+at /.test(line))].join("\n") : withoutAddresses(stack));
    hidden ||= current instanceof OpportuneError && current.problems.some(({ code }) => code === REFUSED);
  }
  return lines;
}
