/** Zones without number: none of them is a parameter of a statement. */
import { expect, it } from "vitest";
import { Shop, T0 } from "../support/run-shop.js";

it.each(["duckdb", "postgres"] as const)("70,000 odd zones are no more trouble than one on %s", async (on) => {
  const shop = await Shop.sending(["berlin"], { on });
  const many = await shop.warehouse(({ dialect }) => Promise.resolve(dialect.oneProcess ? "range(70000) g(n)" : "generate_series(0, 69999) g(n)"));
  shop.edit(
    "segments/cart.sql",
    'select user_id, email, occurred_at, name, total from {{source "carts"}}',
    `select user_id, email, occurred_at, name, total, 'EUROPE/berlin' as timezone from {{source "carts"}} union all
select 'u' || n, null, c.occurred_at, c.name, c.total, 'odd' || n || repeat('x', n % 300) from ${many} cross join carts c`,
  );
  shop.edit("opportune.yml", "policy:", 'policy:\n  timezone: America/Los_Angeles\n  quiet_hours: {from: "22:00", to: "05:00"}');
  const { decisions, delivery } = await shop.run(T0);
  expect(decisions.segments[0]).toMatchObject({ problem: null, reasons: { claimed: 1, invalid: 70_000 } });
  expect(decisions.unknownZones).toHaveLength(70_000);
  expect(delivery?.counts.accepted).toBe(1);
});
