import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { opportune, read, temporaryFolder, write } from "./support.js";

describe("init", () => {
  it("begins a project that runs at once, and says how to go on", async () => {
    const folder = temporaryFolder();
    const outcome = await opportune(folder, ["init", "shop"]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/\n {2}cd shop\n {2}opportune run --dry-run +.*\n {2}opportune preview .*\n {2}opportune run +/);
    const root = join(folder, "shop");
    for (const file of ["opportune.yml", "segments", "templates", "shop.duckdb", ".gitignore", ".env.example"])
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
});
