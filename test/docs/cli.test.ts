/** docs/cli.md is what --help says. `UPDATE_DOCS=1 npx vitest run test/docs/cli.test.ts` writes it anew. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { expect, it } from "vitest";
import { createProgram } from "../../src/commands/program.js";

const DOCUMENT = new URL("../../docs/cli.md", import.meta.url);

/** A command and everything below it, in the order of --help; the built-in `help` is left out. */
function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.filter((each) => each.name() !== "help").flatMap(commandsOf)];
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

/** The text of --help, with what is printed after it. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => void (text += part), getOutHelpWidth: () => 100, getOutHasColors: () => false });
  command.outputHelp();
  return text.trim();
}

function document(): string {
  const sections = commandsOf(createProgram()).map((command) => `## ${fullName(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`);
  return `# Command line\n\nWritten from \`--help\` by \`UPDATE_DOCS=1 npx vitest run test/docs/cli.test.ts\`; do not edit.\n\n${sections.join("\n")}`;
}

it("docs/cli.md is up to date", () => {
  const wanted = document();
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(DOCUMENT, wanted);
  expect(existsSync(DOCUMENT) ? readFileSync(DOCUMENT, "utf8") : "", "run UPDATE_DOCS=1 npx vitest run test/docs/cli.test.ts").toBe(wanted);
});

it("every command, argument and option has a description", () => {
  const commands = commandsOf(createProgram());
  expect(commands.length).toBeGreaterThan(12);
  for (const command of commands) {
    expect(command.description(), fullName(command)).not.toBe("");
    for (const argument of command.registeredArguments) expect(argument.description, `${fullName(command)} ${argument.name()}`).not.toBe("");
    for (const option of command.options) expect(option.description, `${fullName(command)} ${option.flags}`).not.toBe("");
  }
});
