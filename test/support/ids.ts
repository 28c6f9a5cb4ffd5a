/** A user's id and an email in their one form, as each warehouse works them out. */
import { expect } from "vitest";
import { canonicalAddress, canonicalUser, canonicalUserColumn } from "../../src/warehouse/canonical.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { openEmpty, type WarehouseName } from "./databases.js";

const UUID = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";

/** As text, and in its one form. */
const TEXTS: readonly (readonly [string, string])[] = [
  ["7", "7"],
  ["7.0", "7"],
  [" 7.00 ", "7"],
  ["-7.000", "-7"],
  ["100.0", "100"],
  ["700", "700"],
  ["007", "007"],
  ["7.50", "7.50"],
  ["7.", "7."],
  [".0", ".0"],
  ["7.0.0", "7.0.0"],
  ["v1.0", "v1.0"],
  ["1e5", "1e5"],
  ["  ", ""],
  ["ADA", "ADA"],
  [` ${UUID} `, UUID.toLowerCase()],
  [UUID.replaceAll("-", "_"), UUID.replaceAll("-", "_")],
  [UUID.replace("A", "G"), UUID.replace("A", "G")],
];

/** Types of columns with two places. */
const EXACT: Readonly<Record<WarehouseName, string>> = {
  duckdb: "decimal(18, 2)",
  postgres: "numeric(18, 2)",
  snowflake: "number(18, 2)",
  bigquery: "numeric",
};

async function valuesOf(warehouse: Warehouse, expressions: readonly string[]): Promise<unknown[]> {
  const rows = await warehouse.query({
    sql: `select ${expressions.map((sql, i) => `${sql} as v${String(i)}`).join(", ")} from (select 1 as one) t`,
    params: [],
  });
  return expressions.map((_, i) => rows[0]?.[`v${String(i)}`]);
}

/** Ids of every kind of column. */
export async function idsStory(on: WarehouseName): Promise<void> {
  const warehouse = await openEmpty(on);
  try {
    const { dialect } = warehouse;
    const exact = EXACT[on];
    const texts = await valuesOf(
      warehouse,
      TEXTS.map(([text]) => canonicalUser(`'${text}'`, dialect)),
    );
    expect(TEXTS.map(([text], i) => [text, texts[i]])).toEqual(TEXTS);

    const numbers = {
      exact: [`cast(8 as ${exact})`, "8"],
      whole: ["9", "9"],
    } as const;
    const query = `select ${Object.entries(numbers)
      .map(([name, [sql]]) => `${sql} as ${name}`)
      .join(", ")}, cast(null as ${exact}) as nothing`;
    const columns = await warehouse.describe({ sql: query, params: [] });
    const forms = columns.map(({ name, kind }) => `${canonicalUserColumn(dialect.quote(name), kind, dialect)} as ${dialect.quote(name)}`);
    const [row] = await warehouse.query({ sql: `select ${forms.join(", ")} from (${query}) t`, params: [] });
    expect(row).toEqual({
      ...Object.fromEntries(Object.entries(numbers).map(([name, [, form]]) => [name, form])),
      nothing: null,
    });

    const emails = ["' ADA.LI@Example.COM '", "'ÄDA@example.com'"];
    expect(
      await valuesOf(
        warehouse,
        emails.map((email) => canonicalAddress(email, "email", dialect)),
      ),
    ).toEqual(["ada.li@example.com", "äda@example.com"]);
  } finally {
    await warehouse.close();
  }
}
