import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpportuneError } from "../../../src/core/errors.js";
import { installLedger } from "../../../src/ledger/install/install.js";
import { HeldLedger } from "../../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../../src/ledger/ledger.js";
import { recordRunStart } from "../../../src/ledger/runs/record.js";
import { pauses, setPause } from "../../../src/ledger/pauses.js";
import type { PostgresConnection } from "../../../src/project/targets/postgres.js";
import { WarehouseError } from "../../../src/warehouse/error.js";
import { openPostgres } from "../../../src/warehouse/postgres/warehouse.js";
import type { Row, Warehouse } from "../../../src/warehouse/types.js";
import { letLeaseRunOut } from "../../ledger/support.js";
import { asSuperuser, createDatabase, serverConnection } from "../../support/postgres.js";
import { batches, close, onClose, plain, rejection } from "../support.js";
import { BY_OPERATOR } from "../../support/pauses.js";

let database: Awaited<ReturnType<typeof createDatabase>>;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(() => database.drop());

async function open(connection: Partial<PostgresConnection> = {}): Promise<Warehouse> {
  return onClose(await openPostgres({ ...database.connection, ...connection }, { root: "." }));
}

const KINDS: readonly (readonly [string, string, string])[] = [
  ["1::smallint", "smallint", "integer"],
  ["1::integer", "integer", "integer"],
  ["1::bigint", "bigint", "integer"],
  ["1::oid", "oid", "exact"],
  ["1.5::numeric(20,3)", "numeric(20,3)", "exact"],
  ["1.5", "numeric", "exact"],
  ["1::real", "real", "float"],
  ["1::double precision", "double precision", "float"],
  ["'19.90'::money", "money", "exact"],
  ["true", "boolean", "boolean"],
  ["'x'", "text", "text"],
  ["'x'::varchar(10)", "character varying(10)", "text"],
  ["'x'::char(3)", "character(3)", "text"],
  ["'x'::name", "name", "text"],
  ["gen_random_uuid()", "uuid", "text"],
  ["'sad'::mood", "mood", "text"],
  ["'7'::positive", "integer", "integer"],
  ["'10:00'::time", "time without time zone", "text"],
  ["'10:00+01'::timetz", "time with time zone", "text"],
  ["'10.0.0.1'::inet", "inet", "text"],
  ["date '2026-01-01'", "date", "date"],
  ["timestamp '2026-01-01'", "timestamp without time zone", "timestamp"],
  ["timestamptz '2026-01-01'", "timestamp with time zone", "timestamp"],
  ["'x'::bytea", "bytea", "opaque"],
  ["b'10'::bit varying", "bit varying", "opaque"],
  ["interval '1 day'", "interval", "opaque"],
  ["'{}'::json", "json", "nested"],
  ["'{}'::jsonb", "jsonb", "nested"],
  ["array[1]", "integer[]", "list"],
  ["array['x']", "text[]", "list"],
  ["array[timestamp '2026-01-01']", "timestamp without time zone[]", "list"],
  ["row(1, 'x')", "record", "object"],
  ["int4range(1, 2)", "int4range", "opaque"],
  ["point(1, 2)", "point", "opaque"],
];

describe("describe", () => {
  it("tells the kinds of all types apart", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create type mood as enum ('sad', 'glad')"));
    await warehouse.execute(plain("create domain positive as integer check (value > 0)"));
    const columns = await warehouse.describe(plain(`select ${KINDS.map(([sql], i) => `${sql} as c${String(i)}`).join(", ")}`));
    expect(columns.map(({ type, kind }, i) => [KINDS[i]?.[0], type, kind])).toEqual(KINDS);
  });

  it("runs nothing, not even what follows a semicolon, a comment or a parenthesis", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table kept as select 1 as a"));
    for (const sql of [
      "select 1 as a; delete from kept",
      "delete from kept",
      "delete from kept returning a",
      "with gone as (delete from kept returning a) select * from gone",
      "select 1) q; delete from kept; --",
      "select 1) q limit 0; delete from kept; select * from (select 1",
    ]) {
      expect(await rejection(warehouse.describe(plain(sql))), sql).toBeInstanceOf(WarehouseError);
    }
    expect(await warehouse.query(plain("select * from kept"))).toEqual([{ a: 1 }]);
  });

  it("names columns as they are written, takes parameters, and a comment at the end", async () => {
    const warehouse = await open();
    const columns = await warehouse.describe({ sql: `select $1 as "user ""id""", 2 as "Größe, €" -- all`, params: ["x"] });
    expect(columns.map(({ name, kind }) => [name, kind])).toEqual([
      [`user "id"`, "text"],
      ["Größe, €", "integer"],
    ]);
  });
});

