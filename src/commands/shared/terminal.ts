import pc from "picocolors";
import { forTarget, optionOf } from "../../core/failures.js";
import { writeOrDrop } from "../../core/output.js";
import type { Paint } from "../../report/paint.js";

/** Where a command writes: data on stdout, everything else on stderr. What can't be written is dropped. */
export interface Terminal {
  /** Data: the lines that somebody may pipe on. */
  out(text: string): void;
  /** Progress; silent with --quiet. */
  note(text: string): void;
  /** What must be seen; --quiet or not. */
  warn(text: string): void;
  outPaint: Paint;
  errPaint: Paint;
  /** Columns of stdout; 120 where it is no terminal. */
  width: number;
}

/** Options that every command takes. */
export interface GlobalOptions {
  projectDir?: string;
  target?: string;
  /** False with --no-color. */
  color: boolean;
  debug?: boolean;
  quiet?: boolean;
  output?: "text" | "json";
}

const WIDTH_WITHOUT_TERMINAL = 120;

/** Colours a stream only where somebody looks at it: see https://no-color.org and FORCE_COLOR. */
function coloured(stream: NodeJS.WriteStream, wanted: boolean, env: NodeJS.ProcessEnv): boolean {
  if (!wanted || (env["NO_COLOR"] ?? "") !== "") return false;
  return (env["FORCE_COLOR"] ?? "") !== "" || (stream.isTTY && env["TERM"] !== "dumb");
}

/** The process's own terminal, as the options want it. */
export function openTerminal(options: Pick<GlobalOptions, "color" | "quiet" | "target">): Terminal {
  const { stdout, stderr, env } = process;
  const line = (text: string): string => `${forTarget(text, optionOf(options.target))}\n`;
  return {
    out: (text) => writeOrDrop(stdout, line(text)),
    note: (text) => (options.quiet === true ? undefined : writeOrDrop(stderr, line(text))),
    warn: (text) => writeOrDrop(stderr, line(text)),
    outPaint: pc.createColors(coloured(stdout, options.color, env)),
    errPaint: pc.createColors(coloured(stderr, options.color, env)),
    width: stdout.isTTY ? stdout.columns : WIDTH_WITHOUT_TERMINAL,
  };
}
