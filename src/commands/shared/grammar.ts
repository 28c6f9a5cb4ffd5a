/** What every command of the grammar is made of. */
import { Option, type Command } from "commander";
import { OpportuneError } from "../../core/errors.js";
import { openTerminal, type GlobalOptions, type Terminal } from "./terminal.js";

type Action<O extends GlobalOptions> = (terminal: Terminal, options: O, args: readonly string[]) => Promise<number>;

export function command(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).helpOption("-h, --help", "print help for this command");
}

export function output(): Option {
  return new Option("--output <format>", "text for people, json for machines").choices(["text", "json"]).default("text");
}

export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

/** Loads a command when it is asked for; its result is the exit code. */
export function lazily<O extends GlobalOptions>(load: () => Promise<Action<O>>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const asked = given.at(-1) as Command;
    const options = asked.optsWithGlobals<O>();
    const terminal = openTerminal(options);
    try {
      const action = await load();
      process.exitCode = await action(
        terminal,
        options,
        asked.processedArgs.flat().filter((arg) => typeof arg === "string"),
      );
    } catch (error) {
      // A reader of JSON gets the problems as JSON too; the lines for people follow on stderr.
      if (options.output === "json" && error instanceof OpportuneError)
        terminal.out(JSON.stringify({ schema_version: 1, status: "error", problems: error.problems }, null, 2));
      throw error;
    }
  };
}