describe("query", () => {
  it("binds texts, numbers, booleans and nulls as they are; a text's U+0000, which Postgres can't hold, is replaced", async () => {
    const warehouse = await open();
    const odd = `Robert'); drop table t; -- "x" \\ 漢 🙂 \r\n \u2028 {,}`;
    const [row] = await warehouse.query({
      sql: "select $1::text as a, $2::float as b, $3::boolean as c, $4::text as d, $1::text as again, $5::text as nul",
      params: [odd, 1.5, true, null, "a\u0000b"],
    });
    expect(row).toEqual({ a: odd, b: 1.5, c: true, d: null, again: odd, nul: "a\ufffdb" });
  });

  it("reads numbers without losing a digit, times in UTC, everything else as text", async () => {
    const warehouse = await open();
    const [row] = await warehouse.query(
      plain(`select 9007199254740991 as safe, 9007199254740993 as large, -9007199254740993 as small, 12345678901234567.890::numeric(20,3) as exact, 1e300::float8 as wide, 'nan'::float8 as nan, '-infinity'::float8 as endless,
        timestamptz '2026-01-01 12:00:00+02:00' as at, '{"a": 1}'::json as json, array[1, 2] as list, count(*) as counted`),
    );
    expect(row).toEqual({
      safe: 9007199254740991,
      large: "9007199254740993",
      small: "-9007199254740993",
      exact: "12345678901234567.890",
      wide: 1e300,
      nan: "NaN",
      endless: "-Infinity",
      at: "2026-01-01 10:00:00+00",
      json: '{"a": 1}',
      list: "{1,2}",
      counted: 1,
    });
  });

  it.each([
    ["select 1\nfrom\n  nowhere", 3, /^relation "nowhere" does not exist$/],
    ["select '🙂🙂🙂'\n,\n  nothing", 3, /nothing/],
    ["select 1 as a\n  form t", 2, /^syntax error at or near "form"$/],
    ["select cast(x as integer) from (select 'abc' as x) q", null, /"abc"/],
  ])("gives a refused statement the line that Postgres names: %j", async (sql, line, reason) => {
    const warehouse = await open();
    for (const error of [await rejection(warehouse.query(plain(sql))), await rejection(batches(warehouse, sql, 10))]) {
      expect(error).toBeInstanceOf(WarehouseError);
      expect(error).toMatchObject({ statementLine: line, sql, exitCode: 1 });
      expect((error as WarehouseError).reason).toMatch(reason);
    }
    if (line !== null) expect(await rejection(warehouse.describe(plain(sql)))).toMatchObject({ statementLine: line, sql });
  });

  it("takes one statement, not two", async () => {
    const warehouse = await open();
    expect((await rejection(warehouse.execute(plain("select 1; select 2")))).message).toContain("multiple commands");
  });

  it("counts the rows that a statement changed", async () => {
    const warehouse = await open();
    expect(await warehouse.execute(plain("create table counted as select i from generate_series(1, 5) i"))).toBe(5);
    expect(await warehouse.execute(plain("update counted set i = i + 1 where i > 2"))).toBe(3);
    expect(await warehouse.execute(plain("delete from counted where i = 77"))).toBe(0);
    expect(await warehouse.execute(plain("drop table counted"))).toBe(0);
  });
});

