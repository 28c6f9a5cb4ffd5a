/** The table "Bad input": for each row a clear error and its exit code, and nothing sent. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import { LEDGER_FILES } from "../ledger/support.js";
import { createDatabase } from "../support/postgres.js";
import { edit, opportune, query, shop, sql, start } from "./support.js";

const DUCKDB = pathToFileURL(createRequire(import.meta.url).resolve("@duckdb/node-api")).href;

/** A process of its own that holds the shop's file until it is killed. */
async function holder(root: string): Promise<{ pid: number; release(): Promise<void> }> {
  const script = `const { DuckDBInstance } = await import(${JSON.stringify(DUCKDB)}); const i = await DuckDBInstance.create("shop.duckdb"); await i.connect(); console.log("held"); setInterval(() => i, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the holder ended with ${String(code)}`)));
  });
  const release = (): Promise<void> =>
    new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  return { pid: child.pid ?? 0, release };
}

describe.concurrent("bad input", () => {
  it("names every mistake of the project at once, with the nearest name, exit 2, and runs nothing", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "max_per_run: 100", "max_per_runs: 100\n  spacing: 10 minuts");
    edit(root, "segments/cart_waiting.sql", "template: cart", "template: carts");
    edit(root, "segments/cart_abandoned.sql", "goal: ordered", "goal: orderd");
    edit(root, "segments/win_back.sql", "channel: email", "channel: emial");
    const outcome = await opportune(root, ["run"]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toMatch(/^opportune\.yml:11:3: .*max_per_runs.*\n.*max_per_run/);
    expect(outcome.stderr).toMatch(/\nopportune\.yml:12:12: .*10 minuts.*\n.*10 minutes/);
    expect(outcome.stderr).toMatch(/\nsegments\/cart_abandoned\.sql:7:7: .*orderd.*\n.*"ordered"/);
    expect(outcome.stderr).toMatch(/\nsegments\/cart_waiting\.sql:\d+:\d+: .*carts.*\n.*"cart"/);
    expect(outcome.stderr).toMatch(/\nsegments\/win_back\.sql:\d+:\d+: .*emial.*\n.*"email"/);
    expect(await query(root, "select * from opportune.runs")).toEqual([]);
  });

  it("names the place of broken YAML, exit 2", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "name: shop", "name: [shop");
    const outcome = await opportune(root, ["run"]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toMatch(/^opportune\.yml:\d+:\d+: /);
  });

  it("names the columns where behaviour time, address or a template's variable is missing, exit 1: each segment alone", async () => {
    const root = await shop();
    edit(root, "segments/cart_waiting.sql", "email, updated_at as occurred_at", "updated_at");
    edit(root, "templates/cart.hbs", "is saved", "{{totl}} is saved");
    const outcome = await opportune(root, ["compile"]);
    expect(outcome).toMatchObject({ code: 1, stdout: expect.stringContaining("Compiled, with errors: 0 segments") as string });
    expect(outcome.stderr).toContain(
      "segments/cart_waiting.sql:10: Segment cart_waiting returns no column occurred_at.\n    It returns: user_id, updated_at, total.",
    );
    expect(outcome.stderr).toContain("returns no column email, the address that channel email of step hint needs.");
    expect(outcome.stderr).toMatch(/templates\/cart\.hbs:6:\d+: \{\{totl\}\} is not a column of segment cart_abandoned.*\n    Did you mean "total"\?/);
    expect(await query(root, "select * from opportune.segment_runs")).toEqual([]);
  });

  it("says who holds the ledger, and until when, exit 1", async () => {
    const { connection, drop } = await createDatabase();
    try {
      const root = await shop();
      edit(root, "opportune.yml", "{type: duckdb, path: shop.duckdb, wait_for_lock: 1 second}", '{type: postgres, url: "${URL}"}');
      const { user, password, host, port, database } = connection;
      const env = { URL: `postgres://${String(user)}:${String(password)}@${host}:${String(port)}/${String(database)}` };
      expect(await opportune(root, ["ledger", "install"], env)).toMatchObject({ code: 0 });
      const warehouse = await openPostgres(connection, { root });
      const lease = "update opportune.leases set holder = '4711-abc', expires_at = clock_timestamp() + interval '5 minutes' where name = 'run'";
      await warehouse.execute({ sql: lease, params: [] });
      await warehouse.close();
      const held = await opportune(root, ["run"], env);
      expect(held).toMatchObject({ code: 1, stdout: "" });
      expect(held.stderr).toMatch(/Another run holds the ledger \(process 4711, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)\./);
    } finally {
      await drop();
    }
  });

  it("gives the command that helps where the ledger is missing or newer, exit 1", async () => {
    const bare = await shop({ ledger: false });
    expect(await opportune(bare, ["run"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "There is no ledger in schema opportune.\n    Run `opportune ledger install`.\n",
    });
    expect(await opportune(bare, ["explain", "u1"])).toMatchObject({
      code: 1,
      stderr: "There is no ledger in schema opportune.\n    Run `opportune ledger install`.\n",
    });

    const root = await shop();
    await query(root, "update opportune.meta set content = '99' where name = 'schema_version'");
    for (const args of [["run"], ["ledger", "status"], ["ledger", "install"], ["compile"]]) {
      const newer = await opportune(root, args);
      expect(newer).toMatchObject({ code: 1, stdout: "" });
      expect(newer.stderr).toContain(`The ledger is of version 99, newer than the ${String(LEDGER_FILES.length)} this Opportune knows.\n    Upgrade Opportune`);
    }
  });

  it("says in a line that the warehouse can't be reached, exit 1", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "path: shop.duckdb", "path: shp.duckdb");
    expect(await opportune(root, ["run"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "There is no DuckDB file at shp.duckdb.\n    Correct `path` of this target in opportune.yml, or create the file.\n",
    });
    writeFileSync(join(root, "shp.duckdb"), "this is no database".repeat(1000));
    const broken = await opportune(root, ["run"]);
    expect(broken).toMatchObject({ code: 1, stdout: "" });
    expect(broken.stderr).toMatch(/^shp\.duckdb is not a DuckDB file\.\n {4}Correct `path`/);
  });

  it("waits for a locked file as long as configured, then names the process, exit 1", async () => {
    const root = await shop();
    const { pid, release } = await holder(root);
    try {
      const outcome = await opportune(root, ["run"]);
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toContain(`(process ${String(pid)}); waiting up to 1 seconds`);
      expect(outcome.stderr).toMatch(
        new RegExp(`shop\\.duckdb is held by .*\\(process ${String(pid)}\\); waited 1 seconds\\.\\n    Close it there, or wait\\. \`wait_for_lock\``),
      );
    } finally {
      await release();
    }
  });

  it("goes on as soon as the other process lets go of the file", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "wait_for_lock: 1 second", "wait_for_lock: 60 seconds");
    const { release } = await holder(root);
    const running = start(root, ["ledger", "status"]);
    await running.seen(/waiting up to 60 seconds/);
    await release();
    expect(await running.done).toMatchObject({
      code: 0,
      stdout: `The ledger in schema opportune of target dev is up to date: version ${String(LEDGER_FILES.length)}.\n`,
    });
  });

  it("counts bad rows, gives users a reason, and keeps what is odd in values intact", async () => {
    const root = await shop();
    const odd = `O'Brien "<b>" ü 漢\r\nBcc: x@example.com`;
    await sql(
      join(root, "shop.duckdb"),
      "delete from carts",
      `insert into carts (user_id, email, updated_at, total) select user_id, email, cast(now() at time zone 'UTC' as timestamp) + to_seconds(seconds), total from (values
        ('ok', 'ok@example.com', -3600, 10), ('dup', 'dup@example.com', -3600, 10), ('dup', 'dup@example.com', -7200, 10),
        (null, 'n@example.com', -3600, 10), ('late', 'l@example.com', 86400, 10), ('never', 'v@example.com', null, 10),
        ('bad', 'bad address', -3600, 10), ('nototal', 't@example.com', -3600, null)) v(user_id, email, seconds, total)`,
    );
    edit(
      root,
      "segments/cart_abandoned.sql",
      "occurred_at, total",
      `occurred_at, total, '${odd.replaceAll("'", "''").replace("\r\n", "' || chr(13) || chr(10) || '")}' as note`,
    );
    edit(root, "templates/cart.hbs", "of {{total}}\n", "of {{note}}\n");
    edit(root, "segments/cart_waiting.sql", "status: live", "status: draft");
    edit(root, "segments/cart_waiting.sql", "template: cart", "template: plain");
    writeFileSync(join(root, "templates/plain.hbs"), "---\nsubject: Hello\nlayout: none\n---\n<p>Hello</p>\n");
    edit(root, "segments/win_back.sql", "template: cart", "template: plain");
    const outcome = await opportune(root, ["run", "--output", "json"]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      segments: [{ returned: 8, dropped: { null_user: 1, null_behaviour: 1, future_behaviour: 1, duplicate: 1 }, decisions: { claimed: 2, invalid: 2 } }],
      delivery: { accepted: 2 },
    });
    expect(await query(root, "select user_id, rule from opportune.sent_ledger where reason = 'invalid' order by 1")).toEqual([
      { user_id: "bad", rule: "address" },
      { user_id: "nototal", rule: "total" },
    ]);
    const preview = await opportune(root, ["preview", "cart_abandoned", "--user", "ok", "--output", "json"]);
    const { subject } = JSON.parse(preview.stdout) as { subject: string };
    expect(subject).toContain(`O'Brien "<b>" ü 漢`);
    expect(subject).not.toMatch(/[\r\n]/);
  });
});
