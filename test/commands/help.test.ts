/** `opportune --help` answers at once: what the built command line loads, and how long it takes. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support.js";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

function help(before: readonly string[], env: NodeJS.ProcessEnv): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...before, CLI, "--help"], { encoding: "utf8", env: { PATH: process.env["PATH"], ...env } });
  expect(status, stderr).toBe(0);
  expect(stdout).toContain("Usage: opportune [options] [command]");
  return { stdout, stderr };
}

it("loads its own grammar and two small packages: no driver, nothing that a command needs", () => {
  // V8 lists every script that the process has run, imported or required, when it is asked for coverage.
  const folder = temporaryFolder();
  help([], { NODE_V8_COVERAGE: folder });
  const urls = readdirSync(folder).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { result: { url: string }[] };
    return result.map(({ url }) => url).filter((url) => url.startsWith("file:"));
  });
  expect(urls).toContain(new URL("../../dist/commands/program.js", import.meta.url).href);
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  expect([...new Set(packages)].sort()).toEqual(["commander", "picocolors"]);
  const own = urls.filter((url) => url.includes("/dist/")).map((url) => url.replace(/^.*\/dist\//, ""));
  expect(own.filter((file) => /^(?:warehouse|render|delivery|ledger|segments|project|server|schedule)\//.test(file))).toEqual([]);
});

/** Runs of which the median counts. */
const RUNS = 9;
/** What somebody takes for "at once", ms. */
const LIMIT = 150;

it("takes less than 150 ms", () => {
  // Processor time: what it takes on a machine that has nothing else to do, whatever this one has.
  const hook = join(temporaryFolder(), "hook.cjs");
  writeFileSync(hook, 'process.on("exit", () => { const { user, system } = process.cpuUsage(); process.stderr.write(`cpu ${(user + system) / 1000}`); });\n');
  const milliseconds = Array.from({ length: RUNS }, () => Number(/cpu ([\d.]+)/.exec(help(["--require", hook], {}).stderr)?.[1])).sort((a, b) => a - b);
  const median = milliseconds[Math.floor(RUNS / 2)] ?? Number.NaN;
  expect(median, `of ${milliseconds.map(Math.round).join(", ")} ms`).toBeLessThan(LIMIT);
  expect(median).toBeGreaterThan(1);
});
