/** `opportune --help` answers at once: what the built command line loads. What that takes: test/soak/help.soak.ts. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
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

it("loads its own grammar and three small packages: no driver, nothing that a command needs", () => {
  // V8 lists every script that the process has run, imported or required, when it is asked for coverage.
  const folder = temporaryFolder();
  expect(node([CLI, "--help"], { NODE_V8_COVERAGE: folder }).stdout).toContain("Usage: opportune [options] [command]");
  const urls = readdirSync(folder).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { result: { url: string }[] };
    return result.map(({ url }) => url).filter((url) => url.startsWith("file:"));
  });
  expect(urls).toContain(new URL("../../dist/commands/program.js", import.meta.url).href);
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  expect([...new Set(packages)].sort()).toEqual(["commander", "fastest-levenshtein", "picocolors"]);
  const own = urls.filter((url) => url.includes("/dist/")).map((url) => url.replace(/^.*\/dist\//, ""));
  expect(own.filter((file) => /^(?:warehouse|render|delivery|ledger|segments|project|server|schedule)\//.test(file))).toEqual([]);
});
