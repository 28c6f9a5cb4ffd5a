/**
 * Every statement of the job as BigQuery and Snowflake would be asked it, against the grammar of each: real runs on DuckDB, over the
 * decision table and the shipped example, tell what there is to ask.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createProgram } from "../../src/commands/program.js";
import { bigQueryDialect } from "../../src/warehouse/bigquery/dialect.js";
import { snowflakeDialect } from "../../src/warehouse/snowflake/dialect.js";
import { readAlertState, writeAlertState } from "../../src/ledger/alert-state.js";
import { runHistory } from "../../src/ledger/runs/history.js";
import { installLedger, trialsMade } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { returnedRows } from "../../src/ledger/runs/segment-runs.js";
import { sql, temporaryFolder, write } from "../commands/support.js";
import { createCaseWorlds } from "../support/cases.js";
import { CASES } from "../support/play.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { around } from "../support/around.js";
import { LEDGER_FILES, letLeaseRunOut } from "../ledger/support.js";
import { floodStory, OTHER } from "../support/surge.js";
import type { openDuckDb as OpenDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { Statement, Warehouse } from "../../src/warehouse/types.js";
import { closeIdleWarehouses, createSqlDecider } from "../support/sql-decider.js";

import { Gate, Gates, NOT_ASKED_THERE } from "./gate.js";
import { HANDS_OVER } from "./twin.js";
import { startGoogleSql, type GoogleSql } from "./googlesql.js";
import { installedGrammars } from "./install.js";
import { loadSnowflakeSql } from "./snowflake-sql.js";

const heard: { gates?: Gates; opened: number } = vi.hoisted(() => ({ opened: 0 }));

// Nothing is pretended: each DuckDB that is opened is the real one, and overheard.
vi.mock("../../src/warehouse/duckdb/open.js", async (load) => {
  const real = await load<{ openDuckDb: typeof OpenDuckDb }>();
  const openDuckDb: typeof OpenDuckDb = async (connection, options) => {
    const database = connection.path === ":memory:" ? `memory ${String(heard.opened++)}` : resolve(options.root, connection.path);
    const warehouse = await real.openDuckDb(connection, options);
    return heard.gates?.twin(warehouse, database) ?? warehouse;
  };
  return { ...real, openDuckDb };
});

const folder = installedGrammars();

describe.skipIf(folder === null)("what the job asks of a warehouse", () => {
  let googleSql: GoogleSql | undefined;
  let bigQuery: Gate;
  let snowflake: Gate;
  beforeAll(async () => {
    googleSql = await startGoogleSql(folder ?? "");
    bigQuery = new Gate(bigQueryDialect("shop"), googleSql);
    snowflake = new Gate(snowflakeDialect, await loadSnowflakeSql(folder ?? ""));
    heard.gates = new Gates([bigQuery, snowflake]);
  });
  afterAll(async () => {
    await closeIdleWarehouses();
    googleSql?.stop();
  });

  it("is heard: in the decision table", async () => {
    const worlds = createCaseWorlds();
    for (const one of CASES.filter((each) => TELLING.has(each))) {
      const decider = await createSqlDecider();
      for (const { run } of worlds.stepsOf(one)) await decider.run(run);
      await decider.close();
    }
    worlds.dispose();
  });

  it("is heard: in the shipped example, by the command line", async () => {
    const root = join(temporaryFolder(), "shop");
    const opportune = (...args: string[]): Promise<unknown> => createProgram().parseAsync(["node", "opportune", ...args, "--quiet", "--project-dir", root]);
    const said = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    onTestFinished(() => said.mockRestore());
    await createProgram().parseAsync(["node", "opportune", "init", root, "--quiet"]);
    // Whenever this is run somebody is to be claimed, and somebody outranked.
    const settings = readFileSync(join(root, "opportune.yml"), "utf8");
    const dated = settings.replace("  carts: carts", "  carts: {table: carts, loaded_at: updated_at}");
    expect(dated).not.toBe(settings);
    write(root, { "opportune.yml": dated.replace(/^ {2}quiet_hours:.*\n/m, "") });
    for (const file of readdirSync(join(root, "segments")).filter((name) => name.endsWith(".sql"))) {
      const segment = readFileSync(join(root, "segments", file), "utf8");
      write(root, { [`segments/${file}`]: segment.replace("status: live", "status: live\nfirst_run: send") });
    }
    await opportune("compile", "--estimate");
    await opportune("run");
    await opportune("run", "--due", "--dry-run");
    await opportune("debug");
    const users = await sql(
      join(root, "shop.duckdb"),
      "select min(user_id) as user_id from opportune.sent_ledger where reason in ('claimed', 'outranked') group by reason order by reason",
    );
    expect(users).toHaveLength(2);
    for (const user of users.map(({ user_id: id }) => String(id))) await opportune("explain", user, "--html", join(root, "story.html"));
    await opportune("explain", String(users[0]?.["user_id"]), "--all");
    await expect(opportune("explain", "nobody@example.com")).rejects.toThrow("knows no user");
    await opportune("preview", "cart_abandoned");
    await opportune("pause", "cart_abandoned");
    await opportune("doubts");
    await expect(opportune("doubts", "--segment", "gone")).rejects.toThrow("There is no segment");
    const [last] = await sql(join(root, "shop.duckdb"), "select run_id from opportune.runs order by fence desc limit 1");
    rmSync(join(root, "segments", "welcome.sql"));
    await opportune("ledger", "forget-segment", "welcome");
    await opportune("ledger", "forget", String(last?.["run_id"]));
    await opportune("ledger", "prune", "--older-than", "400d");
    await opportune("ledger", "install");
    await opportune("ledger", "adopt");
    expect(process.exitCode ?? 0).toBe(0);
  });

  it("is heard: in runs that break off, and in what a flood leads to", async () => {
    const shop = await Shop.sending(["ada", "bob"]);
    const cutOff = (warehouse: Warehouse): Warehouse =>
      around(warehouse, { script: (script) => (script.fill === undefined ? warehouse.script(script) : Promise.reject(new Error("gone"))) });
    await expect(shop.run(T0, {}, cutOff)).rejects.toThrow("gone");
    await shop.warehouse((warehouse) => letLeaseRunOut(warehouse));
    expect((await shop.run(T0 + MINUTE, {}, losingAnswers)).recovered.released).toBe(2);
    await expect(shop.run(T0 + 2 * MINUTE, {}, failingOnce(/^insert into \S*decisions/))).rejects.toThrow("refused");
    // One source of two can't say how old its data is: each is asked by itself.
    shop.edit("opportune.yml", "carts: carts", "carts: {table: carts, loaded_at: occurred_at}\n  old: {table: carts, loaded_at: nowhere}");
    // Its staging fails, once it runs.
    const broken = OTHER.replace(/select .*/, 'select *, cast(email as numeric) as n from {{source "carts"}}');
    write(shop.root, { "segments/other.sql": OTHER.replace('"carts"', '"old"'), "segments/broken.sql": broken });
    const { problems } = await shop.run(T0 + 3 * MINUTE);
    expect(problems.map(({ code }) => code).sort()).toEqual(["segment/query", "source/loaded-at"]);
    await floodStory("duckdb");
  });

  it("is heard: around the runs, by schedule and alerts", async () => {
    const shop = await Shop.sending(["ada"]);
    await shop.run(T0);
    await shop.warehouse(async (warehouse) => {
      expect((await runHistory(new Ledger(warehouse, "opportune"), true)).lastSuccess).toBe(T0);
      expect((await returnedRows(new Ledger(warehouse, "opportune", () => T0), true, MINUTE)).last).toEqual(new Set(["cart"]));
      await writeAlertState(new Ledger(warehouse, "opportune"), false, { failed: "2026-03-02T12:00:00Z" });
      // An older ledger, which is brought to this version under the lease.
      await warehouse.execute({ sql: "update opportune.meta set content = '2' where name = 'schema_version'", params: [] });
      expect(await installLedger(new Ledger(warehouse, "opportune"))).toEqual(LEDGER_FILES.slice(2));
      expect(await trialsMade(new Ledger(warehouse, "opportune"))).toMatchObject({ messages: 1 });
      expect(await readAlertState(new Ledger(warehouse, "opportune"), false)).toEqual({ failed: "2026-03-02T12:00:00Z" });
    });
  });

  it("is heard from every place that asks", () => {
    const missing = placesThatAsk().filter((place) => !heard.gates?.origins.has(place));
    expect(missing).toEqual([]);
  });

  it("is BigQuery's, by GoogleSQL's analyzer", () => {
    expect(bigQuery.report()).toEqual([]);
    console.info(`${String(bigQuery.passed.size)} statements and ${String(bigQuery.scripts.size)} scripts`);
    expect(bigQuery.scripts.size).toBeGreaterThan(20);
    expect([...bigQuery.scripts].filter((script) => script.includes("create or replace temp table opportune_bites as"))).not.toEqual([]);
  });

  it("is Snowflake's, by a parser of its SQL", () => {
    expect(snowflake.report()).toEqual([]);
    console.info(`${String(snowflake.passed.size)} statements`);
    expect(snowflake.passed.size).toBeGreaterThan(300);
  });
});