describe("stream", () => {
  it("outlives a transaction that fails, and a fetch waits for it to end", async () => {
    const warehouse = await open();
    const rows = warehouse.stream(plain("select n from generate_series(1, 30) n"), 10)[Symbol.asyncIterator]();
    expect((await rows.next()).value).toHaveLength(10);
    const failing = warehouse.transaction(() => warehouse.execute(plain("select * from nowhere")));
    const second = rows.next();
    expect(await rejection(failing)).toBeInstanceOf(WarehouseError);
    expect(((await second).value as Row[])[0]).toEqual({ n: 11 });
    expect((await rows.next()).value).toHaveLength(10);
    expect((await rows.next()).done).toBe(true);
  });

  it("gives the last rows in a smaller batch, nothing for none, and leaves no cursor behind where it is left early", async () => {
    const warehouse = await open();
    expect((await batches(warehouse, "select n from generate_series(1, 2500) n", 1000)).map((batch) => batch.length)).toEqual([1000, 1000, 500]);
    expect(await batches(warehouse, "select 1 as a where false", 10)).toEqual([]);
    for await (const batch of warehouse.stream(plain("select n from generate_series(1, 100000) n"), 10)) {
      expect(batch).toHaveLength(10);
      break;
    }
    expect(await warehouse.query(plain("select name from pg_cursors where is_holdable"))).toEqual([]);
  });
});

describe("append", () => {
  it("takes 20,000 rows with nulls, unicode and timestamps, in ledger and temporary tables", async () => {
    const warehouse = await open();
    const count = 20_000;
    const text = (i: number): string | null => (i % 3 === 0 ? null : `ü 漢 🙂 '"\\ {null,} \r\n ${String(i)}`);
    const at = (i: number): number | null => (i % 5 === 0 ? null : Date.parse("2026-03-02T12:00:00.123Z") + i);
    for (const table of ["public.appended", "pg_temp.appended"]) {
      await warehouse.execute(plain(`create table ${table} (seen timestamptz, name text, n bigint)`));
      const values = Array.from({ length: count }, (_, i) => i);
      await warehouse.append(table, [
        { name: "n", kind: "integer", values },
        { name: "name", kind: "text", values: values.map(text) },
        { name: "seen", kind: "timestamp", values: values.map(at) },
      ]);
      const rows = (await batches(warehouse, `select n, name, (extract(epoch from seen) * 1000)::bigint as seen from ${table} order by n`, count + 1))[0] ?? [];
      expect(rows.length).toBe(count);
      expect(rows.findIndex((row, i) => row["n"] !== i || row["name"] !== text(i) || row["seen"] !== at(i))).toBe(-1);
    }
  });

  it("is part of the transaction it is called in, takes no rows at all, and keeps texts like null and {}", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table few (name text)"));
    await rejection(
      warehouse.transaction(async () => {
        await warehouse.append("few", [{ name: "name", kind: "text", values: ["x"] }]);
        throw new Error("no");
      }),
    );
    await warehouse.append("few", [{ name: "name", kind: "text", values: [] }]);
    expect(await warehouse.query(plain("select * from few"))).toEqual([]);
    await warehouse.append("few", [{ name: "name", kind: "text", values: ["null", "NULL", "", "{}", '"', null, "a\u0000b"] }]);
    expect((await warehouse.query(plain("select * from few"))).map(({ name }) => name)).toEqual(["null", "NULL", "", "{}", '"', null, "a\ufffdb"]);
  });

  it("rejects with an OpportuneError and leaves nothing behind", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table strict (name text not null)"));
    expect(await rejection(warehouse.append("nowhere", [{ name: "name", kind: "text", values: ["x"] }]))).toBeInstanceOf(OpportuneError);
    expect(await rejection(warehouse.append("strict", [{ name: "name", kind: "text", values: ["x", null] }]))).toBeInstanceOf(OpportuneError);
    expect(await warehouse.query(plain("select * from strict"))).toEqual([]);
  });
});

