import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CLI, edit, opportune, shop, temporaryFolder } from "./support.js";

describe.concurrent("usage", () => {
  it.skipIf(!existsSync("/dev/full"))("data for stdout that is lost to a full disk is exit code 1, worse codes stay", async () => {
    const root = await shop();
    const full = openSync("/dev/full", "w");
    const ended = (args: readonly string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [CLI, ...args], { cwd: root, stdio: ["ignore", full, "pipe"], encoding: "utf8" });
    const lost = ended(["ls", "--output", "json"]);
    expect(lost).toMatchObject({ status: 1, signal: null });
    expect(lost.stderr).toContain("What was to go to stdout is lost in part: ENOSPC");
    expect(ended(["ls", "--select", "nothing_like_it", "--output", "json"])).toMatchObject({ status: 2 });
    closeSync(full);
  });

  it("suggests the nearest command and option, exit 2", async () => {
    const folder = temporaryFolder();
    const command = await opportune(folder, ["rnu"]);
    expect(command).toMatchObject({ code: 2, stdout: "" });
    expect(command.stderr).toContain('Did you mean "run"?');
    const option = await opportune(folder, ["run", "--dryrun"]);
    expect(option).toMatchObject({ code: 2, stdout: "" });
    expect(option.stderr).toContain('Did you mean "--dry-run"?');
  });

  it("prints the version and help with exit 0", async () => {
    const folder = temporaryFolder();
    expect(await opportune(folder, ["--version"])).toMatchObject({ code: 0, stderr: "" });
    const help = await opportune(folder, ["run", "--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("--as-of");
    expect(help.stdout).toContain("--project-dir");
  });

  it("names the way out where there is no project, exit 2", async () => {
    const outcome = await opportune(temporaryFolder(), ["run"]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toBe(
      "There is no opportune.yml in this folder or above it.\n    Begin a project with `opportune init`, or name its folder with --project-dir.\n",
    );
  });

  it("finds the project upward and by --project-dir", async () => {
    const root = await shop();
    const below = await opportune(`${root}/segments/audiences`, ["ls"]);
    expect(below.code).toBe(0);
    const elsewhere = await opportune(temporaryFolder(), ["ls", "--project-dir", root]);
    expect(elsewhere.stdout).toBe(below.stdout);
  });

  it("shows commands with the target that was asked for", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "targets:\n", "targets:\n  other: {type: duckdb, path: shop.duckdb, schema: elsewhere, live: true}\n");
    for (const asked of [["--target", "other"], ["--target=other"]]) {
      const { stderr } = await opportune(root, ["doubts", ...asked]);
      expect(stderr).toContain("Run `opportune ledger install --target other`.");
    }
    expect((await opportune(root, ["debug", "--target", "other"])).stdout).toContain("Run `opportune ledger install --target other`.");
    expect((await opportune(root, ["explain", "nobody"])).stderr).toContain("`opportune preview SEGMENT --user ID`");
  });

  it("shows a stack with --debug alone, and colours only where asked", async () => {
    const root = await shop();
    const plain = await opportune(root, ["ls", "--select", "cart_abandond"]);
    expect(plain).toMatchObject({ code: 2, stderr: 'There is no segment "cart_abandond".\n    Did you mean "cart_abandoned"?\n' });
    const debug = await opportune(root, ["--debug", "ls", "--select", "cart_abandond"]);
    expect(debug.stderr).toContain("at unknownName");
    const coloured = await opportune(root, ["ls", "--select", "nothing_like_it"], { FORCE_COLOR: "1" });
    expect(coloured.stderr).toContain("\u001b[31m");
    const refused = await opportune(root, ["ls", "--select", "nothing_like_it"], { FORCE_COLOR: "1", NO_COLOR: "1" });
    expect(refused.stderr).not.toContain("\u001b");
  });

  it("gives problems as JSON too where JSON is asked for", async () => {
    const outcome = await opportune(await shop(), ["ls", "--output", "json", "--select", "x_*"]);
    expect(outcome.code).toBe(2);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ schema_version: 1, status: "error", problems: [{ code: "usage/unknown-segment" }] });
  });
});
