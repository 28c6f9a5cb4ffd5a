/** A ledger that 0.1.0 has written is upgraded: ids and addresses in their one form, trials marked, and nobody hears again. */
import { describe, expect, it } from "vitest";
import { installLedger } from "../../src/ledger/schema.js";
import { expectUpgraded, oldShop, upgrade, upgradeStory } from "../support/old-ledger.js";
import { letLeaseRunOut } from "./support.js";

describe.each(["duckdb", "postgres"] as const)("a ledger of 0.1.0 on %s", (on) => {
  it("is upgraded, and nobody hears again", () => upgradeStory(on));

  it("keeps as live what a live target's channel of files has written", async () => {
    const shop = await oldShop(on, true);
    expect(await upgrade(shop)).toContain("No message became a trial");
    expect(await shop.rows("select seq from opportune.sent_ledger where trial")).toEqual([]);
  });
});

// As on Snowflake and BigQuery, where each statement stands at once.
it("is upgraded whole by a second installation where the first was cut off, wherever that was", async () => {
  for (let last = 0, whole = false; !whole; last += 3) {
    const shop = await oldShop("duckdb");
    await shop.warehouse(async (warehouse) => {
      const { execute, script, transaction } = warehouse;
      let left = last;
      warehouse.execute = (statement) => (left-- > 0 ? execute.call(warehouse, statement) : Promise.reject(new Error("the process ended")));
      warehouse.script = async ({ statements }) => {
        let rows: Awaited<ReturnType<typeof script>> = [];
        for (const statement of statements) {
          if (/^\s*select/i.test(statement.sql)) rows = await warehouse.query(statement);
          else await warehouse.execute(statement);
        }
        return rows;
      };
      warehouse.transaction = (work) => work();
      whole = await installLedger(warehouse, "opportune", [{ name: "email", address: "email", writesFiles: false }]).then(
        () => true,
        () => false,
      );
      Object.assign(warehouse, { execute, script, transaction });
      await letLeaseRunOut(warehouse);
    });
    await upgrade(shop);
    if (whole) expect(last).toBeGreaterThan(40);
    else await expectUpgraded(shop);
  }
});
