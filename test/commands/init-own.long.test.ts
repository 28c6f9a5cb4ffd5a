/** `opportune init` for a warehouse of one's own, on a real DuckDB file and a real Postgres. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileCommand } from "../../src/commands/compile/compile.js";
import { initCommand, type InitOptions } from "../../src/commands/init/init.js";
import { ledgerInstallCommand } from "../../src/commands/ledger.js";
import { lintProject } from "../../src/project/checks/lint.js";
import { loadProject } from "../../src/project/build/load.js";
import type { PostgresConnection } from "../../src/project/targets/postgres.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import { createDatabase } from "../support/postgres.js";
import { told } from "../support/terminal.js";
import { edit, opportune, read, sql, temporaryFolder, write } from "./support.js";

const MANIFEST = join(import.meta.dirname, "../data/dbt-manifest.json");

/** `opportune init FOLDER` with these options, in this process. */
function init(folder: string, options: Partial<InitOptions>): ReturnType<typeof told> {
  return told((terminal) => initCommand(terminal, { color: false, ...options }, [folder]));
}

/**
 * The three commands that init names, each with its exit code. A first run makes the example's three users baseline; with that lifted one would
 * be written to, or waits for the morning: it runs at the time of day that it is.
 */
async function next(root: string, stdout: string, env: NodeJS.ProcessEnv = {}): Promise<Record<string, number | null>> {
  const commands = [...stdout.matchAll(/^ {2}(?:npx )?opportune (.+?) {2}/gm)].map(([, command = ""]) => command);
  const codes: Record<string, number | null> = {};
  for (const command of commands) {
    const outcome = await opportune(root, command.split(" "), env);
    codes[command] = outcome.code;
    if (!command.startsWith("run")) continue;
    expect(outcome.stdout, outcome.stderr).toMatch(/^example +3 +3 +0 +3 baseline$/m);
    const lifted = /^ {4}opportune run (--backfill \S+)$/m.exec(outcome.stdout)?.[1] ?? "";
    const { stdout, stderr } = await opportune(root, [...command.split(" "), ...lifted.split(" ")], env);
    expect(stdout, stderr).toMatch(/^example +3 +3 +[01] +3 backfilled,(?: 1 quiet_hours,)? 1 converted,(?: 1 quiet_hours,)? 1 excluded/m);
  }
  return codes;
}

const ALL_WELL = { "ledger install": 0, debug: 0, "run --dry-run": 0 };

function urlOf({ user, password, host, port, database }: PostgresConnection): string {
  return `postgres://${String(user)}:${String(password)}@${host}:${String(port)}/${String(database)}`;
}

