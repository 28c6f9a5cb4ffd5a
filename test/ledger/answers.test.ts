/** What the ledger's last answers say of a channel's provider. */
import { expect, it } from "vitest";
import { Ledger } from "../../src/ledger/ledger.js";
import { earlierAnswers, earlierOf } from "../../src/ledger/events/answers.js";
import { forget } from "../support/forgotten.js";
import { Shop, T0, MINUTE } from "../support/run-shop.js";
import { instant } from "../../src/core/clock.js";

const because = (words: string): string => JSON.stringify({ because: words });

it.each([
  ["nothing", [], undefined],
  ["failures since the last good answer", ["in_doubt", "released", "accepted", "in_doubt"], { failures: 2, rejections: new Map() }],
  ["a rejection as a good answer", ["released", "failed: HTTP 400: a1", "released"], { failures: 1, rejections: new Map([["HTTP 400: #", 1]]) }],
  [
    "rejections since the last accepted one",
    ["failed: HTTP 400: a1", "failed: HTTP 400: b2", "failed: HTTP 413: c", "accepted", "failed: HTTP 400: a1"],
    {
      failures: 0,
      rejections: new Map([
        ["HTTP 400: #", 2],
        ["HTTP 413: c", 1],
      ]),
    },
  ],
] as const)("counts %s", (_, answers, expected) => {
  const rows = answers.map((answer) => {
    const [event = "", ...words] = answer.split(": ");
    return { channel: "email", event, detail: words.length === 0 ? null : because(words.join(": ")) };
  });
  expect(earlierOf(rows).get("email")).toEqual(expected);
});

it.each(["duckdb", "postgres"] as const)(
  "reads them on %s, without what a person recorded, what went into files, and what is older than a week",
  async (on) => {
    const shop = await Shop.sending(["ada", "bob", "cyd"], { on });
    const earlier = (at: number, trial = false): Promise<unknown> =>
      shop.warehouse(async (warehouse) => [...(await earlierAnswers(new Ledger(warehouse, "opportune"), { asOf: instant(at), trial }))]);
    expect(await earlier(T0)).toEqual([]);
    shop.sandbox.setFaults([{ cut: "after", count: 2 }]);
    await shop.run(T0, { target: "prod" });
    // In flight one after another: the third was accepted.
    expect(await earlier(T0 + MINUTE)).toEqual([["email", { failures: 0, rejections: new Map() }]]);
    await shop.carts(["dan", "eve"], 25);
    shop.sandbox.setFaults([{ cut: "after", count: 2 }]);
    await shop.run(T0 + MINUTE, { target: "prod" });
    const two = [["email", { failures: 2, rejections: new Map() }]];
    expect(await earlier(T0 + 2 * MINUTE)).toEqual(two);
    await shop.execute("update opportune.sent_ledger set reason = 'settled' where event = 'accepted'");
    expect(await earlier(T0 + 2 * MINUTE)).toEqual([["email", { failures: 4, rejections: new Map() }]]);
    await shop.execute("update opportune.sent_ledger set reason = 'accepted', provider_id = 'outbox:x' where event = 'accepted'");
    expect(await earlier(T0 + 2 * MINUTE)).toEqual([["email", { failures: 4, rejections: new Map() }]]);
    await shop.execute("update opportune.sent_ledger set trial = true");
    expect(await earlier(T0 + 2 * MINUTE)).toEqual([]);
    expect(await earlier(T0 + 2 * MINUTE, true)).toEqual([["email", { failures: 4, rejections: new Map() }]]);
    expect(await earlier(T0 + 8 * 24 * 60 * MINUTE, true)).toEqual([]);
  },
);

it("says nothing of the provider where a run was cut off, and says once what a run said that is taken back", async () => {
  const shop = await Shop.sending(["ada", "bob", "cyd"]);
  const earlier = (at: number): Promise<unknown> =>
    shop.warehouse(async (warehouse) => [...(await earlierAnswers(new Ledger(warehouse, "opportune"), { asOf: instant(at), trial: false }))]);
  await shop.run(T0, { target: "prod" });
  await shop.execute("delete from opportune.sent_ledger where event = 'accepted'");
  await shop.execute("update opportune.runs set status = 'running', finished_at = null");
  expect((await shop.run(T0 + MINUTE, { target: "prod" })).recovered.inDoubt).toBe(3);
  expect(await earlier(T0 + 2 * MINUTE)).toEqual([]);
  await shop.carts(["dan", "eve"], 25);
  shop.sandbox.setFaults([{ cut: "after", count: 2 }]);
  const { runId } = await shop.run(T0 + 2 * MINUTE, { target: "prod" });
  await forget(shop, runId);
  expect(await earlier(Date.now())).toEqual([]);
  await shop.execute("update opportune.sent_ledger set decided_at = timestamp '2026-03-02 12:02:00' where run_id like 'forget%'");
  expect(await earlier(T0 + 3 * MINUTE)).toEqual([["email", { failures: 2, rejections: new Map() }]]);
});
