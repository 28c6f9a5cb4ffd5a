/**
 * The README and docs/cli.md keep up with the program: every command and option is there, every file they name exists, the
 * shown segment is the shipped one, and the shown output is what `npm run demo` prints.
 * `UPDATE_DOCS=1 npx vitest run test/docs/readme.test.ts` writes segment and output anew.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/commands/program.js";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** Every command that does something, with its full name: `opportune ledger install`. */
function commandsOf(command: Command, parents = ""): { name: string; command: Command }[] {
  const name = `${parents}${command.name()}`;
  return [{ name, command }, ...command.commands.flatMap((each) => commandsOf(each, `${name} `))];
}

const commands = commandsOf(createProgram());

it.each(commands.filter(({ command }) => command.parent !== null && command.commands.length === 0))("the README lists $name", ({ name }) => {
  expect(read("README.md")).toContain(`\`${name}\``);
});

it.each(commands)("docs/cli.md has $name and its options", ({ name, command }) => {
  const section =
    read("docs/cli.md")
      .split(/^## /m)
      .find((part) => part.startsWith(`${name}\n`)) ?? "";
  expect(section).not.toBe("");
  expect(command.options.map(({ flags }) => flags).filter((flags) => !section.includes(flags))).toEqual([]);
});

describe("files named in the documentation exist", () => {
  const documents = [
    "README.md",
    "CHANGELOG.md",
    ...readdirSync(join(ROOT, "docs"))
      .filter((file) => file.endsWith(".md"))
      .map((file) => `docs/${file}`),
  ];

  it.each(documents)("%s", (document) => {
    // A path alone before a colon is the name of a file that the page shows.
    const text = read(document)
      .replaceAll(/^```.*?^```$/gms, "")
      .replaceAll(/^`[\w./-]+`:$/gm, "");
    const linked = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = ""]) => join(document, "..", path));
    // In backticks stand paths from the repository's root; what a run writes is not there.
    const named = [...text.matchAll(/`((?:src|sql|segments|templates|test|docs|bench)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
    expect([...linked, ...named].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

/** What stands between `<!-- NAME -->` and the next `<!-- end -->`; with UPDATE_DOCS it is written first. */
function shown(name: string, wanted: string): string {
  const text = read("README.md");
  const from = text.indexOf(`<!-- ${name} -->\n`) + `<!-- ${name} -->\n`.length;
  const to = text.indexOf("<!-- end -->", from);
  if (process.env["UPDATE_DOCS"] !== "1") return text.slice(from, to);
  writeFileSync(join(ROOT, "README.md"), text.slice(0, from) + wanted + text.slice(to));
  return wanted;
}

it("the README's segment is the shipped one", () => {
  const wanted = `\n\`\`\`sql\n${read("segments/cart_abandoned.sql")}\`\`\`\n\n`;
  expect(shown("segments/cart_abandoned.sql", wanted)).toBe(wanted);
});

describe("the demo", () => {
  let output = "";

  it("prints what the README shows, no more than a newcomer reads", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "opportune-demo-")), "output");
    // Both streams into one file, as on a terminal. What `npm run demo` starts, without npm's own words.
    await shell(`"${process.execPath}" node_modules/tsx/dist/cli.mjs src/cli.ts demo >"${file}" 2>&1`);
    output = readFileSync(file, "utf8");
    rmSync(dirname(file), { recursive: true });
    const wanted = `\n\`\`\`text\n$ npm ci && npm run demo\n${output}\`\`\`\n\n`;
    expect(timeless(shown("npm run demo", wanted))).toBe(timeless(wanted));
    const lines = output.split("\n");
    expect(lines.length).toBeLessThan(150);
    expect(lines.filter((line) => line.length > 130)).toEqual([]);
  });

  const named = (wanted: RegExp): string => wanted.exec(output)?.[1] ?? "";

  it("leaves a gallery with every mail", () => {
    const page = readFileSync(join(ROOT, named(/^ {5}(\S+gallery\.html)$/m)), "utf8");
    expect(page).toContain(`${named(/^1\. The ([\d,]+) emails/m)} emails`);
  });

  it("names somebody who heard from us, and not everything", async () => {
    const { stdout } = await shell(named(/^ {5}(.* explain .*)$/m));
    expect(stdout).toMatch(/ accepted +accepted by the provider/);
    expect(stdout).toMatch(/ (?:denied|waiting|settled) +/);
  });

  it("names a query on the ledger that works", async () => {
    const { stdout } = await shell(named(/^ {5}(node .*)$/m));
    expect(stdout).toMatch(/'claimed' +│ \d+ /);
  });
});

/** As pasted by a reader, in the repository's folder. */
function shell(command: string): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)("sh", ["-c", command], { cwd: ROOT, env: { ...process.env, NO_COLOR: "1" } });
}

/** Without what differs from run to run: durations, random ids, and the second in which something was handed over. */
function timeless(output: string): string {
  return output
    .replaceAll(/\d+\.\d\ds|\d+ ms/g, "#")
    .replaceAll(/_[0-9a-f]{8}\b|\b[0-9a-f]{32}\b/g, "#")
    .replaceAll(/:\d\d {2}(sending|accepted)/g, ":#  $1");
}