/** The commit of the run's decisions is made, and its answer lost. */
function losingAnswers(warehouse: Warehouse): Warehouse {
  return around(warehouse, {
    script: async (script) => {
      const rows = await warehouse.script(script);
      if (script.statements.some(({ sql: text }) => text.startsWith("-- Appends this run's changed answers"))) throw new Error("the answer is lost");
      return rows;
    },
  });
}

/** Refuses the first statement that matches. */
function failingOnce(pattern: RegExp): (warehouse: Warehouse) => Warehouse {
  let failed = false;
  const refuse = (statements: readonly Statement[]): void => {
    if (failed || !statements.some(({ sql: text }) => pattern.test(text))) return;
    failed = true;
    throw new Error("refused");
  };
  return (warehouse) =>
    around(warehouse, {
      execute: async (statement) => {
        refuse([statement]);
        return warehouse.execute(statement);
      },
      script: async (script) => {
        refuse([...(script.work ?? []), ...script.statements]);
        return warehouse.script(script);
      },
    });
}

/** What a case may have that leads to statements, or to rows in them, of their own. */
const FEATURES = [
  ...[
    /resent/,
    /retried/,
    /min_rows/,
    /"loaded_at":\{"/,
    /"suppressions":\[\{/,
    /"preferences":\[\{/,
    /"backfill":\["/,
    /"pause":\["/,
    /"failed"/,
    /"forget":\["/,
    /"prune":"/,
    /"remove":\["/,
  ],
  ...[/variants/, /holdout/, /"caps"/, /spacing/, /quiet_hours/, /max_per_run/, /each_occurrence/, /days"/, /transactional/, /goal/, /"require":\["/],
];

/** The first case that has each: the statements are the same for the rest, but for the constants of their projects. */
const TELLING = new Set(FEATURES.map((feature) => CASES.find((one) => feature.test(JSON.stringify(one)))));

const ASKS = /\b(?:warehouse|ledger|held)\.(?:query|execute|stream|describe|beside|script|commit|append|commitAndRelease)\(/i;

/** Calls of a warehouse or a ledger in the project's own code, as file:line; those that loop over a dialect's own statements, which may have none, aside. */
function placesThatAsk(): string[] {
  const root = join(import.meta.dirname, "../..");
  return readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith("src/warehouse/") && !NOT_ASKED_THERE.test(file) && !HANDS_OVER.test(file))
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .flatMap((line, i) => (ASKS.test(line) && !line.includes("for (const sql of") ? [`${file}:${String(i + 1)}`] : [])),
    );
}
