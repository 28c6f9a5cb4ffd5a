/** A ledger that 0.1.0 has written is upgraded: ids and addresses in their one form, trials marked, and nobody hears again. */
import { describe, expect, it } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { Row, Statement, Warehouse } from "../../src/warehouse/types.js";
import { around } from "../support/around.js";
import { commands } from "../support/doubts.js";
import { expectUpgraded, oldShop, upgrade, upgradeStory } from "../support/old-ledger.js";
import { letLeaseRunOut } from "./support.js";

describe.each(["duckdb", "postgres"] as const)("a ledger of 0.1.0 on %s", (on) => {
  it("is upgraded, and nobody hears again", () => upgradeStory(on));

  it("tells a user's story whatever form their id is asked in", async () => {
    const shop = await oldShop(on);
    await upgrade(shop);
    shop.edit("opportune.yml", "live: false", "live: true");
    const { explain } = commands(shop);
    const told = await explain("7");
    expect(told).toContain("welcome");
    for (const form of ["7.0", " 7 "]) expect((await explain(form)).replaceAll(form, "7")).toBe(told);
  });

  it("keeps as live what a live target's channel of files has written", async () => {
    const shop = await oldShop(on, true);
    expect(await upgrade(shop)).toContain("No message became a trial");
    expect(await shop.rows("select seq from opportune.sent_ledger where trial")).toEqual([]);
  });
});

// As on Snowflake and BigQuery, where each statement stands at once.
it("is upgraded whole by a second installation where the first was cut off, wherever that was", async () => {
  for (let last = 0; last < 300; last += 3) {
    const shop = await oldShop("duckdb");
    const whole = await shop.warehouse((warehouse) => installedWithin(warehouse, last));
    await upgrade(shop);
    await expectUpgraded(shop);
    if (!whole) continue;
    expect(last).toBeGreaterThan(40);
    return;
  }
  expect.fail("No installation ended.");
});

/** Whether an installation ends by itself that is cut off after so many statements, each of which stands at once. */
async function installedWithin(warehouse: Warehouse, statements: number): Promise<boolean> {
  let left = statements;
  const execute = (statement: Statement): Promise<number> => (left-- > 0 ? warehouse.execute(statement) : Promise.reject(new Error("the process ended")));
  const cut = around(warehouse, {
    execute,
    transaction: (work) => work(),
    async script({ statements: all }) {
      let rows: Row[] = [];
      for (const statement of all) {
        if (/^(?:\s*--[^\n]*\n)*\s*(?:select|with)\b/i.test(statement.sql)) rows = await warehouse.query(statement);
        else await execute(statement);
      }
      return rows;
    },
  });
  try {
    await installLedger(new Ledger(cut, "opportune"), [{ name: "email", address: "email", writesFiles: false }]);
    return true;
  } catch {
    return false;
  } finally {
    await letLeaseRunOut(warehouse);
  }
}
