/** What is Snowflake's own in the adapter, on the emulator: types, folding of names, bulk appends, turns, timeouts, the lease. */
import { describe, expect, it } from "vitest";
import { Lease } from "../../src/ledger/lease/lease.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { ledgerStatus } from "../../src/ledger/install/versions.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { SnowflakeConnection } from "../../src/project/targets/snowflake.js";
import { openSnowflake } from "../../src/warehouse/snowflake/warehouse.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { emulatorConnection } from "../support/snowflake.js";
import { LEDGER_FILES } from "../ledger/support.js";
import { onClose, plain, rejection } from "../warehouse/support.js";

const open = async (connection: Partial<SnowflakeConnection> = {}): Promise<Warehouse> =>
  onClose(await openSnowflake({ ...emulatorConnection(), ...connection }, { root: "." }));

/** A SELECT of one value, its type as results name it, the kind, and how it is read. */
const VALUES: readonly [sql: string, type: string, kind: string, value: unknown][] = [
  ["cast(42 as number(38, 0))", "fixed", "integer", 42],
  ["cast(-9007199254740993 as bigint)", "fixed", "integer", "-9007199254740993"],
  ["cast(12.5 as number(10, 2))", "fixed", "exact", "12.50"],
  ["cast(0.1 as float)", "real", "float", 0.1],
  ["cast('Zoë''s \\\\ \"tea\" 🍵' as varchar)", "text", "text", 'Zoë\'s \\ "tea" 🍵'],
  ["true", "boolean", "boolean", true],
  ["to_date('2026-03-02')", "date", "date", "2026-03-02"],
  ["to_time('23:59:58')", "time", "text", "23:59:58"],
  ["to_timestamp_ntz('2026-03-02 12:00:00')", "timestamp_ntz", "timestamp", expect.stringMatching(/^2026-03-02 12:00:00/)],
  ["cast('2026-03-02 12:00:00 +02:00' as timestamp_tz)", "timestamp_tz", "timestamp", expect.stringMatching(/^2026-03-02 10:00:00/)],
  ["object_construct('size', 'XL')", "object", "object", expect.stringMatching(/^\{\s*"size":\s*"XL"\s*\}$/)],
  ["array_construct('a', 'b')", "array", "list", expect.stringMatching(/^\[\s*"a",\s*"b"\s*\]$/)],
  ["parse_json('{\"a\": [1, null]}')", "variant", "nested", expect.stringMatching(/^\{\s*"a":\s*\[\s*1,\s*null\s*\]\s*\}$/)],
  ["to_binary('CAFE', 'HEX')", "binary", "opaque", "CAFE"],
];

describe("a value on Snowflake", () => {
  it.each(VALUES)("%s is read as %s (%s)", async (sql, type, kind, value) => {
    const warehouse = await open();
    const statement = plain(`select ${sql} as v, cast(null as varchar) as "Nothing"`);
    const [described, nothing] = await warehouse.describe(statement);
    // The emulator calls what is nested a variant.
    const known = ["object", "list"].includes(kind) ? [`${type} ${kind}`, "variant nested"] : [`${type} ${kind}`];
    expect(known).toContain(`${String(described?.type)} ${String(described?.kind)}`);
    expect(nothing).toEqual({ name: "Nothing", type: "text", kind: "text" });
    expect(await warehouse.query(statement)).toEqual([{ v: value, Nothing: null }]);
  });

  it("as a time is the same instant in UTC in all three kinds of timestamp, with what there is of fractions", async () => {
    const warehouse = await open();
    const { dialect } = warehouse;
    const times = [
      "cast('2026-03-02 12:00:00.123456' as timestamp_ntz)",
      "cast('2026-03-02 14:00:00.123456 +02:00' as timestamp_tz)",
      "cast('2026-03-02 12:00:00.123456' as timestamp_ltz)",
      "to_date('2026-03-02')",
      "'2026-03-02T12:00:00Z'",
    ];
    const [row] = await warehouse.query(plain(`select ${times.map((time, i) => `${dialect.utcText(dialect.toUtc(time))} as t${String(i)}`).join(", ")}`));
    expect(Object.values(row ?? {})).toEqual([...Array.from({ length: 3 }, () => "2026-03-02 12:00:00.123456"), "2026-03-02 00:00:00", "2026-03-02 12:00:00"]);
  });

  it("that is null is null whatever its type, and a text NULL a text", async () => {
    const types = ["bigint", "number(10, 2)", "float", "boolean", "date", "time", "timestamp_ntz", "timestamp_tz", "varchar", "variant", "binary"];
    const [row] = await (await open()).query(plain(`select ${types.map((type, i) => `cast(null as ${type}) as v${String(i)}`).join(", ")}, 'NULL' as said`));
    expect(Object.values(row ?? {})).toEqual([...types.map(() => null), "NULL"]);
  });

  it("of 100 KB of JSON comes back whole", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create temporary table wide (v varchar)"));
    const text = JSON.stringify({ note: "ä\\\"'🍵".repeat(12_000) });
    expect(Buffer.byteLength(text)).toBeGreaterThan(100_000);
    await warehouse.append("wide", [{ name: "v", kind: "text", values: [text, null] }]);
    await warehouse.execute({ sql: "insert into wide select cast(:1 as varchar)", params: [text] });
    expect(await warehouse.query(plain("select v from wide order by v nulls last"))).toEqual([{ v: text }, { v: text }, { v: null }]);
  });
});

