import { withoutAddresses } from "./redact.js";
import { systemProblem } from "./system-error.js";
import { withoutValues } from "./values.js";

/**
 * One thing that is wrong with what the user wrote or with the world the job runs in.
 * `hint` is the way out: the command or the edit that helps.
 */
export interface Problem {
  /** Stable and greppable, e.g. `config/unknown-key`. */
  code: string;
  message: string;
  hint?: string;
  /** Path relative to the project, with 1-based line and column where known. */
  file?: string;
  line?: number;
  column?: number;
}

/** What the process exits with: 1 something failed and was handled, 2 wrong usage or unexpected. */
export type ExitCode = 1 | 2;

/** An expected error: printed as one line a problem, without a stack. */
export class OpportuneError extends Error {
  override readonly name = "OpportuneError";
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;

  constructor(problems: Problem | readonly Problem[], exitCode: ExitCode = 1, cause?: unknown) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map(formatProblem).join("\n"), { cause });
    this.problems = list;
    this.exitCode = exitCode;
  }
}

/**
 * An append to the ledger that ended with an error, and nobody could be asked whether it stands. What it held must never be
 * written under new numbers: recovery decides on it. Says what the error said.
 */
export class UncertainAppendError extends OpportuneError {
  constructor(cause: unknown) {
    super(problemsOf(cause), cause instanceof OpportuneError ? cause.exitCode : 2, cause);
  }
}

/** Problems of one thing as one, where there is room for one: the first, and how many more there are. */
export function firstOf([first, ...others]: readonly Problem[], listedBy: string): Problem | null {
  if (first === undefined) return null;
  const more = `${String(others.length)} more ${others.length === 1 ? "mistake" : "mistakes"}: \`${listedBy}\` lists them all.`;
  return others.length === 0 ? first : { ...first, message: `${first.message} And ${more}` };
}

/** `file:line:column: message (hint)`, the form editors and terminals turn into links. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  const hint = problem.hint === undefined ? "" : `\n    ${problem.hint}`;
  return `${place === "" ? "" : `${place}: `}${problem.message}${hint}`;
}

/** What is wrong, whatever was thrown: what the system refused in words, of an unexpected error its first line alone, as anything may hang on the object. */
export function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof OpportuneError) return error.problems;
  const refused = systemProblem(error);
  return [refused ?? { code: "unexpected", message: wordsOf(error) }];
}

/** The first line of an error's message without addresses. A text that isn't JSON may be anybody's: it isn't quoted either. */
export function wordsOf(error: unknown): string {
  if (error instanceof OpportuneError) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  const line = text.split("\n")[0] ?? text;
  return error instanceof SyntaxError ? withoutValues(line, "") : withoutAddresses(line);
}
