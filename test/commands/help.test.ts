/** `opportune --help` answers at once: what the built command line loads, and what that takes. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support.js";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

function node(args: readonly string[], env: NodeJS.ProcessEnv): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env: { PATH: process.env["PATH"], ...env } });
  expect(status, stderr).toBe(0);
  return { stdout, stderr };
}

it("loads its own grammar and two small packages: no driver, nothing that a command needs", () => {
  // V8 lists every script that the process has run, imported or required, when it is asked for coverage.
  const folder = temporaryFolder();
  expect(node([CLI, "--help"], { NODE_V8_COVERAGE: folder }).stdout).toContain("Usage: opportune [options] [command]");
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

/** Runs of each, of which the median counts. */
const RUNS = 9;

it("takes less than twice the processor time that Node takes for nothing", () => {
  // A figure in ms would be one of the machine: here 84 where Node alone takes 57.
  const folder = temporaryFolder();
  const hook = join(folder, "hook.cjs");
  const nothing = join(folder, "nothing.mjs");
  writeFileSync(hook, 'process.on("exit", () => { const { user, system } = process.cpuUsage(); process.stderr.write(`cpu ${(user + system) / 1000}`); });\n');
  writeFileSync(nothing, "");
  const took = (...args: string[]): number => Number(/cpu ([\d.]+)/.exec(node(["--require", hook, ...args], {}).stderr)?.[1]);
  const pairs = Array.from({ length: RUNS }, () => [took(CLI, "--help"), took(nothing)] as const);
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
  const [help, bare] = [median(pairs.map(([ms]) => ms)), median(pairs.map(([, ms]) => ms))];
  expect(bare).toBeGreaterThan(1);
  expect(help, `ms: ${JSON.stringify(pairs)}`).toBeLessThan(2 * bare);
});
