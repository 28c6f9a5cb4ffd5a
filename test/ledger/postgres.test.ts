/** The ledger where several processes are at it at once. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { SENDING_MS } from "../../src/ledger/lease/lease.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { ledgerStatus } from "../../src/ledger/install/versions.js";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { recordRunStart } from "../../src/ledger/runs/record.js";
import { statementsOf } from "../../src/warehouse/sql.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { createDatabase } from "../support/postgres.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { close, onClose, rejection } from "../warehouse/support.js";
import { LEDGER_FILES, ledgerOfVersion2, letLeaseRunOut, rows, SCHEMA } from "./support.js";

let database: Awaited<ReturnType<typeof createDatabase>>;

beforeAll(async () => {
  database = await createDatabase();
});

afterEach(async () => {
  const warehouse = await openPostgres(database.connection, { root: "." });
  for (const sql of ["drop view if exists mine", `drop schema if exists ${SCHEMA} cascade`]) await warehouse.execute({ sql, params: [] });
  await warehouse.close();
});

afterAll(() => database.drop());

async function open(): Promise<Warehouse> {
  return onClose(await openPostgres(database.connection, { root: "." }));
}

async function ledger(): Promise<Warehouse> {
  const warehouse = await open();
  await installLedger(new Ledger(warehouse, SCHEMA));
  return warehouse;
}

/** Asks again and again until there is a row: what is awaited happens on another connection, in its own time. */
async function until(warehouse: Warehouse, sql: string): Promise<Row> {
  for (;;) {
    const [row] = await rows(warehouse, sql);
    if (row !== undefined) return row;
  }
}

