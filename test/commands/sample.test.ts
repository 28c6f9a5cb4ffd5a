/** The sample warehouse: large enough, of one piece, and nothing in it is later than the moment it is made for. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyShipped, createSample } from "../../src/commands/shared/sample.js";
import { loadProject } from "../../src/project/build/load.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder } from "./support.js";

const NOW = "2026-07-14T03:21:09Z";
/** Times that lie ahead by their nature. */
const AHEAD = ["trial_ends_at", "expires_at"];

describe("the sample warehouse", () => {
  const root = temporaryFolder();
  let warehouse: Warehouse;
  const rows = (sql: string): Promise<Row[]> => warehouse.query({ sql, params: [] });
  const number = async (sql: string): Promise<number> => Number((await rows(`select (${sql}) as n`))[0]?.["n"]);

  beforeAll(async () => {
    copyShipped(root);
    const project = loadProject(root, { env: {} });
    await createSample(project, NOW);
    warehouse = await openWarehouse(project.target.connection, { root });
  });
  afterAll(() => warehouse.close());

  it("has 5,000 users and 200,000 events or more, in 12 MB or less", async () => {
    expect(await number("select count(*) from users")).toBeGreaterThan(5_000);
    expect(await number("select count(*) from events")).toBeGreaterThan(200_000);
    expect(statSync(join(root, "shop.duckdb")).size).toBeLessThan(12 * 1024 * 1024);
  });

  it("holds nothing later than the moment it is made for, and something of the last hours", async () => {
    const columns = await rows("select table_name, column_name from duckdb_columns() where schema_name = 'main' and data_type = 'TIMESTAMP' order by all");
    const checked = columns.filter(({ column_name }) => !AHEAD.includes(String(column_name)));
    expect(checked.length).toBeGreaterThan(10);
    for (const { table_name, column_name } of checked)
      expect(
        await number(`select count(*) from ${String(table_name)} where ${String(column_name)} > timestamp '${NOW.slice(0, 19)}'`),
        String(table_name),
      ).toBe(0);
    expect(await number(`select count(*) from events where occurred_at > timestamp '${NOW.slice(0, 19)}' - interval 3 hours`)).toBeGreaterThan(0);
  });

  it("has no row without what it belongs to, and no two of one id", async () => {
    const tables = await rows(
      "select distinct table_name from duckdb_columns() where schema_name = 'main' and column_name = 'user_id' and table_name <> 'users'",
    );
    expect(tables).toHaveLength(8);
    for (const { table_name } of tables)
      expect(await number(`select count(*) from ${String(table_name)} where user_id not in (select user_id from users)`), String(table_name)).toBe(0);
    expect(await number("select count(*) from orders where cart_id not in (select cart_id from carts)")).toBe(0);
    expect(
      await number(
        "select count(*) from order_items where order_id not in (select order_id from orders) or product_id not in (select product_id from products)",
      ),
    ).toBe(0);
    const ids = {
      users: "user_id",
      events: "event_id",
      subscriptions: "subscription_id",
      carts: "cart_id",
      orders: "order_id",
      products: "product_id",
      discount_codes: "code",
      tickets: "ticket_id",
    };
    for (const [table, id] of Object.entries(ids)) expect(await number(`select count(*) - count(distinct ${id}) from ${table}`), table).toBe(0);
  });

  it("tells one story of plans: nobody has two at once, and none ends before it began", async () => {
    expect(await number("select count(*) from subscriptions where ended_at < started_at or (status = 'ended') <> (ended_at is not null)")).toBe(0);
    expect(await number("select count(*) from (select user_id from subscriptions where status <> 'ended' group by user_id having count(*) > 1)")).toBe(0);
    expect(await number("select count(distinct plan || status) from subscriptions")).toBe(11);
    expect(await number("select count(*) from usage where used > plan_limit or used < 1")).toBe(0);
  });
});
