/** BigQuery works out a CTE anew for each that reads it: those that several read are tables of their own there. */
import { expect, it } from "vitest";
import { arbitrateStatement } from "../../../src/arbitration/arbitrate.js";
import { bigQueryDialect } from "../../../src/warehouse/bigquery/dialect.js";
import { keptApart } from "../../../src/warehouse/bigquery/kept.js";
import { scriptText } from "../../../src/warehouse/bigquery/script.js";
import { arbitrationOf } from "../../arbitration/support.js";
import { projectWith } from "../../segments/support.js";

const SQL = `-- Says what.
insert into t (n)
with
-- First
one as (
  select 1 as n
),
two as /* kept */ (   -- of one
  select n + 1 as n from one
),
three as (
  select n + 1 as n from two
),
four as /* kept */ (
  select a.n from three a
  join two b on b.n < a.n
)
select n from four join three using (n)
`;

it("makes a table of each kept CTE with what it reads, and reads the table wherever that is named", () => {
  expect(keptApart(SQL)).toEqual({
    tables: [
      `create or replace temp table opportune_two as
with
one as (
  select 1 as n
)
   -- of one
  select n + 1 as n from one
`,
      `create or replace temp table opportune_four as
with
two as (select * from opportune_two),
three as (
  select n + 1 as n from two
)

  select a.n from three a
  join two b on b.n < a.n
`,
    ],
    statement: `-- Says what.
insert into t (n)
with
two as (select * from opportune_two),
three as (
  select n + 1 as n from two
),
four as (select * from opportune_four)
select n from four join three using (n)
`,
  });
});

it("leaves a statement without any as it is", () => {
  const sql = "insert into t (n)\nwith\none as (\n  select 1 as n\n)\nselect n from one";
  expect(keptApart(sql)).toEqual({ tables: [], statement: sql });
});

it("makes the tables before the transaction, with the parameters of the statement", () => {
  const { sql, parameters } = scriptText({
    statements: [
      { sql: "delete from t where n = @p1", params: [7] },
      { sql: SQL.replace("n + 1 as n from one", "n + @p1 as n from one"), params: [8] },
    ],
  });
  const [tables, transaction] = sql.split("begin transaction") as [string, string];
  expect(tables.match(/create or replace temp table \w+/g)).toEqual([
    "create or replace temp table opportune_two",
    "create or replace temp table opportune_four",
  ]);
  expect(tables).toContain("select n + @p2 as n from one");
  expect(transaction).not.toContain("temp table");
  expect(parameters.map(({ parameterValue }) => parameterValue.value)).toEqual(["7", "8"]);
});

it("keeps enough of arbitration that no part of it is worked out as more than 150 subqueries", () => {
  const { sql } = arbitrateStatement(arbitrationOf(projectWith("select user_id, email, occurred_at from carts")), () => "1", bigQueryDialect(null));
  expect(subqueries(sql)).toBeGreaterThan(100_000);
  const { tables, statement } = keptApart(sql);
  const parts = [...tables, statement].map(subqueries);
  expect(parts.length).toBeGreaterThan(1);
  expect(Math.max(...parts)).toBeLessThan(150);
});

it("has room for a hundred segments of four steps in the text of a statement, and no SELECT for each", () => {
  const steps = ["one", "two", "three", "four"].map((name, i) => `{name: ${name}, after: ${String(i + 1)} days, channel: email, template: cart}`);
  const one = arbitrationOf(projectWith("select user_id, email, occurred_at from carts", `steps: [${steps.join(", ")}]`));
  const many = { ...one, segments: Array.from({ length: 100 }, () => one.segments[0]).filter((segment) => segment !== undefined) };
  const { sql } = scriptText({ statements: [arbitrateStatement(many, () => "1", bigQueryDialect(null))] });
  // https://cloud.google.com/bigquery/quotas#query_jobs
  expect(sql.length).toBeLessThan(1_000_000);
  expect(sql.length).toBeGreaterThan(100_000);
  expect(sql.match(/union all/g)?.length).toBeLessThan(50);
});

/** How many SELECTs of CTEs a statement is, each written out wherever it is read; a kept one is a table. */
function subqueries(sql: string): number {
  const ctes = new Map(
    Array.from(sql.matchAll(/^(\w+) as +(?:\/\*[^\n]*\*\/ )?\((?!select \* from opportune_)(.*?)^\),?$/gms), ([, name = "", body = ""]) => [name, body]),
  );
  const sizes = new Map<string, number>();
  const readBy = (text: string): number =>
    [...text.matchAll(/\b(?:from|join) (\w+)\b/g)].reduce((sum, [, name = ""]) => {
      const body = ctes.get(name);
      if (body === undefined) return sum;
      if (!sizes.has(name)) sizes.set(name, 1 + readBy(body));
      return sum + (sizes.get(name) ?? 0);
    }, 0);
  const last = sql.lastIndexOf("\n)\n");
  return readBy(sql.slice(last));
}
