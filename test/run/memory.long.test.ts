/** Whole runs in little memory: many rows, and wide ones. */
import { describe, expect, it } from "vitest";
import { Shop, T0 } from "../support/run-shop.js";

const CARTS = "insert into carts select 'u' || n, 'u' || n || '@example.com', timestamp '2026-03-02 11:30:00'";

async function shopWith(memory: string): Promise<Shop> {
  const shop = await Shop.sending([]);
  shop.memoryLimit = memory;
  // The token bucket's clock stands still as well.
  shop.edit("opportune.yml", "in_flight: 1}", "in_flight: 8, rate: 1000000}");
  shop.edit("opportune.yml", "max_per_run: 100", "max_per_run: 100\n  surge: false");
  return shop;
}

describe("on DuckDB", () => {
  it("100,000 rows are decided within 100 MB", async () => {
    const shop = await shopWith("100MB");
    await shop.execute(`${CARTS}, 'name', 20 from range(100000) numbers(n)`);
    const { decisions, delivery, problems } = await shop.run(T0);
    expect(problems).toEqual([]);
    expect(decisions.segments).toMatchObject([{ returned: 100_000, reasons: { claimed: 100, run_limit: 99_900 } }]);
    expect(delivery?.counts.accepted).toBe(100);
  });

  it("400 rows of 1 MB are decided and sent within 1 GB", async () => {
    const shop = await shopWith("1GB");
    shop.edit("segments/cart.sql", "name, total", "name, total, repeat(name, 1000000) as body");
    await shop.execute(`${CARTS}, chr(cast(97 + n % 26 as integer)), 20 from range(400) numbers(n)`);
    const { decisions, delivery, problems } = await shop.run(T0);
    expect(problems).toEqual([]);
    expect(decisions.segments).toMatchObject([{ returned: 400, reasons: { claimed: 100, run_limit: 300 } }]);
    expect(delivery?.counts.accepted).toBe(100);
  });

  it("a segment that needs more fails alone, and says what to raise", async () => {
    const shop = await shopWith("150MB");
    shop.write({
      "segments/wide.sql":
        '/*---\nstatus: live\ntopic: carts\nfirst_run: send\nsteps:\n  - {name: nudge, after: 10 minutes, channel: email, template: cart}\n---*/\nselect user_id, email, occurred_at, name, total, (select list(n) from range(20000000) numbers(n)) as everything from {{source "carts"}}\n',
    });
    await shop.carts(["u1"], 30);
    const { decisions, delivery, problems } = await shop.run(T0);
    expect(decisions.segments).toMatchObject([
      { segment: "cart", returned: 1, problem: null },
      { segment: "wide", returned: null },
    ]);
    expect(problems).toMatchObject([{ file: "segments/wide.sql" }]);
    expect(problems[0]?.message).toMatch(/^DuckDB ran out of memory: this statement needs more than the memory_limit of 150MB \(.+\)\.$/);
    expect(problems[0]?.hint).toMatch(/^Raise `memory_limit` of this target in opportune\.yml, now 150MB/);
    expect(delivery?.counts.accepted).toBe(1);
  });
});
