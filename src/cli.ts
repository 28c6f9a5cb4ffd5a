#!/usr/bin/env node
/** The command line's entry: parses, and turns whatever comes back into lines and an exit code. */
import { CommanderError } from "commander";
import { createProgram } from "./commands/program.js";
import { OpportuneError } from "./core/errors.js";
import { lossOf, outliveErrors, writeOrDrop } from "./core/output.js";
import { errorLines } from "./report/error-lines.js";
import { openTerminal } from "./commands/shared/terminal.js";

/** How long a process goes on when all is said, ms. */
const LINGER_MS = 5_000;

// A reader that has seen enough (`opportune run 2>&1 | head`), a full disk or a closed terminal must not end what is under way.
outliveErrors(process.stdout, process.stderr);
process.on("exit", () => {
  const loss = lossOf(process.stdout);
  if (loss === null) return;
  writeOrDrop(process.stderr, `What was to go to stdout is lost in part: ${loss.message}.\n`);
  if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = 1;
});

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // Commander has printed its own already: help, the version, or what is wrong with the usage.
  if (!(error instanceof CommanderError)) {
    const terminal = openTerminal({ color: !process.argv.includes("--no-color"), ...targetOf(process.argv) });
    for (const line of errorLines(error, process.argv.includes("--debug"), terminal.errPaint)) terminal.warn(line);
  }
}

// A driver may repeat a request that was given up for minutes: that doesn't hold the process.
setTimeout(() => process.exit(), LINGER_MS).unref();

/** The target that was asked for, in either spelling. */
function targetOf(args: readonly string[]): { target?: string } {
  const at = args.indexOf("--target");
  const name = at === -1 ? args.find((arg) => arg.startsWith("--target="))?.slice("--target=".length) : args[at + 1];
  return name === undefined ? {} : { target: name };
}

/** 1: something failed and was handled; 2: wrong usage, or unexpected. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof OpportuneError ? error.exitCode : 2;
}
