/** DuckDB files: who may hold them, and transactions that reach them. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { close, open, plain, rejection } from "./support.js";

const DUCKDB = pathToFileURL(createRequire(import.meta.url).resolve("@duckdb/node-api")).href;

let root = "";
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "opportune-duckdb-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Another process that opens the file, runs one statement, says its rows, and ends once its standard input does. */
function other(sql: string): { rows: Promise<unknown>; end(): Promise<void>; pid: number } {
  const script = `const { DuckDBInstance } = await import(${JSON.stringify(DUCKDB)});
    const c = await (await DuckDBInstance.create("shop.duckdb")).connect();
    console.log(JSON.stringify((await c.runAndReadAll(${JSON.stringify(sql)})).getRowsJson()));
    // Named here, the connection lives as long as the process: what nothing names is closed in time.
    process.stdin.resume().on("end", () => (c.closeSync(), process.exit(0)));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: root, stdio: ["pipe", "pipe", "pipe"] });
  let wrong = "";
  child.stderr.on("data", (chunk: Buffer) => (wrong += chunk.toString()));
  const rows = new Promise<unknown>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(JSON.parse(chunk.toString())));
    child.once("exit", () => reject(new Error(wrong)));
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return { rows, pid: child.pid ?? 0, end: () => (child.stdin.end(), ended) };
}

describe("a file", () => {
  it("is free for another process once it is closed, and holds what was written", async () => {
    const warehouse = await open({ path: "shop.duckdb" }, { root });
    await warehouse.execute(plain("create table t as select 42 as a"));
    const refused = other("select 1");
    await expect(refused.rows).rejects.toThrow(/lock/);
    await close(warehouse);
    const reader = other("select a from t");
    expect(await reader.rows).toEqual([[42]]);
    await reader.end();
  });

  it("held by another process is waited for, then refused by that process's name", async () => {
    const holder = other("create table t as select 7 as a");
    await holder.rows;
    const told: string[] = [];
    const error = await rejection(open({ path: "shop.duckdb", waitForLockSeconds: 0 }, { root, onWait: (message) => told.push(message) }));
    expect(error).toBeInstanceOf(OpportuneError);
    expect(error).toMatchObject({
      problems: [
        {
          code: "warehouse/locked",
          message: expect.stringMatching(new RegExp(`^shop\\.duckdb is held by .+ \\(process ${String(holder.pid)}\\); waited 0 seconds\\.$`)) as string,
        },
      ],
    });
    expect(told).toEqual([]);
    let released: Promise<void> | undefined;
    const warehouse = await open(
      { path: "shop.duckdb", waitForLockSeconds: 60 },
      {
        root,
        onWait: (message) => {
          told.push(message);
          released = holder.end();
        },
      },
    );
    await released;
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`(process ${String(holder.pid)}); waiting up to 60 seconds`);
    expect(await warehouse.query(plain("select a from t"))).toEqual([{ a: 7 }]);
  });

  it("opened twice in one process is one database: nothing committed is lost, and one may close first", async () => {
    const first = await open({ path: "shop.duckdb" }, { root });
    const second = await open({ path: "shop.duckdb" }, { root });
    await first.execute(plain("create table t (a integer)"));
    await second.execute(plain("insert into t values (1)"));
    await first.execute(plain("insert into t values (2)"));
    await close(first);
    expect(await second.query(plain("select a from t order by a"))).toEqual([{ a: 1 }, { a: 2 }]);
    await close(second);
    const third = await open({ path: "shop.duckdb" }, { root });
    expect(await third.query(plain("select a from t order by a"))).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it("that is missing or no database is an error that says so", async () => {
    expect(await rejection(open({ path: "shop.duckdb" }, { root, create: false }))).toMatchObject({ problems: [{ code: "warehouse/missing" }], exitCode: 1 });
    writeFileSync(join(root, "shop.duckdb"), "no database".repeat(2000));
    expect(await rejection(open({ path: "shop.duckdb" }, { root }))).toMatchObject({ problems: [{ code: "warehouse/not-duckdb" }], exitCode: 1 });
    expect(await rejection(open({ path: "no/such/folder/shop.duckdb" }, { root }))).toMatchObject({
      problems: [{ code: "warehouse/unreachable" }],
      exitCode: 1,
    });
  });

  it("keeps no work tables", async () => {
    const first = await open({ path: "shop.duckdb" }, { root });
    await first.execute(plain("create table opportune_work.t as select 1 as a"));
    await close(first);
    const second = await open({ path: "shop.duckdb" }, { root });
    await expect(second.query(plain("select * from opportune_work.t"))).rejects.toThrow(/t does not exist/);
  });
});

it("keeps databases in memory apart", async () => {
  const [first, second] = [await open(), await open()];
  await first.execute(plain("create table t as select 1 as a"));
  await expect(second.query(plain("select * from t"))).rejects.toThrow(/t does not exist/);
});

it("uses the threads and memory that the target allows", async () => {
  const warehouse = await open({ threads: 1, memoryLimit: "123MiB" });
  expect(
    await warehouse.query(
      plain("select current_setting('threads') as threads, current_setting('memory_limit') as memory, current_setting('TimeZone') as zone"),
    ),
  ).toEqual([{ threads: 1, memory: "123.0 MiB", zone: "UTC" }]);
});

describe("transaction", () => {
  it("commits all of its statements and gives what the work gives", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table t (a integer)"));
    const inserted = await warehouse.transaction(
      async () => (await warehouse.execute(plain("insert into t values (1), (2)"))) + (await warehouse.execute(plain("update t set a = 3 where a = 1"))),
    );
    expect(inserted).toBe(3);
    expect(await warehouse.query(plain("select a from t order by a"))).toEqual([{ a: 2 }, { a: 3 }]);
  });

  it("rolls back when the work fails, and is ready for the next", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table t (a integer)"));
    await expect(
      warehouse.transaction(async () => {
        await warehouse.execute(plain("insert into t values (1)"));
        throw new Error("the work failed");
      }),
    ).rejects.toThrow("the work failed");
    expect(
      await rejection(
        warehouse.transaction(async () => {
          await warehouse.execute(plain("insert into t values (1)"));
          await warehouse.execute(plain("insert into nowhere values (1)"));
        }),
      ),
    ).toMatchObject({ reason: expect.stringContaining("nowhere") as string });
    await warehouse.transaction(() => warehouse.execute(plain("insert into t values (5)")));
    expect(await warehouse.query(plain("select a from t"))).toEqual([{ a: 5 }]);
  });

  it("rolls back when the commit fails, names the reason, and is ready for the next", async () => {
    const warehouse = await open({ path: "shop.duckdb" }, { root });
    const rival = await open({ path: "shop.duckdb" }, { root });
    await warehouse.execute(plain("create table t (a integer primary key)"));
    const error = await rejection(
      warehouse.transaction(async () => {
        await warehouse.execute(plain("insert into t values (1)"));
        await rival.execute(plain("insert into t values (1)"));
      }),
    );
    expect(error).toBeInstanceOf(OpportuneError);
    expect(error.message).toMatch(/constraint/i);
    await warehouse.transaction(() => warehouse.execute(plain("insert into t values (2)")));
    expect(await warehouse.query(plain("select a from t order by a"))).toEqual([{ a: 1 }, { a: 2 }]);
  });
});
