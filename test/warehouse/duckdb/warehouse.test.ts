import { describe, expect, it } from "vitest";
import { OpportuneError } from "../../../src/core/errors.js";
import { WarehouseError } from "../../../src/warehouse/error.js";
import { batches, open, plain, rejection } from "../support.js";

const KINDS: readonly (readonly [string, string])[] = [
  ["1::tinyint", "integer"],
  ["1::smallint", "integer"],
  ["1::integer", "integer"],
  ["1::bigint", "integer"],
  ["1::utinyint", "integer"],
  ["1::usmallint", "integer"],
  ["1::uinteger", "integer"],
  ["1::ubigint", "integer"],
  ["1::hugeint", "exact"],
  ["1::uhugeint", "exact"],
  ["1.5::decimal(20,3)", "exact"],
  ["1::float", "float"],
  ["1::double", "float"],
  ["true", "boolean"],
  ["'x'::varchar", "text"],
  ["uuid()", "text"],
  ["'a'::enum('a', 'b')", "text"],
  ["time '10:00'", "text"],
  ["'10:00+01'::timetz", "text"],
  ["date '2026-01-01'", "date"],
  ["timestamp '2026-01-01'", "timestamp"],
  ["timestamptz '2026-01-01'", "timestamp"],
  ["'2026-01-01'::timestamp_s", "timestamp"],
  ["'2026-01-01'::timestamp_ms", "timestamp"],
  ["'2026-01-01'::timestamp_ns", "timestamp"],
  ["'x'::blob", "opaque"],
  ["'10'::bit", "opaque"],
  ["interval 1 day", "opaque"],
  ["'{}'::json", "nested"],
  ["[1]", "list"],
  ["['x']", "list"],
  ["[['x']]", "list"],
  ["[1.5::decimal(10,2)]", "list"],
  ["[timestamp '2026-01-01']", "list"],
  ["[true]", "list"],
  ["array_value(1, 2)", "list"],
  ["{a: 1}", "object"],
  ["map {'a': timestamp '2026-01-01'}", "object"],
  ["union_value(n := 2)", "nested"],
];

describe("describe", () => {
  it("tells the kinds of all types apart", async () => {
    const warehouse = await open();
    const columns = await warehouse.describe(plain(`select ${KINDS.map(([sql], i) => `${sql} as c${String(i)}`).join(", ")}`));
    expect(columns.map(({ type, kind }, i) => [KINDS[i]?.[0], type, kind])).toEqual(columns.map(({ type }, i) => [KINDS[i]?.[0], type, KINDS[i]?.[1]]));
    expect(columns).toHaveLength(KINDS.length);
  });

  it("runs nothing, not even what follows a semicolon", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table t as select 1 as a"));
    const error = await rejection(warehouse.describe(plain("select 1 as a; delete from t")));
    expect(error).toBeInstanceOf(WarehouseError);
    expect(error.message).toContain("2 statements");
    await expect(warehouse.describe(plain("delete from t"))).rejects.toThrow(WarehouseError);
    expect(await warehouse.query(plain("select * from t"))).toEqual([{ a: 1 }]);
  });

  it("names columns as they are written, and takes parameters", async () => {
    const warehouse = await open();
    const columns = await warehouse.describe({ sql: `select $1 as "user ""id""", 2 as "Größe, €"`, params: ["x"] });
    expect(columns.map(({ name }) => name)).toEqual([`user "id"`, "Größe, €"]);
  });
});

describe("query", () => {
  it("binds texts, numbers, booleans and nulls as they are", async () => {
    const warehouse = await open();
    const odd = `Robert'); drop table t; -- "x" \\ 漢 🙂 \r\n \u0000 \u2028`;
    const [row] = await warehouse.query({ sql: "select $1 as a, $2 as b, $3 as c, $4::varchar as d, $1 as again", params: [odd, 1.5, true, null] });
    expect(row).toEqual({ a: odd, b: 1.5, c: true, d: null, again: odd });
  });

  it("reads numbers without losing a digit, in UTC", async () => {
    const warehouse = await open();
    const [row] = await warehouse.query(
      plain(
        "select 9007199254740991 as safe, 9007199254740993 as large, -9007199254740993 as small, 170141183460469231731687303715884105727::hugeint as huge, 12345678901234567.890::decimal(20,3) as exact, 'nan'::double as nan, cast(timestamptz '2026-01-01 12:00:00+02:00' as varchar) as at",
      ),
    );
    expect(row).toEqual({
      safe: 9007199254740991,
      large: "9007199254740993",
      small: "-9007199254740993",
      huge: "170141183460469231731687303715884105727",
      exact: "12345678901234567.890",
      nan: "NaN",
      at: "2026-01-01 10:00:00+00",
    });
  });

  it.each([
    ["select 1\nfrom\n  nowhere", 3, /nowhere/],
    ["select\n  cast(x as integer)\nfrom (select 'abc' as x)", 2, /'abc'/],
    ["select 1 as a\n  form t", 2, /^Parser Error: syntax error at or near "form"$/],
  ])("gives a refused statement the line that DuckDB names: %j", async (sql, line, reason) => {
    const warehouse = await open();
    const error = await rejection(warehouse.query(plain(sql)));
    expect(error).toBeInstanceOf(WarehouseError);
    expect(error).toMatchObject({ statementLine: line, sql, exitCode: 1 });
    expect(error.message).toMatch(reason);
    expect(error.message).not.toContain("\n");
  });
});

