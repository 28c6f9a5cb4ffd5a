/** DuckDB and Postgres alike: scripts, run statement by statement, are all or nothing and counted as one; streams are read while others write. */
import { describe, expect, it, onTestFinished } from "vitest";
import { UnmetError } from "../../src/warehouse/error.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { createDatabase } from "../support/postgres.js";
import { onClose, open, plain, rejection } from "./support.js";

const OPEN: Record<string, () => Promise<Warehouse>> = {
  duckdb: () => open(),
  async postgres() {
    const { connection, drop } = await createDatabase();
    onTestFinished(() => drop());
    return onClose(await openPostgres(connection, { root: "." }));
  },
};

describe.each(Object.entries(OPEN))("a script on %s", (_, openOne) => {
  it("makes work tables, fills one anew, commits the rest and gives the last statement's rows, as one statement", async () => {
    const warehouse = await openOne();
    const { dialect } = warehouse;
    const table = dialect.workTable("t");
    await warehouse.execute(plain("create table kept (n bigint)"));
    const before = warehouse.usage.statements;
    for (const n of [1, 2]) {
      const rows = await warehouse.script({
        ...(n === 1 ? { work: [plain(`${dialect.createWorkTable("t").split("\n").at(-1) ?? ""} (n bigint)`)] } : {}),
        fill: { table, columns: [{ name: "n", kind: "integer", values: [n, 10 * n] }] },
        statements: [
          plain(`insert into kept select n from ${table}`),
          { sql: `select n from kept where n >= ${dialect.placeholder(1)} order by n`, params: [n] },
        ],
      });
      expect(rows).toEqual((n === 1 ? [1, 10] : [2, 10, 20]).map((n) => ({ n })));
    }
    expect(warehouse.usage.statements - before).toBe(2);
    expect(await warehouse.script({ statements: [] })).toEqual([]);
  });

  it("fills a table anew after a script that failed, and lets other statements in at once", async () => {
    const warehouse = await openOne();
    const { dialect } = warehouse;
    const table = dialect.workTable("t");
    await warehouse.execute(plain("create table kept (n bigint)"));
    await warehouse.script({ work: [plain(`${dialect.createWorkTable("t").split("\n").at(-1) ?? ""} (n bigint)`)], statements: [] });
    const filled = (n: number, mustChange: number): Promise<unknown> =>
      warehouse.script({
        fill: { table, columns: [{ name: "n", kind: "integer", values: [n] }] },
        statements: [{ ...plain(`insert into kept select n from ${table}`), mustChange }],
      });
    for (const n of [1, 2, 3]) {
      expect(await rejection(filled(10 * n, 2))).toBeInstanceOf(UnmetError);
      await filled(n, 1);
      expect(await warehouse.query(plain("select count(*) as n from kept"))).toEqual([{ n }]);
      await warehouse.transaction(() => warehouse.execute(plain("update kept set n = n")));
    }
    expect(await warehouse.query(plain("select n from kept order by n"))).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it("leaves nothing where a statement changes another number of rows than it must, or fails, and is ready for the next", async () => {
    const warehouse = await openOne();
    await warehouse.execute(plain("create table lease (holder text)"));
    await warehouse.execute(plain("insert into lease values ('me'), ('me')"));
    const insert = plain("insert into lease values ('new')");
    const update = (holder: string, mustChange: number) => ({ sql: `update lease set holder = 'x' where holder = '${holder}'`, params: [], mustChange });
    for (const [holder, must] of [
      ["me", 1],
      ["nobody", 1],
    ] as const) {
      expect(await rejection(warehouse.script({ statements: [insert, update(holder, must), insert] }))).toBeInstanceOf(UnmetError);
      expect(await rejection(warehouse.script({ statements: [insert, update(holder, must)] }))).toBeInstanceOf(UnmetError);
    }
    const failed = await rejection(warehouse.script({ statements: [insert, plain("insert into nowhere values (1)"), insert] }));
    expect(failed.message).toContain("nowhere");
    expect(await warehouse.query(plain("select holder from lease"))).toEqual([{ holder: "me" }, { holder: "me" }]);
    await warehouse.script({ statements: [update("me", 2), insert] });
    expect(await warehouse.query(plain("select holder from lease order by holder"))).toEqual([{ holder: "new" }, { holder: "x" }, { holder: "x" }]);
  });
});

describe.each(Object.entries(OPEN))("a stream on %s", (_, openOne) => {
  it("reads 20,000 rows in order, in batches, while other statements write", async () => {
    const warehouse = await openOne();
    await warehouse.execute(plain("create table many as select n, 'r' || n as text from generate_series(0, 19999) numbers(n)"));
    await warehouse.execute(plain("create table seen (n bigint)"));
    const sizes: number[] = [];
    let next = 0;
    for await (const batch of warehouse.stream(plain("select n, text from many order by n"), 2500)) {
      sizes.push(batch.length);
      for (const row of batch) if (row["n"] !== next || row["text"] !== `r${String(next++)}`) throw new Error(`row ${String(next)}: ${JSON.stringify(row)}`);
      await warehouse.transaction(() => warehouse.execute({ sql: "insert into seen select n from many where n < $1", params: [batch.length] }));
    }
    expect(sizes).toEqual(Array<number>(8).fill(2500));
    expect(await warehouse.query(plain("select count(*) as n from seen"))).toEqual([{ n: 20_000 }]);
  });
});
