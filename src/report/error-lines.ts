import { formatProblem, OpportuneError, problemsOf, wordsOf, type Problem } from "../core/errors.js";
import { withoutAddresses } from "../core/redact.js";
import { systemCode, systemProblem } from "../core/system-error.js";
import type { Paint } from "./paint.js";

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

/**
 * The stacks of an error and of what caused it. The words of causes that are not ours may quote values: a warehouse's, a parser's,
 * a provider's. Of them only the kind and the places are shown.
 */
function stacks(error: unknown): string[] {
  const lines: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause) {
    const stack = current.stack ?? "";
    const hidden = current instanceof SyntaxError || (current !== error && !(current instanceof OpportuneError));
    lines.push(hidden ? [kindOf(current), ...stack.split("\n").filter((line) => /^\s+at /.test(line))].join("\n") : withoutAddresses(stack));
  }
  return lines;
}

function kindOf(error: Error): string {
  const code = systemCode(error);
  return code === null ? error.name : `${error.name} (${code})`;
}
