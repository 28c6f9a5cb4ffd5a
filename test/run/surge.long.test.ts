/** The surge breaker at length: `npm run test:long`. */
import { expect, it } from "vitest";
import { write } from "../commands/support.js";
import { MINUTE, T0 } from "../support/run-shop.js";
import { breaking, FLOOD, floodStory, offered, remember } from "../support/surge.js";

it("on DuckDB a flood waits, is told, and goes with approval alone; other segments go on, to the same users too", () => floodStory("duckdb"));

it("what is usual is learnt from real runs: five of them, then a flood", async () => {
  const shop = await breaking("duckdb");
  // Two carts of each minute, then six, then seven; three times two is six, and no more is allowed.
  await shop.rows(
    `insert into carts select 'u' || i, 'u' || i || '@example.com', timestamp '2026-03-02 11:50:00' + to_minutes(least(i // 2, case when i < 16 then 5 else 6 end)), 'Ada', 20
     from range(23) t(i)`,
  );
  for (let i = 0; i < 5; i += 1) expect((await shop.run(T0 + i * MINUTE)).problems).toEqual([]);
  expect((await shop.run(T0 + 5 * MINUTE)).decisions.segments).toMatchObject([{ reasons: { claimed: 6 }, offered: 6 }]);
  expect((await shop.run(T0 + 6 * MINUTE)).decisions.segments).toMatchObject([{ reasons: { surge: 7 }, surge: { offered: 7, limit: 6 } }]);
  expect(await offered(shop)).toEqual([2, 2, 2, 2, 2, 6, null].map((n) => ({ offered: n })));
});

it("data that comes seldom, and then as much as this, is usual", async () => {
  const shop = await breaking("duckdb", "{multiple: 1, at_least: 5}");
  await remember(shop, [0, 0, 0, 0, 8, 0, 0, 0, 0]);
  await shop.carts(FLOOD, 30);
  expect(await shop.run(T0)).toMatchObject({ problems: [], decisions: { segments: [{ reasons: { claimed: 8 }, surge: null }] } });
});

it("a backfill is an approval", async () => {
  const shop = await breaking("duckdb");
  shop.edit("segments/cart.sql", "first_run: send\n", "");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  expect((await shop.run(T0)).decisions.segments).toMatchObject([{ reasons: { baseline: 8 }, offered: 0 }]);
  expect((await shop.run(T0 + 10 * MINUTE, { backfill: new Set(["cart"]) })).problems).toEqual([]);
  // Its steps count from the backfill, and fall due in a later run that is like any other.
  expect((await shop.run(T0 + 25 * MINUTE)).delivery).toMatchObject({ claims: 8 });
  expect(await offered(shop)).toEqual([{ offered: 0 }, { offered: 0 }, { offered: 0 }]);
});

it("a flood is no usual one because it has waited for something else meanwhile", async () => {
  const shop = await breaking("duckdb");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  write(shop.root, { "segments/audiences/guests.sql": "select user_id from carts where user_id = 'nobody'\n" });
  shop.edit("segments/cart.sql", "topic: carts", "topic: carts\nexclude: [guests]");
  write(shop.root, { "segments/audiences/guests.sql": "/*---\nmin_rows: 1\n---*/\nselect user_id from carts where user_id = 'nobody'\n" });
  await shop.pause("channel", "email", true, T0 - MINUTE);
  expect((await shop.run(T0)).decisions.segments[0]?.reasons).toEqual({ surge: 8 });
  await shop.pause("channel", "email", false, T0);
  write(shop.root, { "segments/audiences/guests.sql": "select user_id from carts where user_id = 'nobody'\n" });
  expect((await shop.run(T0 + MINUTE)).decisions.segments[0]?.reasons).toEqual({ surge: 8 });
  // Somebody's own pause says no less than the breaker.
  await shop.pause("segment", "cart", true, T0 + MINUTE);
  expect((await shop.run(T0 + 2 * MINUTE)).decisions.segments[0]?.reasons).toEqual({ paused: 8 });
});

it("a dry run says so too, and leaves the ledger as it was", async () => {
  const shop = await breaking("duckdb");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  const before = await shop.dump();
  expect(await shop.run(T0, { dryRun: true })).toMatchObject({ problems: [{ code: "run/surge" }], decisions: { segments: [{ reasons: { surge: 8 } }] } });
  expect(await shop.dump()).toEqual(before);
});
