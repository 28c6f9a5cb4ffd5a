import { formatProblem, OpportuneError, problemsOf, type Problem } from "../core/errors.js";
import { systemProblem } from "../core/system-error.js";
import type { Paint } from "./paint.js";

/** An error for the terminal: expected ones as `file:line:column: message` with the way out, the stack only for `debug`. */
export function errorLines(error: unknown, debug: boolean, paint: Paint): string[] {
  const ours = error instanceof OpportuneError || systemProblem(error) !== null;
  const lines = ours ? problemLines(problemsOf(error), paint) : [`${paint.red("Unexpected error:")} ${firstLine(error)}`];
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

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}

/** The stacks of an error and of what caused it. */
function stacks(error: unknown): string[] {
  const lines: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause) lines.push(current.stack ?? current.message);
  return lines;
}