describe("rows on Snowflake", () => {
  it("are appended 20,000 at once, with nulls and times, and read in order, in batches, while others are written", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create temporary table many (n bigint, t timestamp_ntz, v varchar)"));
    const numbers = Array.from({ length: 20_000 }, (_, i) => i);
    await warehouse.append("many", [
      { name: "n", kind: "integer", values: numbers },
      { name: "t", kind: "timestamp", values: numbers.map((n) => (n % 2 === 0 ? null : n)) },
      { name: "v", kind: "text", values: numbers.map((n) => (n === 3 ? null : `é${String(n)}`)) },
    ]);
    const read: number[] = [];
    const sizes: number[] = [];
    for await (const rows of warehouse.stream(plain("select n, v from many order by n"), 3_000)) {
      sizes.push(rows.length);
      read.push(...rows.map((row) => Number(row["n"])));
      await warehouse.transaction(() => warehouse.execute(plain("insert into many (n) values (-1)")));
    }
    expect(read).toEqual(numbers);
    expect(sizes).toEqual([3000, 3000, 3000, 3000, 3000, 3000, 2000]);
    const counts = "select count(*) as n, count(t) as t, count(v) as v, min(t) as first_time from many";
    expect(await warehouse.query(plain(counts))).toMatchObject([
      { n: 20_007, t: 10_000, v: 19_999, first_time: expect.stringMatching(/^1970-01-01 00:00:00\.001/) as string },
    ]);
  });

  it("of one transaction are all there or none; another one begun meanwhile waits its turn", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table t (n bigint)"));
    const failing = rejection(
      warehouse.transaction(async () => {
        await warehouse.append("t", [{ name: "n", kind: "integer", values: [1, 2] }]);
        throw new Error("no");
      }),
    );
    const second = warehouse.transaction(() => warehouse.execute(plain("insert into t values (3)")));
    expect((await failing).message).toBe("no");
    expect(await second).toBe(1);
    expect(await warehouse.query(plain("select n from t"))).toEqual([{ n: 3 }]);
  });
});

describe("a statement on Snowflake", () => {
  it("that is no query, or more than one, isn't described, nor run", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table kept (n bigint)"));
    for (const sql of ["drop table kept", "select 1; drop table kept", "select 1) x; drop table kept --"]) await rejection(warehouse.describe(plain(sql)));
    expect(await warehouse.query(plain("select count(*) as n from kept"))).toEqual([{ n: 0 }]);
  });
});

describe("a ledger on Snowflake", () => {
  it("is installed once, keeps the user's schema the session's, and a broken installation is repaired", async () => {
    const connection = emulatorConnection();
    const first = await open(connection);
    const { execute } = first;
    let left = 12;
    first.execute = (statement) => (left-- > 0 ? execute.call(first, statement) : Promise.reject(new Error("the process ended")));
    expect((await rejection(installLedger(new Ledger(first, "opportune")))).message).toBe("the process ended");
    const warehouse = await open(connection);
    expect((await ledgerStatus(new Ledger(warehouse, "opportune"))).version).toBeLessThan(LEDGER_FILES.length);
    await warehouse.execute(plain("update opportune.leases set holder = null where name = 'run'"));
    expect((await installLedger(new Ledger(warehouse, "opportune"))).length).toBeGreaterThan(0);
    expect(await installLedger(new Ledger(warehouse, "opportune"))).toEqual([]);
    expect(await warehouse.query(plain("select name from opportune.leases order by name"))).toEqual([{ name: "pauses" }, { name: "run" }]);
    expect(await warehouse.query(plain("select name from opportune.meta order by name"))).toEqual(
      ["database", "database_id", "salt", "schema_version"].map((name) => ({ name })),
    );
    expect(await warehouse.query(plain("select current_schema() as s"))).toEqual([{ s: "PUBLIC" }]);
  });

  it("gives its lease to one of four who ask at once, and to a successor when it has run out", async () => {
    const connection = emulatorConnection();
    const warehouses = await Promise.all(Array.from({ length: 4 }, () => open(connection)));
    const [warehouse] = warehouses as [Warehouse];
    await installLedger(new Ledger(warehouse, "opportune"));
    const taken = await Promise.allSettled(warehouses.map((each) => Lease.take(new Ledger(each, "opportune"), 0)));
    const winners = taken.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.lease] : []));
    expect(winners).toHaveLength(1);
    const refused = taken.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
    expect(refused).toEqual(Array.from({ length: 3 }, () => expect.stringContaining("Another run holds the ledger") as string));
    const [loser] = warehouses.filter((_, i) => taken[i]?.status === "rejected") as [Warehouse];
    await warehouse.execute(plain("update opportune.leases set expires_at = cast('2026-01-01' as timestamp_ntz) where name = 'run'"));
    const { lease: successor } = await Lease.take(new Ledger(loser, "opportune"), 0);
    const late = await rejection(winners[0]?.commit({ statements: [] }) ?? Promise.resolve());
    expect(late.message).toContain("Another run has taken over the ledger");
    await successor.release();
    await winners[0]?.release();
    expect(await warehouse.query(plain("select holder from opportune.leases where name = 'run'"))).toEqual([{ holder: null }]);
  });
});
