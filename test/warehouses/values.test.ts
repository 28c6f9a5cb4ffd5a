/** Values into each warehouse and out of it again, errors, deadlines and transactions: what the job asks of any. */
import { afterAll, beforeAll, expect } from "vitest";
import { formatDuration } from "../../src/core/durations.js";
import { OpportuneError } from "../../src/core/errors.js";
import { WarehouseError } from "../../src/warehouse/error.js";
import { loadProject } from "../../src/project/build/load.js";
import { renderQuery } from "../../src/segments/query.js";
import { Binder, isoText } from "../../src/warehouse/sql.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { createTestDatabase, type Database } from "../support/databases.js";
import { temporaryFolder, write } from "../commands/support.js";
import { rejection } from "../warehouse/support.js";
import { onEachWarehouse } from "./support/each.js";
import { LINE_OF_STATEMENT, STATEMENT_TIMEOUT, PLAN } from "./support/not-supported.js";

const UNICODE = "ü 漢 🙂 '\"\\ {null,} $1 ? @p1 -- \r\n\t%";
const ROWS = 20_000;

onEachWarehouse("values", ({ name }, check) => {
  let database: Database;
  let warehouse: Warehouse;
  const query = (sql: string, ...params: (string | null)[]): Promise<Row[]> => warehouse.query({ sql, params });
  const execute = (sql: string): Promise<number> => warehouse.execute({ sql, params: [] });
  /** The n-th bound text. */
  const text = (n = 1): string => `cast(${warehouse.dialect.placeholder(n)} as ${warehouse.dialect.types.text})`;
  const table = async (made: string, columns: Readonly<Record<string, keyof Warehouse["dialect"]["types"]>>): Promise<void> => {
    const { quote, types } = warehouse.dialect;
    await execute(
      `create table ${made} (${Object.entries(columns)
        .map(([column, type]) => `${quote(column)} ${types[type]}`)
        .join(", ")})`,
    );
  };

  beforeAll(async () => {
    database = await createTestDatabase(name);
    warehouse = await database.connect();
  });
  afterAll(() => database.drop());

  check("bound text comes back as it was, and null as null", async () => {
    for (const value of [UNICODE, "", " ", "null", "1e400", "2026-01-01", "x".repeat(20_000), null]) {
      expect(await query(`select ${text()} as back, case when ${text(2)} is null then 1 else 0 end as missing`, value, value)).toEqual([
        { back: value, missing: value === null ? 1 : 0 },
      ]);
    }
  });

  check("numbers, booleans and nulls arrive as JavaScript's, and what doesn't fit as text", async () => {
    const { types } = warehouse.dialect;
    const [row] = await query(`select cast('9007199254740991' as ${types.bigint}) as safe, cast('9007199254740993' as ${types.bigint}) as large,
      cast('-7' as ${types.bigint}) as small, cast('true' as ${types.boolean}) as yes, cast('false' as ${types.boolean}) as no,
      cast(null as ${types.bigint}) as none, cast(null as ${types.boolean}) as neither, cast(null as ${types.text}) as nothing, count(*) as counted`);
    expect(row).toEqual({
      safe: 9007199254740991,
      large: "9007199254740993",
      small: -7,
      yes: true,
      no: false,
      none: null,
      neither: null,
      nothing: null,
      counted: 1,
    });
  });

  check("bound whole numbers and booleans keep their type", async () => {
    await table("typed", { n: "bigint", sure: "boolean", name: "text" });
    const at = (n: number): string => warehouse.dialect.placeholder(n);
    const insert = `insert into typed (n, sure, name) values (${at(1)}, ${at(2)}, ${at(3)})`;
    for (const params of [
      [4, true, "four"],
      [-1, false, null],
    ])
      expect(await warehouse.execute({ sql: insert, params })).toBe(1);
    expect(await warehouse.query({ sql: `select n, sure, name from typed where n = ${at(1)}`, params: [4] })).toEqual([{ n: 4, sure: true, name: "four" }]);
    expect(await query("select n, sure, name from typed where name is null")).toEqual([{ n: -1, sure: false, name: null }]);
  });

  check("vars keep their types: exact numbers, lists of them, booleans and text", async () => {
    const root = temporaryFolder();
    write(root, {
      "opportune.yml": `name: shop\ntargets:\n  test: {type: duckdb, path: ":memory:"}\nvars:
  price: 4.99\n  tenth: 0.1\n  thousand: 1e3\n  tiny: 1.5e-7\n  debt: -12.50\n  long: 1234567890123456789\n  fine: 12345678901234567890.123456789
  list: [1, 2.5, -3]\n  names: [ada, "b'o"]\n  yes: true\n`,
    });
    const project = loadProject(root, { env: {} });
    const asked = async (sql: string): Promise<Row> => {
      const bound = new Binder(warehouse.dialect);
      const rendered = renderQuery({ file: "a.sql", sql, buildsOn: [], sqlLine: 1, version: "" }, project, "2026-03-02T12:00:00Z", bound);
      const asking = { sql: rendered.sql, params: bound.params };
      expect(await warehouse.describe(asking)).toHaveLength(1);
      return (await warehouse.query(asking))[0] ?? {};
    };
    const exact = (number: string, precision: number, scale: number): string => `cast('${number}' as ${warehouse.dialect.exactType(precision, scale)})`;
    const yes = (condition: string): string => `select case when ${condition} then 1 else 0 end as yes`;
    for (const condition of [
      `${exact("4.99", 10, 2)} >= {{var "price"}}`,
      `${exact("4.98", 10, 2)} < {{var "price"}}`,
      `{{var "tenth"}} + {{var "tenth"}} + {{var "tenth"}} = ${exact("0.3", 10, 1)}`,
      `{{var "thousand"}} = 1000`,
      `{{var "tiny"}} * 10000000 = ${exact("1.5", 10, 1)}`,
      `{{var "debt"}} < ${exact("-12.49", 10, 2)} and {{var "debt"}} = ${exact("-12.5", 10, 1)}`,
      `{{var "long"}} - 1234567890123456788 = 1`,
      `{{var "fine"}} - ${exact("12345678901234567890.123456788", 29, 9)} = ${exact("0.000000001", 10, 9)}`,
      `2 in {{var "list"}} or ${exact("2.5", 10, 1)} in {{var "list"}}`,
      `not (${exact("2.6", 10, 1)} in {{var "list"}})`,
      `-3 in {{var "list"}}`,
      `'ada' in {{var "names"}} and not ('bob' in {{var "names"}})`,
      `{{var "yes"}} and not (1 = 0)`,
    ])
      expect(await asked(yes(condition)), condition).toEqual({ yes: 1 });
  });

  check(
    "a statement is planned and not run; what can't run is refused",
    async () => {
      await table("planned", { n: "bigint" });
      await warehouse.plan({ sql: "insert into planned (n) select 1", params: [] });
      expect(await query("select n from planned")).toEqual([]);
      const { message } = await rejection(warehouse.plan({ sql: "insert into planned (n) select nosuch from planned", params: [] }));
      expect(message).toMatch(/nosuch/i);
    },
    PLAN,
  );

  check("timestamps mean the same instant whatever zone they were written in", async () => {
    const { toUtc, microseconds, types, plusSeconds, secondsBetween, utcText } = warehouse.dialect;
    for (const written of ["2026-03-02T12:00:00.123456Z", "2026-03-02T14:00:00.123456+02:00", "2026-03-02 04:00:00.123456-08:00"]) {
      const at = toUtc("t.written", "text");
      const [row] = await query(`select ${isoText(at, warehouse.dialect)} as iso, ${microseconds(at)} as us from (select ${text()} as written) t`, written);
      expect(row?.["iso"]).toBe("2026-03-02T12:00:00.123456Z");
    }
    const noon = `cast('2026-03-02 12:00:00' as ${types.timestamp})`;
    expect(
      await query(
        `select ${utcText(plusSeconds(noon, "90"))} as later, ${secondsBetween(noon, plusSeconds(noon, "90"))} as seconds, ${microseconds(noon)} as us`,
      ),
    ).toMatchObject([{ seconds: 90, us: Date.parse("2026-03-02T12:00:00Z") * 1000 }]);
  });

  check("JSON of 100 KB survives, as a bound value and in an append", async () => {
    const json = JSON.stringify({ unicode: UNICODE, items: Array.from({ length: 2_500 }, (_, i) => ({ id: i, name: `item ${String(i)} of a long list` })) });
    expect(json.length).toBeGreaterThan(100_000);
    expect(await query(`select ${text()} as back`, json)).toEqual([{ back: json }]);
    await table("documents", { content: "text" });
    await warehouse.append(tableName("documents"), [{ name: "content", kind: "text", values: [json, null] }]);
    expect(await query("select content from documents where content is not null")).toEqual([{ content: json }]);
  });

  check(`${ROWS.toLocaleString("en")} rows go in at once and come out in order, in batches`, async () => {
    await table("appended", { n: "bigint", name: "text", seen: "timestamp" });
    const values = Array.from({ length: ROWS }, (_, i) => i);
    const nameOf = (i: number): string | null => (i % 3 === 0 ? null : `${UNICODE} ${String(i)}`);
    const seenAt = (i: number): number | null => (i % 5 === 0 ? null : Date.parse("2026-03-02T12:00:00.123Z") + i);
    await warehouse.append(tableName("appended"), [
      { name: "n", kind: "integer", values },
      { name: "name", kind: "text", values: values.map(nameOf) },
      { name: "seen", kind: "timestamp", values: values.map(seenAt) },
    ]);
    const read: Row[] = [];
    const sizes: number[] = [];
    const sql = `select n, name, ${warehouse.dialect.microseconds("seen")} as us from appended order by n`;
    for await (const batch of warehouse.stream({ sql, params: [] }, 3_000)) {
      sizes.push(batch.length);
      read.push(...batch);
    }
    expect(sizes).toEqual([...Array<number>(6).fill(3_000), 2_000]);
    const us = (i: number): number | null => (seenAt(i) === null ? null : (seenAt(i) ?? 0) * 1000);
    expect(read.findIndex((row, i) => row["n"] !== i || row["name"] !== nameOf(i) || row["us"] !== us(i))).toBe(-1);
  });

  check("a query is described without being run, by its columns' kinds", async () => {
    await table("described", { user_id: "text", at: "timestamp", sure: "boolean", n: "bigint" });
    const { quote } = warehouse.dialect;
    const columns = await warehouse.describe({
      sql: `select user_id, ${quote("at")} as occurred_at, sure, n from described`,
      params: [],
    });
    expect(columns.map(({ name: column, kind }) => `${column} ${kind}`)).toEqual(["user_id text", "occurred_at timestamp", "sure boolean", "n integer"]);
  });

  check("changed rows are counted", async () => {
    await table("counted", { n: "bigint" });
    expect(await execute("insert into counted (n) select 1 union all select 2 union all select 3")).toBe(3);
    expect(await execute("update counted set n = n + 1 where n > 1")).toBe(2);
    expect(await execute("delete from counted where n = 99")).toBe(0);
    expect(await execute("delete from counted where n > 0")).toBe(3);
  });

  check("a transaction is all or nothing, and the next one works", async () => {
    await table("whole", { n: "bigint" });
    const failed = await rejection(
      warehouse.transaction(async () => {
        await execute("insert into whole (n) select 1");
        await warehouse.append(tableName("whole"), [{ name: "n", kind: "integer", values: [2, 3] }]);
        throw new Error("no");
      }),
    );
    expect(failed.message).toBe("no");
    expect(await query("select n from whole")).toEqual([]);
    await warehouse.transaction(() => execute("insert into whole (n) select 4"));
    expect(await query("select n from whole")).toEqual([{ n: 4 }]);
  });

  check("a refused statement is an error with the statement, and the session goes on", async () => {
    for (const sql of ["select * from nowhere", "select\n  1 as a\nform t t t", "insert into nowhere (a) select 1"]) {
      const error = await rejection(warehouse.execute({ sql, params: [] }));
      expect(error).toBeInstanceOf(WarehouseError);
      expect(error).toMatchObject({ sql, exitCode: 1 });
      expect((error as WarehouseError).reason.length).toBeGreaterThan(10);
    }
    expect(await query("select 1 as a")).toEqual([{ a: 1 }]);
  });

  check(
    "it is refused by the line of its fault",
    async () => {
      const error = await rejection(warehouse.query({ sql: "select 1 as a\nfrom\n  nowhere", params: [] }));
      expect((error as WarehouseError).statementLine).toBe(3);
    },
    LINE_OF_STATEMENT,
  );

  check(
    "a statement that takes longer than statement_timeout is cancelled, and the target's key named",
    async () => {
      const hasty = await database.connect({ statement_timeout: "1 second" });
      try {
        await endless(hasty, "appended");
        throw new Error("it came to an end");
      } catch (error) {
        expect(error).toBeInstanceOf(OpportuneError);
        expect((error as Error).message).toContain(`it took longer than ${formatDuration(1)}, the statement_timeout of this target`);
        expect(await hasty.query({ sql: "select 1 as a", params: [] })).toEqual([{ a: 1 }]);
      } finally {
        await hasty.close();
      }
    },
    STATEMENT_TIMEOUT,
  );

  check("a statement under way is cancelled, and the connection goes on", async () => {
    const ended = rejection(endless(warehouse, "appended"));
    const rejected = ended.then(() => true);
    const soon = (): Promise<false> => new Promise((resolve) => setTimeout(resolve, 20, false));
    // Until it has reached the warehouse there is nothing to cancel.
    do await warehouse.cancel();
    while (!(await Promise.race([rejected, soon()])));
    expect((await ended).message).toMatch(/cancel|interrupt/i);
    expect(await query("select 1 as a")).toEqual([{ a: 1 }]);
  });

  check("it says what it ran: each statement once, and a description none", async () => {
    const before = warehouse.usage.statements;
    await warehouse.describe({ sql: "select 1 as a", params: [] });
    expect(warehouse.usage.statements).toBe(before);
    await query("select 1 as a");
    expect(warehouse.usage.statements).toBe(before + 1);
  });

  check("its identity stays the same from one connection to the next", async () => {
    const first = await warehouse.identity(true);
    expect(first).toMatch(/^[0-9a-f-]{36,64}$/);
    const again = warehouse.dialect.oneProcess ? warehouse : await database.connect();
    expect(await again.identity()).toBe(first);
  });

  /** Tables of ours are named with their schema. */
  function tableName(plain: string): string {
    return warehouse.dialect.name === "duckdb" ? `main.${plain}` : plain;
  }
});

/** 8 × 10¹² rows to go through. */
function endless(warehouse: Warehouse, table: string): Promise<Row[]> {
  return warehouse.query({
    sql: `select count(*) as n from ${table} a cross join ${table} b cross join ${table} c where (a.n * b.n + c.n) % 7 = 8`,
    params: [],
  });
}
