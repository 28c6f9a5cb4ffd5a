/** A whole run on BigQuery's emulator: staged, decided, claimed, sent once. The stories of run.test.ts would take it ten minutes. */
import { describe, expect, it } from "vitest";
import { BIGQUERY_URL_VARIABLE } from "../support/bigquery.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

describe.skipIf(process.env[BIGQUERY_URL_VARIABLE] === undefined)("a run on BigQuery", () => {
  it("sends what is due once, and blames a refused segment's file", async () => {
    const shop = await Shop.sending(["ada", "bob", "漢"], { on: "bigquery" });
    expect((await shop.run(T0)).delivery).toMatchObject({ claims: 3, counts: { accepted: 3 } });
    expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "漢@example.com"]);
    expect(await shop.story("user_id = 'ada' and event <> 'sending'")).toEqual(["ada claimed claimed", "ada accepted accepted"]);
    shop.edit("segments/cart.sql", "name, total from", "name, nothing from");
    const { decisions, delivery } = await shop.run(T0 + MINUTE);
    expect(decisions.segments[0]?.problem).toMatchObject({ file: "segments/cart.sql", message: expect.stringMatching(/nothing/i) as string });
    expect(delivery?.claims).toBe(0);
    expect(shop.recipients()).toHaveLength(3);
  });
});
