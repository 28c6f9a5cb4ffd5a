/** Work tables are one opening's own, whoever has had the session or the file before, or has it beside. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { workTables } from "../../src/warehouse/sql.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import { WORK_TABLES } from "../../src/warehouse/dialect.js";
import { bigQueryDialect } from "../../src/warehouse/bigquery/dialect.js";
import { duckdbDialect } from "../../src/warehouse/duckdb/dialect.js";
import { openingId, withOwnWorkTables, withoutOpening } from "../../src/warehouse/dialect.js";
import { postgresDialect } from "../../src/warehouse/postgres/dialect.js";
import { snowflakeDialect } from "../../src/warehouse/snowflake/dialect.js";
import { temporaryFolder } from "../commands/support.js";
import { close, onClose, plain, rejection } from "./support.js";

const DIALECTS = [duckdbDialect, postgresDialect, snowflakeDialect, bigQueryDialect(null)];

it("all that sql/work.sql defines are known by name", () => {
  const sql = readFileSync(new URL("../../sql/work.sql", import.meta.url), "utf8");
  expect([...sql.matchAll(/\{\{create_work "(\w+)"\}\}/g)].map(([, name]) => name)).toEqual(WORK_TABLES);
});

it.each(DIALECTS)("$name: every name in what defines and prepares them is the opening's own, and is shown without it", (dialect) => {
  const id = openingId();
  const own = withOwnWorkTables(dialect, id);
  const sqls = [
    ...workTables(own).map(({ sql }) => sql),
    ...(["segment_rows", "audience_members", "decisions"] as const).flatMap((table) => own.afterFilling(table)),
  ];
  for (const sql of sqls) {
    const names = sql.match(/\bopportune_(?:work\.)?\w+/g) ?? [];
    expect(names).not.toEqual([]);
    expect(names.filter((name) => !name.endsWith(`_${id}`))).toEqual([]);
    expect(withoutOpening(sql)).not.toContain(id);
  }
  expect(withoutOpening(own.workTable("decisions"))).toBe(dialect.workTable("decisions"));
});

it("two openings of one DuckDB file don't see each other's, and one that is closed leaves none", async () => {
  const connection = { type: "duckdb", path: join(temporaryFolder(), "shop.duckdb"), waitForLockSeconds: 0, memoryLimit: null, threads: 1 } as const;
  const [first, second] = [onClose(await openDuckDb(connection, { root: "." })), onClose(await openDuckDb(connection, { root: "." }))];
  const table = first.dialect.workTable("decisions");
  await first.script({ work: workTables(first.dialect), statements: [] });
  await first.execute(plain(`insert into ${table} (message_id) values ('m')`));
  expect((await rejection(second.query(plain(`select message_id from ${second.dialect.workTable("decisions")}`)))).message).toContain("does not exist");
  await second.script({ work: workTables(second.dialect), statements: [] });
  expect(await first.query(plain(`select message_id from ${table}`))).toEqual([{ message_id: "m" }]);
  await close(first);
  expect(await second.query(plain("select count(*) as n from duckdb_tables() where database_name = 'opportune_work'"))).toEqual([{ n: WORK_TABLES.length }]);
});
