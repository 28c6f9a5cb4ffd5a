/** A segment's first run: the first in which its query worked. `first_run: send` counts in that one alone. */
import { describe, expect, it } from "vitest";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

const DAY = 24 * 60 * MINUTE;

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  it("put in after a first run, however long ago and paused as it was, `first_run: send` writes to nobody who had qualified by then", async () => {
    const shop = await Shop.open({ on });
    shop.edit("segments/cart.sql", "status: live", "status: paused");
    expect((await shop.run(T0)).decisions.segments).toMatchObject([{ first: true, returned: 0 }]);
    shop.edit("segments/cart.sql", "status: paused", "status: live\nfirst_run: send");
    // Their carts arrive after the first run, and are of before it.
    await shop.carts(["ada", "bob"], 30);
    expect((await shop.run(T0 + 10 * MINUTE)).decisions.segments).toMatchObject([{ first: false, reasons: { baseline: 2 } }]);
    // Nine days later its last run is none that is looked at first.
    await shop.carts(["eve"], -9 * 24 * 60 + 30);
    const late = await shop.run(T0 + 9 * DAY);
    expect(late.decisions.segments).toMatchObject([{ first: false, reasons: { claimed: 1 } }]);
    expect(shop.recipients()).toEqual(["eve@example.com"]);
  });

  it("a run in which its query failed is none: in the next `first_run: send` counts", async () => {
    const shop = await Shop.sending(["ada"], { on });
    shop.edit("segments/cart.sql", "from {{source", "from no_such_table, {{source");
    expect((await shop.run(T0)).problems).toHaveLength(1);
    shop.edit("segments/cart.sql", "from no_such_table, {{source", "from {{source");
    expect((await shop.run(T0 + MINUTE)).decisions.segments).toMatchObject([{ first: true, reasons: { claimed: 1 } }]);
    expect(shop.recipients()).toEqual(["ada@example.com"]);
  });
});