describe("stream", () => {
  it("that breaks off says so: the client ends it as if it were whole", async () => {
    const warehouse = await open();
    const broken = "select case when range = 150000 then error('no more') else range end as n from range(200000)";
    const read: number[] = [];
    const error = await rejection(
      (async () => {
        for await (const rows of warehouse.stream(plain(broken), 1000)) read.push(rows.length);
      })(),
    );
    expect(error.message).toMatch(/^The result broke off\. /);
    expect(read.length).toBeGreaterThan(0);
  });

  it("that is interrupted says so, and comes in order until then", async () => {
    const warehouse = await open();
    let last = 0;
    const error = await rejection(
      (async () => {
        for await (const rows of warehouse.stream(plain("select range as n from range(3000000) order by hash(range) % 7 < 0, range"), 1000)) {
          expect(rows[0]).toEqual({ n: last });
          last += rows.length;
          if (last === 500_000) await warehouse.cancel();
        }
      })(),
    );
    expect(error.message).toMatch(/broke off|interrupted/i);
  });

  it("gives the last rows in a smaller batch, nothing for none, and may be left early", async () => {
    const warehouse = await open();
    expect((await batches(warehouse, "select * from range(2500)", 1000)).map((batch) => batch.length)).toEqual([1000, 1000, 500]);
    expect(await batches(warehouse, "select 1 where false", 10)).toEqual([]);
    for await (const batch of warehouse.stream(plain("select * from range(1000000)"), 10)) {
      expect(batch).toHaveLength(10);
      break;
    }
    expect(await warehouse.query(plain("select 1 as a"))).toEqual([{ a: 1 }]);
  });

  it("rejects with a WarehouseError, before the first row and in the middle", async () => {
    const warehouse = await open();
    expect(await rejection(batches(warehouse, "select * from nowhere", 10))).toBeInstanceOf(WarehouseError);
    const error = await rejection(batches(warehouse, "select cast(case when range < 15000 then '1' else 'x' end as integer) from range(20000)", 10));
    expect(error).toBeInstanceOf(WarehouseError);
    expect(error.message).toContain("'x'");
  });
});

describe("append", () => {
  it("takes 20,000 rows with nulls, unicode and timestamps, in ledger and work tables", async () => {
    const warehouse = await open();
    const count = 20_000;
    const text = (i: number): string | null => (i % 3 === 0 ? null : `ü 漢 🙂 '"\\ \r\n ${String(i)}`);
    const at = (i: number): number | null => (i % 5 === 0 ? null : Date.parse("2026-03-02T12:00:00.123Z") + i);
    for (const table of ["main.t", "opportune_work.t"]) {
      await warehouse.execute(plain(`create table ${table} (n bigint, name varchar, seen timestamp)`));
      const values = Array.from({ length: count }, (_, i) => i);
      await warehouse.append(table, [
        { name: "n", kind: "integer", values },
        { name: "name", kind: "text", values: values.map(text) },
        { name: "seen", kind: "timestamp", values: values.map(at) },
      ]);
      const rows = (await batches(warehouse, `select n, name, epoch_ms(seen) as seen from ${table} order by n`, count))[0] ?? [];
      expect(rows.length).toBe(count);
      expect(rows.findIndex((row, i) => row["n"] !== i || row["name"] !== text(i) || row["seen"] !== at(i))).toBe(-1);
    }
  });

  it("is part of the transaction it is called in, and takes no rows at all", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table t (name varchar)"));
    await rejection(
      warehouse.transaction(async () => {
        await warehouse.append("main.t", [{ name: "name", kind: "text", values: ["x"] }]);
        throw new Error("no");
      }),
    );
    await warehouse.append("main.t", [{ name: "name", kind: "text", values: [] }]);
    expect(await warehouse.query(plain("select * from t"))).toEqual([]);
  });

  it("rejects with an OpportuneError and leaves nothing behind", async () => {
    const warehouse = await open();
    await warehouse.execute(plain("create table t (name varchar not null)"));
    expect(await rejection(warehouse.append("main.nowhere", [{ name: "name", kind: "text", values: ["x"] }]))).toBeInstanceOf(OpportuneError);
    expect(await rejection(warehouse.append("main.t", [{ name: "name", kind: "text", values: ["x", null] }]))).toBeInstanceOf(OpportuneError);
    expect(await warehouse.query(plain("select * from t"))).toEqual([]);
  });
});