describe("installing", () => {
  it("by several at once ends well for all, each file having run once", async () => {
    const warehouses = await Promise.all(Array.from({ length: 4 }, () => open()));
    const ran = await Promise.all(warehouses.map((warehouse) => installLedger(new Ledger(warehouse, SCHEMA))));
    expect(ran.filter((files) => files.length > 0)).toEqual([LEDGER_FILES]);
    const [warehouse] = warehouses as [Warehouse];
    expect(await rows(warehouse, `select name from ${SCHEMA}.leases order by 1`)).toEqual([{ name: "pauses" }, { name: "run" }]);
    expect(await rows(warehouse, `select count(*) as n from pg_indexes where schemaname = '${SCHEMA}'`)).toEqual([{ n: 5 }]);
    expect(
      await rows(
        warehouse,
        "select count(*) as n from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
      ),
    ).toEqual([{ n: 0 }]);
  });

  it("an upgrade by several at once too; while a run holds the lease it is refused, and lets the next one try", async () => {
    const warehouses = await Promise.all(Array.from({ length: 3 }, () => open()));
    const [warehouse] = warehouses as [Warehouse];
    await ledgerOfVersion2(warehouse);
    const hold = `update ${SCHEMA}.leases set holder = '4711-0a1b2c3d-1', expires_at = clock_timestamp() + interval '1 minute' where name = 'run'`;
    await warehouse.execute({ sql: hold, params: [] });
    expect((await rejection(installLedger(new Ledger(warehouse, SCHEMA)))).message).toContain("Another run holds the ledger (process 4711, until ");
    expect(await ledgerStatus(new Ledger(warehouse, SCHEMA))).toMatchObject({ version: 2 });
    await letLeaseRunOut(warehouse);
    const ran = await Promise.all(warehouses.map((each) => installLedger(new Ledger(each, SCHEMA))));
    expect(ran.sort((a, b) => a.length - b.length)).toEqual([[], [], LEDGER_FILES.slice(2)]);
  });

  it("replaces a view whose columns have changed, and says what stands in the way of one", async () => {
    const warehouse = await ledger();
    const columns = `select column_name from information_schema.columns where table_schema = '${SCHEMA}' and table_name = 'trigger_lag' order by ordinal_position`;
    const now = await rows(warehouse, columns);
    for (const sql of [`drop view ${SCHEMA}.trigger_lag`, `create view ${SCHEMA}.trigger_lag as select 1 as lag`]) await warehouse.execute({ sql, params: [] });
    await warehouse.execute({ sql: "drop role if exists analyst", params: [] });
    for (const sql of [
      "create role analyst",
      `grant select on ${SCHEMA}.trigger_lag to analyst with grant option`,
      `grant select on ${SCHEMA}.trigger_lag to public`,
    ]) {
      await warehouse.execute({ sql, params: [] });
    }
    const grants = `select grantee, privilege_type, is_grantable from information_schema.role_table_grants where table_name = 'trigger_lag' and grantee in ('analyst', 'PUBLIC') order by grantee`;
    const granted = await rows(warehouse, grants);
    expect(granted).toHaveLength(2);
    await installLedger(new Ledger(warehouse, SCHEMA));
    expect(await rows(warehouse, columns)).toEqual(now);
    expect(await rows(warehouse, grants)).toEqual(granted);
    for (const sql of ["drop owned by analyst", "drop role analyst"]) await warehouse.execute({ sql, params: [] });

    for (const sql of [
      `drop view ${SCHEMA}.trigger_lag`,
      `create view ${SCHEMA}.trigger_lag as select 1 as lag`,
      `create view mine as select lag from ${SCHEMA}.trigger_lag`,
    ])
      await warehouse.execute({ sql, params: [] });
    expect(await rejection(installLedger(new Ledger(warehouse, SCHEMA)))).toMatchObject({
      problems: [{ code: "ledger/view", message: expect.stringContaining('"trigger_lag" has changed and can\'t be replaced: cannot drop view') as string }],
    });
    expect(await rows(warehouse, "select lag from mine")).toEqual([{ lag: 1 }]);
  });

  it("leaves a view as it was, and says why, where it can't be made for another reason", async () => {
    const warehouse = await ledger();
    const explanations = `select count(*) as n from ${SCHEMA}.why`;
    for (const sql of [`drop view ${SCHEMA}.segment_daily`, `create table ${SCHEMA}.segment_daily (mine text)`]) await warehouse.execute({ sql, params: [] });
    expect(await rejection(installLedger(new Ledger(warehouse, SCHEMA)))).toMatchObject({
      problems: [{ code: "ledger/view", message: expect.stringMatching(/"segment_daily" can't be made: "segment_daily" is not a view/) as string }],
    });
    expect(await rows(warehouse, `select * from ${SCHEMA}.segment_daily`)).toEqual([]);

    await warehouse.execute({ sql: `drop table ${SCHEMA}.segment_daily`, params: [] });
    await installLedger(new Ledger(warehouse, SCHEMA));
    for (const sql of [
      "drop role if exists stranger",
      "create role stranger",
      `grant usage, create on schema ${SCHEMA} to stranger`,
      `grant all on all tables in schema ${SCHEMA} to stranger`,
    ]) {
      await warehouse.execute({ sql, params: [] });
    }
    try {
      await warehouse.execute({ sql: "set role stranger", params: [] });
      expect(await rejection(installLedger(new Ledger(warehouse, SCHEMA)))).toMatchObject({
        problems: [{ code: "ledger/view", message: expect.stringContaining("must be owner of view") as string }],
      });
    } finally {
      for (const sql of ["reset role", "drop owned by stranger", "drop role stranger"]) await warehouse.execute({ sql, params: [] });
    }
    expect(await rows(warehouse, explanations)).toEqual([{ n: 0 }]);
  });
});

describe("the heartbeat", () => {
  const BEAT_MS = 30_000;
  const LONG = `select 1 as renewed from ${SCHEMA}.leases where name = 'run' and expires_at > clock_timestamp() + interval '100 seconds'`;

  beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  async function shorten(warehouse: Warehouse): Promise<void> {
    await warehouse.execute({ sql: `update ${SCHEMA}.leases set expires_at = clock_timestamp() + interval '20 seconds' where name = 'run'`, params: [] });
  }

  it("renews the lease beside a statement that takes long, until it is given back", async () => {
    const holder = await HeldLedger.take(new Ledger(await ledger(), SCHEMA));
    const other = await open();
    await shorten(other);
    const real = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => real() + SENDING_MS / 2);
    expect(holder.sendingLeftMs()).toBeLessThanOrEqual(SENDING_MS / 2);
    await holder.warehouse.transaction(async () => {
      await holder.warehouse.query({ sql: "select 1", params: [] });
      vi.advanceTimersByTime(BEAT_MS - 1);
      expect(await rows(other, LONG)).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(await until(other, LONG)).toEqual({ renewed: 1 });
      // The row is there before the holder has its answer.
      while (holder.sendingLeftMs() <= SENDING_MS / 2) await rows(other, "select 1");
    });
    await holder.release();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("learns from it that the lease is another's: nothing is sent any more", async () => {
    const holder = await HeldLedger.take(new Ledger(await ledger(), SCHEMA));
    const other = await open();
    await letLeaseRunOut(other);
    const successor = await HeldLedger.take(new Ledger(other, SCHEMA));
    await shorten(other);
    expect(holder.sendingLeftMs()).toBeGreaterThan(0);
    vi.advanceTimersByTime(BEAT_MS);
    while (holder.sendingLeftMs() > 0) await rows(other, "select 1");
    await until(other, LONG);
    expect(successor.sendingLeftMs()).toBeGreaterThan(0);
    await holder.release();
    await successor.release();
  });

  it("that can't reach the warehouse fails nothing, and the next one connects anew", async () => {
    const holder = await HeldLedger.take(new Ledger(await ledger(), SCHEMA));
    const other = await open();
    await shorten(other);
    vi.advanceTimersByTime(BEAT_MS);
    await until(other, LONG);
    const [own] = await rows(holder.warehouse, "select pg_backend_pid() as pid");
    const beside = `select pg_terminate_backend(pid) as gone from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid not in (pg_backend_pid(), ${String(own?.["pid"])})`;
    expect(await rows(other, beside)).toEqual([{ gone: true }]);
    await until(other, `select 1 as gone where not exists (${beside.replace("pg_terminate_backend(pid) as gone", "1")})`);
    await shorten(other);
    // The one after the cut may only find out; then it connects anew.
    for (let renewed: Row[] = []; renewed.length === 0; renewed = await rows(other, LONG)) vi.advanceTimersByTime(BEAT_MS);
    await holder.commit({ statements: [] });
    await holder.release();
  });
});

describe("a takeover", () => {
  const waiting = (connections: number): string =>
    `select 1 as waiting from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() having count(*) = ${String(connections)}`;
  const START = { runId: "late", asOf: "2026-03-02T12:00:00Z", trial: false, version: "test" };

  it("waits for the commit under way; where that fails the lease is the other's, and the holder writes no more", async () => {
    const holder = await HeldLedger.take(new Ledger(await ledger(), SCHEMA));
    const other = await open();
    await letLeaseRunOut(other);
    const lock = await open();
    await lock.execute({ sql: "select pg_advisory_lock(1)", params: [] });
    const writing = ["select pg_advisory_xact_lock(1)", `insert into ${SCHEMA}.nowhere values (1)`].map((sql) => ({ sql, params: [] }));
    const failing = rejection(holder.commit({ statements: writing }));
    await until(lock, waiting(1));
    const taking = HeldLedger.take(new Ledger(other, SCHEMA));
    await until(lock, waiting(2));
    await close(lock);
    expect((await failing).message).toContain("nowhere");
    const successor = await taking;
    expect(successor.fence).toBe(holder.fence + 1);
    expect(await rejection(recordRunStart(holder, START))).toMatchObject({ problems: [{ code: "ledger/lease-lost" }] });
    await recordRunStart(successor, { ...START, runId: "next" });
    expect(await rows(other, `select run_id from ${SCHEMA}.runs`)).toEqual([{ run_id: "next" }]);
    await successor.release();
  });

  it("in the midst of a statement outside any transaction leaves the holder nothing to write", async () => {
    const holder = await HeldLedger.take(new Ledger(await ledger(), SCHEMA));
    const other = await open();
    // As in arbitration: the holder is at a long statement that writes to work tables alone.
    const lock = await open();
    await lock.execute({ sql: "select pg_advisory_lock(1)", params: [] });
    const statement = holder.warehouse.execute({ sql: "create temporary table decisions as select cast(pg_advisory_lock(1) as text) as held", params: [] });
    await until(other, "select 1 as waits from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()");
    await letLeaseRunOut(other);
    const successor = await HeldLedger.take(new Ledger(other, SCHEMA));
    await close(lock);
    await statement;
    expect(await rejection(recordRunStart(holder, START))).toMatchObject({ problems: [{ code: "ledger/lease-lost" }] });
    await successor.release();
  });
});

it("goes on in partitions by month as the documentation makes them: earlier claims are known, new ones fall into their month", async () => {
  const shop = await Shop.sending(["ada"], { on: "postgres" });
  await shop.run(T0);
  const documented = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const [, recipe = ""] = /^### Partitions by month\n[^]*?```sql\n([^]*?)```/m.exec(documented) ?? [];
  await shop.warehouse(async (warehouse) => {
    // December begins half a minute after the first run.
    for (const sql of statementsOf(recipe.replaceAll("2026-12-01T00:00:00Z", "2026-03-02T12:00:30Z"))) await warehouse.execute({ sql, params: [] });
    expect(await installLedger(new Ledger(warehouse, "opportune"))).toEqual([]);
  });
  await shop.carts(["ada", "bob"], 20);
  expect((await shop.run(T0 + MINUTE)).delivery).toMatchObject({ counts: { accepted: 1 } });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
  expect(await shop.rows("select tableoid::regclass::text as part, user_id from opportune.sent_ledger where event = 'claimed' order by seq")).toEqual([
    { part: "opportune.sent_ledger_to_2026_12", user_id: "ada" },
    { part: "opportune.sent_ledger_2026_12", user_id: "bob" },
  ]);
  expect(await shop.rows("select count(*) as n from opportune.messages where status = 'accepted'")).toEqual([{ n: 2 }]);
});
