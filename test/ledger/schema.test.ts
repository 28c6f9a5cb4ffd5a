/**
 * The ledger's schema as DuckDB reports it, against the dump in git: a change shows up in review, and needs a numbered file
 * under sql/ledger/. `UPDATE_DUMP=1 npx vitest run test/ledger/schema.test.ts` writes the dump anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { LEDGER_FILES, letLeaseRunOut } from "./support.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";

const DUMP = new URL("./schema.sql", import.meta.url);
const HEAD = "-- The ledger as DuckDB reports it; written by `UPDATE_DUMP=1 npx vitest run test/ledger/schema.test.ts`.\n";
const CONNECTION = { type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 } as const;

/** A `create table` or `create view` each, in name order, with columns as they stand. */
async function dump(warehouse: Warehouse, schema: string): Promise<string> {
  const columns = await warehouse.query({
    sql: `select t.table_type as kind, c.table_name as relation, c.column_name as name, c.data_type as type, c.is_nullable as nullable
      from information_schema.columns c
      join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
      where c.table_schema = $1
      order by t.table_type, c.table_name, c.ordinal_position`,
    params: [schema],
  });
  const relations = [...new Set(columns.map((column) => column["relation"]))];
  return HEAD + relations.map((relation) => definition(columns.filter((column) => column["relation"] === relation))).join("");
}

function definition(columns: readonly Row[]): string {
  const view = columns[0]?.["kind"] === "VIEW";
  const lines = columns.map(({ name, type, nullable }) => `  ${String(name)} ${String(type).toLowerCase()}${nullable === "NO" ? " not null" : ""}`);
  return `\ncreate ${view ? "view" : "table"} ${String(columns[0]?.["relation"])} (\n${lines.join(",\n")}\n);\n`;
}

it("installing the ledger gives the schema in test/ledger/schema.sql", async () => {
  const warehouse = await openDuckDb(CONNECTION, { root: "." });
  try {
    await installLedger(new Ledger(warehouse, "opportune"));
    const found = await dump(warehouse, "opportune");
    if (process.env["UPDATE_DUMP"] === "1") writeFileSync(DUMP, found);
    expect(found).toBe(readFileSync(DUMP, "utf8"));
  } finally {
    await warehouse.close();
  }
});

it("installing it again changes nothing and keeps what it holds", async () => {
  const warehouse = await openDuckDb(CONNECTION, { root: "." });
  try {
    expect(await installLedger(new Ledger(warehouse, "opportune"))).toEqual(LEDGER_FILES);
    const [schema, [salt]] = [
      await dump(warehouse, "opportune"),
      await warehouse.query({ sql: "select content from opportune.meta where name = 'salt'", params: [] }),
    ];
    expect(await installLedger(new Ledger(warehouse, "opportune"))).toEqual([]);
    expect(await dump(warehouse, "opportune")).toBe(schema);
    expect(await warehouse.query({ sql: "select content from opportune.meta where name = 'salt'", params: [] })).toEqual([salt]);
  } finally {
    await warehouse.close();
  }
});

// As on Snowflake and BigQuery, where what defines a table commits at once.
it("installing it again repairs an installation that broke off anywhere, without transactions too", async () => {
  let statements = 0;
  for (let last = 0; ; last++) {
    const warehouse = await openDuckDb(CONNECTION, { root: "." });
    try {
      const { execute, script, transaction } = warehouse;
      let left = last;
      warehouse.execute = (statement) => (left-- > 0 ? execute.call(warehouse, statement) : Promise.reject(new Error("the process ended")));
      warehouse.script = async ({ statements }) => {
        for (const statement of statements) await warehouse.execute(statement);
        return [];
      };
      warehouse.transaction = (work) => work();
      const whole = await installLedger(new Ledger(warehouse, "opportune")).then(
        () => true,
        () => false,
      );
      Object.assign(warehouse, { execute, script, transaction });
      if (await hasLeases(warehouse)) await letLeaseRunOut(warehouse);
      await installLedger(new Ledger(warehouse, "opportune"));
      expect(await dump(warehouse, "opportune")).toBe(readFileSync(DUMP, "utf8"));
      expect(await warehouse.query({ sql: "select name from opportune.leases order by name", params: [] })).toEqual([{ name: "pauses" }, { name: "run" }]);
      expect(await warehouse.query({ sql: "select name from opportune.meta order by name", params: [] })).toEqual(
        ["database_id", "salt", "schema_version"].map((name) => ({ name })),
      );
      statements = last;
      if (whole) break;
    } finally {
      await warehouse.close();
    }
  }
  expect(statements).toBeGreaterThan(20);
});

async function hasLeases(warehouse: Warehouse): Promise<boolean> {
  return warehouse.query({ sql: "select 1 from opportune.leases limit 1", params: [] }).then(
    () => true,
    () => false,
  );
}
