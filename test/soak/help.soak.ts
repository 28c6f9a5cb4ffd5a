/** What `opportune --help` takes, beside Node alone. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../commands/support.js";

const CLI = join(import.meta.dirname, "../../dist/cli.js");

/** Runs of each, of which the median counts. */
const RUNS = 9;

it("takes less than twice the processor time that Node takes for nothing", () => {
  // A figure in ms would be one of the machine: here 84 where Node alone takes 57.
  const folder = temporaryFolder();
  const hook = join(folder, "hook.cjs");
  const nothing = join(folder, "nothing.mjs");
  writeFileSync(hook, 'process.on("exit", () => { const { user, system } = process.cpuUsage(); process.stderr.write(`cpu ${(user + system) / 1000}`); });\n');
  writeFileSync(nothing, "");
  const took = (...args: string[]): number =>
    Number(/cpu ([\d.]+)/.exec(spawnSync(process.execPath, ["--require", hook, ...args], { encoding: "utf8" }).stderr)?.[1]);
  const pairs = Array.from({ length: RUNS }, () => [took(CLI, "--help"), took(nothing)] as const);
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
  const [help, bare] = [median(pairs.map(([ms]) => ms)), median(pairs.map(([, ms]) => ms))];
  expect(bare).toBeGreaterThan(1);
  expect(help, `ms: ${JSON.stringify(pairs)}`).toBeLessThan(2 * bare);
});