describe("transaction", () => {
  it("says so where a statement in it failed, though nobody told it", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table silent (n int)"));
    const error = await rejection(
      warehouse.transaction(async () => {
        await warehouse.execute(plain("insert into silent values (1)"));
        await warehouse.execute(plain("select * from nowhere")).catch(() => undefined);
      }),
    );
    expect(error.message).toContain("rolled back");
    expect(await warehouse.query(plain("select * from silent"))).toEqual([]);
  });

  it("refuses within it what is a transaction of its own and would wait for ever, and lets others wait", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table within_it (n int)"));
    let begun: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => (begun = resolve));
    const script = (): Promise<Row[]> => warehouse.script({ statements: [plain("select count(*) as n from within_it")] });
    const outer = warehouse.transaction(async () => {
      begun();
      for (const call of [script, () => batches(warehouse, "select 1 as n", 10), () => warehouse.transaction(() => Promise.resolve([]))])
        await expect(call()).rejects.toThrow(/can't be called within a transaction/u);
      await warehouse.execute(plain("insert into within_it values (1)"));
    });
    const other = inside.then(script);
    await outer;
    expect(await other).toEqual([{ n: 1 }]);
  });

  it("takes turns with another one begun meanwhile", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table turns (n int)"));
    const insert = (n: number, fail: boolean): Promise<unknown> =>
      warehouse.transaction(async () => {
        await warehouse.execute(plain(`insert into turns values (${String(n)})`));
        if (fail) throw new Error("no");
      });
    const ended = await Promise.allSettled([insert(1, false), insert(2, true), insert(3, false)]);
    expect(ended.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await warehouse.query(plain("select n from turns order by n"))).toEqual([{ n: 1 }, { n: 3 }]);
  });
});

describe("the session", () => {
  it("cancels a statement that takes longer than statement_timeout, and says which setting it was", async () => {
    const warehouse = await open({ statementTimeoutSeconds: 3 });
    const error = await rejection(warehouse.query(plain("select pg_sleep(60)")));
    expect(error).toBeInstanceOf(WarehouseError);
    expect(error.message).toBe("it took longer than 3 seconds, the statement_timeout of this target");
    expect(await warehouse.query(plain("select 1 as a"))).toEqual([{ a: 1 }]);
  });

  it("looks tables up in search_path, and is listed under its name", async () => {
    const first = await open();
    await first.execute(plain(`create schema "My ""shop"""`));
    await first.execute(plain(`create table "My ""shop""".baskets as select 7 as n`));
    const warehouse = await open({ searchPath: [`My "shop"`, "public"], applicationName: "opportune prod" });
    expect(await warehouse.query(plain("select n, current_setting('application_name') as name, current_setting('timezone') as zone from baskets"))).toEqual([
      { n: 7, name: "opportune prod", zone: "UTC" },
    ]);
  });

  it("ends with one clear error where the server ends it, and can be closed then", async () => {
    const warehouse = await open();
    const [row] = await warehouse.query(plain("select pg_backend_pid() as pid"));
    const sleeping = rejection(warehouse.query(plain("select pg_sleep(60)")));
    await asSuperuser(`select pg_terminate_backend(${String(row?.["pid"])})`);
    for (const error of [await sleeping, await rejection(warehouse.query(plain("select 1")))]) {
      expect(error).toBeInstanceOf(OpportuneError);
      expect(error).not.toBeInstanceOf(WarehouseError);
      expect((error as OpportuneError).problems[0]?.code).toBe("warehouse/connection-lost");
      expect(error.message).toContain(database.connection.database);
    }
  });

  it.each([
    [
      "a port where nothing listens",
      { port: 1 },
      /^Can't connect to Postgres \(test_\w+ on 127\.0\.0\.1:1\): connect ECONNREFUSED 127\.0\.0\.1:1\./,
      /`host` and `port`/,
    ],
    ["a wrong password", { password: "wrong" }, /password authentication failed/, /`user` and `password`/],
    ["no such database", { database: "nowhere" }, /database "nowhere" does not exist/, /`database`/],
    ["TLS where the server has none", { ssl: { ca: null, rejectUnauthorized: true } }, /does not support SSL/, /`ssl: false`/],
    ["a certificate that isn't there", { ssl: { ca: "nowhere.pem", rejectUnauthorized: true } }, /nowhere\.pem/, /PEM/],
  ])("names the way out of %s", async (_, connection, message, hint) => {
    const error = await rejection(openPostgres({ ...serverConnection(), database: database.connection.database, ...connection }, { root: "." }));
    expect(error).toBeInstanceOf(OpportuneError);
    const [problem] = (error as OpportuneError).problems;
    expect(problem?.message).toMatch(message);
    expect(problem?.hint).toMatch(hint);
    expect(error.message).not.toContain("wrong");
  });
});

