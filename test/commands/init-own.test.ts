/** `opportune init` for a warehouse of one's own, on a real DuckDB file and a real Postgres. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadProject } from "../../src/project/load.js";
import { createDatabase } from "../support/postgres.js";
import { edit, opportune, read, sql, temporaryFolder } from "./support.js";

const MANIFEST = join(import.meta.dirname, "../data/dbt-manifest.json");

/** The three commands that init names, each with its exit code. */
async function next(root: string, stdout: string, env: NodeJS.ProcessEnv = {}): Promise<Record<string, number | null>> {
  const commands = [...stdout.matchAll(/^ {2}opportune (.+?) {2}/gm)].map(([, command = ""]) => command);
  const codes: Record<string, number | null> = {};
  for (const command of commands) {
    const outcome = await opportune(root, command.split(" "), env);
    codes[command] = outcome.code;
    if (command.startsWith("run")) expect(outcome.stdout, outcome.stderr).toMatch(/^example +1 +1$/m);
  }
  return codes;
}

const ALL_WELL = { "ledger install": 0, debug: 0, "run --dry-run": 0 };

describe.concurrent("init for one's own warehouse", { timeout: 120_000 }, () => {
  it("DuckDB: the next three commands work, on a warehouse without a known table", async () => {
    const folder = temporaryFolder();
    await sql(join(folder, "facts.duckdb"), "create table users as select 1 as user_id");
    const outcome = await opportune(folder, ["init", "life cycle", "--warehouse", "duckdb", "--path", "facts.duckdb"]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    const root = join(folder, "life cycle");
    expect(read(root, "opportune.yml")).toContain('path: "../facts.duckdb"');
    expect(await next(root, outcome.stdout)).toEqual(ALL_WELL);
    const preview = await opportune(root, ["preview", "example"]);
    expect(preview.stdout).toContain("Hello Ada: your account is ready");
  });

  it("Postgres: nothing but DATABASE_URL is needed", async ({ onTestFinished }) => {
    const { connection, drop } = await createDatabase();
    onTestFinished(drop);
    const folder = temporaryFolder();
    const outcome = await opportune(folder, ["init", "--warehouse", "postgres"]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(read(folder, ".env.example")).toContain("\nDATABASE_URL=\n");
    const { user, password, host, port, database } = connection;
    const DATABASE_URL = `postgres://${String(user)}:${String(password)}@${host}:${String(port)}/${String(database)}`;
    expect(await next(folder, outcome.stdout, { DATABASE_URL })).toEqual(ALL_WELL);
  });

  it("from dbt: the project's name and tables, the database's file, and a comment's segment that compiles", async () => {
    const folder = temporaryFolder();
    const outcome = await opportune(folder, ["init", "shop", "--from-dbt", MANIFEST]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    const root = join(folder, "shop");
    const project = loadProject(root, { env: {} });
    expect(project.name).toBe("paper_shop");
    expect(project.target.connection).toMatchObject({ type: "duckdb", path: "warehouse.duckdb" });
    expect(project.sources.get("crm_users")).toEqual({
      name: "crm_users",
      table: '"raw_crm"."users"',
      loadedAt: "cast(synced_at as timestamp)",
      staleAfterSeconds: 172_800,
    });
    expect(existsSync(join(root, "warehouse.duckdb"))).toBe(false);
    await sql(
      join(root, "warehouse.duckdb"),
      "create schema analytics",
      "create table analytics.user_profiles as select 'u1' as user_id, 'a@example.com' as email, 'UTC' as timezone, 'Ada' as first_name, cast(now() as timestamp) as signed_up_at",
    );
    await opportune(root, ["ledger", "install"]);
    // The query in the comment, in the place of the example's.
    edit(root, "segments/example.sql", "select 'u1'", "{{!-- select 'u1'");
    edit(root, "segments/example.sql", "{{!-- One user", "One user");
    edit(root, "segments/example.sql", "under sources in opportune.yml:\n", "under sources in opportune.yml: --}}\n");
    edit(root, "segments/example.sql", "\n--}}\n", "\n");
    const compiled = await opportune(root, ["compile"]);
    expect(compiled.code, compiled.stderr).toBe(0);
  });

  it.each([
    [["--path", "x.duckdb"], /^--path is for a warehouse of your own\.\n {4}Add `--warehouse duckdb`\./],
    [["--warehouse", "postgres", "--path", "x.duckdb"], /^--path is the file of a DuckDB warehouse\./],
    [["--warehouse", "snowflake"], /Allowed choices are duckdb, postgres\./],
    [["--warehouse", "postgres", "--from-dbt", MANIFEST], /dbt-manifest\.json is for duckdb, not postgres\./],
    [["--from-dbt", "nowhere.json"], /^nowhere\.json can't be read: ENOENT.*\n {4}Run `dbt parse` in the dbt project and name its target\/manifest\.json\./],
  ])("%j is refused with the way out, and nothing is written", async (args, expected) => {
    const folder = temporaryFolder();
    const outcome = await opportune(folder, ["init", "shop", ...args]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toMatch(expected);
    expect(existsSync(join(folder, "shop"))).toBe(false);
  });
});