describe.concurrent("init for one's own warehouse", () => {
  it("DuckDB: the next three commands work, on a warehouse without a known table", async () => {
    const folder = temporaryFolder();
    await sql(join(folder, "facts.duckdb"), "create table users as select 1 as user_id");
    const outcome = await opportune(folder, ["init", "life cycle", "--warehouse", "duckdb", "--path", "facts.duckdb"]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    const root = join(folder, "life cycle");
    expect(read(root, "opportune.yml")).toContain('path: "../facts.duckdb"');
    expect(await next(root, outcome.stdout)).toEqual(ALL_WELL);
  });

  it("Postgres, from dbt: nothing but DATABASE_URL is needed, whatever database it names", async ({ onTestFinished }) => {
    const { connection, drop } = await createDatabase();
    onTestFinished(drop);
    const folder = temporaryFolder();
    write(folder, { "manifest.json": read(dirname(MANIFEST), basename(MANIFEST)).replace('"adapter_type": "duckdb"', '"adapter_type": "postgres"') });
    const outcome = await opportune(folder, ["init", "--from-dbt", "manifest.json"]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(read(folder, ".env.example")).toContain("\nDATABASE_URL=\n");
    const DATABASE_URL = urlOf(connection);
    const { sources } = loadProject(folder, { env: { DATABASE_URL } });
    expect(sources.size).toBeGreaterThan(8);
    const warehouse = await openPostgres(connection, { root: "." });
    try {
      for (const schema of ["analytics", "raw", "raw_crm"]) await warehouse.execute({ sql: `create schema ${schema}`, params: [] });
      for (const { table } of sources.values())
        await warehouse.execute({ sql: `create table ${table} as select now() as loaded_at, now() as synced_at`, params: [] });
    } finally {
      await warehouse.close();
    }
    expect(await next(folder, outcome.stdout, { DATABASE_URL })).toEqual(ALL_WELL);
  });

  it("Postgres without dbt: no tables yet", async () => {
    const folder = join(temporaryFolder(), "planner");
    expect((await init(folder, { warehouse: "postgres" })).stdout).toContain("Name your tables under `sources` in opportune.yml.");
    const project = loadProject(folder, { env: { DATABASE_URL: "postgres://job@db.example.com/facts" } });
    expect(project).toMatchObject({ name: "planner", target: { live: false, connection: { type: "postgres", host: "db.example.com", database: "facts" } } });
    expect(project.sources.size).toBe(0);
  });

  it("Snowflake: a target by key pair, its client and its variables named", async () => {
    const folder = join(temporaryFolder(), "planner");
    const { stdout } = await init(folder, { warehouse: "snowflake" });
    expect(stdout).toContain(
      "\n  npm install snowflake-sdk             its client\n  cp .env.example .env                  then write the 6 variables into it",
    );
    const names = read(folder, ".env.example").match(/^\w+(?==$)/gm) ?? [];
    const env = Object.fromEntries(names.map((name) => [name, name.toLowerCase()]));
    expect(loadProject(folder, { env }).target).toMatchObject({
      live: false,
      connection: {
        type: "snowflake",
        account: "snowflake_account",
        signIn: { kind: "key", file: "snowflake_private_key_path" },
        role: "snowflake_role",
        database: "snowflake_database",
      },
    });
  });

  it("BigQuery, from dbt: the project and tables as dbt names them", async () => {
    const folder = temporaryFolder();
    const manifest = readFileSync(MANIFEST, "utf8")
      .replace('"adapter_type": "duckdb"', '"adapter_type": "bigquery"')
      .replaceAll(String.raw`\"`, "`");
    write(folder, { "manifest.json": manifest });
    const root = join(folder, "shop");
    const { stdout } = await init(root, { fromDbt: join(folder, "manifest.json") });
    expect(stdout).toContain(
      "\n  npm install                           Opportune, as package.json names it\n  npm install @google-cloud/bigquery google-auth-library  its client\n  npx opportune ledger install",
    );
    const { target, sources } = loadProject(root, { env: {} });
    expect(target.connection).toMatchObject({ type: "bigquery", project: "warehouse", signIn: { kind: "default" } });
    // With its project: a dataset alone would be looked for in the one that is billed.
    expect(sources.get("crm_users")?.table).toBe("`warehouse`.`raw_crm`.`users`");
  });

  it("DuckDB, from dbt: its name and tables, the database's file; the query that the example shows in a comment compiles", async () => {
    const root = join(temporaryFolder(), "shop");
    expect(await init(root, { fromDbt: MANIFEST })).toMatchObject({ code: 0, stderr: "" });
    const project = loadProject(root, { env: {} });
    expect(project.name).toBe("paper_shop");
    expect(project.target.connection).toMatchObject({ type: "duckdb", path: "warehouse.duckdb" });
    const users = { name: "crm_users", table: '"raw_crm"."users"', loadedAt: "cast(synced_at as timestamp)", staleAfterSeconds: 172_800, line: 37 };
    expect(project.sources.get("crm_users")).toEqual(users);
    expect(existsSync(join(root, "warehouse.duckdb"))).toBe(false);
    await sql(
      join(root, "warehouse.duckdb"),
      "create schema analytics",
      "create table analytics.user_profiles as select 'u1' as user_id, 'a@example.com' as email, 'UTC' as timezone, 'Ada' as first_name, cast(now() as timestamp) as signed_up_at",
    );
    const { findings } = lintProject(project, loadRenderer(project).templateOf);
    expect(findings).toEqual([]);
    // The query in the comment, in the place of the example's.
    edit(root, "segments/example.sql", "\n--}}\n", "\n");
    edit(root, "segments/example.sql", "select user_id, email, 'UTC'", "{{!-- select user_id, email, 'UTC'");
    edit(root, "segments/example.sql", "{{!-- With tables of your own:", "--}}");
    const options = { color: false, projectDir: root };
    await told((terminal) => ledgerInstallCommand(terminal, options));
    expect(await told((terminal) => compileCommand(terminal, options))).toMatchObject({ code: 0 });
  });

  it.each<[Partial<InitOptions>, RegExp]>([
    [{ path: "x.duckdb" }, /^--path is for a warehouse of your own\.\n {4}Add `--warehouse duckdb`\./],
    [{ warehouse: "postgres", path: "x.duckdb" }, /^--path is the file of a DuckDB warehouse\./],
    [{ warehouse: "postgres", fromDbt: MANIFEST }, /dbt-manifest\.json is for duckdb, not postgres\./],
    [{ fromDbt: "nowhere.json" }, /^nowhere\.json can't be read: ENOENT.*\n {4}Run `dbt parse` in the dbt project and name its target\/manifest\.json\./],
  ])("%j is refused with the way out, and nothing is written", async (options, message) => {
    const folder = temporaryFolder();
    await expect(init(join(folder, "shop"), options)).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) as string });
    expect(readdirSync(folder)).toEqual([]);
  });
});