describe("the ledger", () => {
  const SCHEMA = "opportune";
  const NOW = Date.parse("2026-03-02T12:00:00Z");

  beforeAll(async () => {
    const warehouse = await openPostgres(database.connection, { root: "." });
    await installLedger(new Ledger(warehouse, SCHEMA));
    await warehouse.close();
  });

  it("is installed once: again changes nothing", async () => {
    const warehouse = await open();
    expect(await installLedger(new Ledger(warehouse, SCHEMA))).toEqual([]);
  });

  it("gives its lease to one of eight who ask at once", async () => {
    const warehouses = await Promise.all(Array.from({ length: 8 }, () => open()));
    const asked = await Promise.allSettled(warehouses.map((warehouse) => HeldLedger.take(new Ledger(warehouse, SCHEMA))));
    const won = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(won).toHaveLength(1);
    for (const one of asked) if (one.status === "rejected") expect(String(one.reason)).toContain("Another run holds the ledger");
    await won[0]?.release();
  });

  it("lets a successor take over an expired lease, and rolls back what the one before still writes", async () => {
    const first = await HeldLedger.take(new Ledger(await open(), SCHEMA));
    const other = await open();
    await letLeaseRunOut(other);
    const second = await HeldLedger.take(new Ledger(other, SCHEMA));
    expect(second.fence).toBe(first.fence + 1);
    const error = await rejection(recordRunStart(first, { runId: "stale", asOf: "2026-03-02T12:00:00Z", trial: false, version: "test" }));
    expect((error as OpportuneError).problems[0]?.code).toBe("ledger/lease-lost");
    expect(await second.warehouse.query(plain(`select run_id from ${SCHEMA}.runs where run_id = 'stale'`))).toEqual([]);
    await second.release();
  });

  it("a takeover waits for the commit under way, which has then renewed the lease", async () => {
    const holder = await HeldLedger.take(new Ledger(await open(), SCHEMA));
    const other = await open();
    await letLeaseRunOut(other);
    const lock = await open();
    const waiting = plain("select count(*) as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()");
    await lock.execute(plain("select pg_advisory_lock(1)"));
    const committing = holder.commit({ statements: [plain("select pg_advisory_xact_lock(1)")] });
    while ((await lock.query(waiting))[0]?.["n"] !== 1);
    const taking = rejection(HeldLedger.take(new Ledger(other, SCHEMA)));
    // The taker's update has reached the server and waits for the row.
    while ((await lock.query(waiting))[0]?.["n"] !== 2);
    await close(lock);
    await committing;
    expect((await taking).message).toContain("Another run holds the ledger");
    await holder.release();
  });

  it("can be paused and resumed while a run holds the lease, by several at once, the last word holding", async () => {
    const holder = await HeldLedger.take(new Ledger(await open(), SCHEMA));
    const others = await Promise.all(Array.from({ length: 4 }, () => open()));
    await Promise.all(
      others.map((warehouse, i) =>
        setPause(new Ledger(warehouse, SCHEMA, () => NOW), { ...BY_OPERATOR, scope: "segment", name: `s${String(i)}`, paused: true }),
      ),
    );
    await setPause(new Ledger(holder.warehouse, SCHEMA, () => NOW), { ...BY_OPERATOR, scope: "segment", name: "s1", paused: false });
    expect((await pauses(new Ledger(holder.warehouse, SCHEMA, () => NOW), false)).map(({ name }) => name).sort()).toEqual(["s0", "s2", "s3"]);
    const [row] = await holder.warehouse.query(plain(`select count(*) as n, count(distinct seq) as different from ${SCHEMA}.pauses`));
    expect(row).toEqual({ n: 5, different: 5 });
    await holder.release();
  });
});
