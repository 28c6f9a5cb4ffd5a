/** `opportune ledger prune`: what is kept, and what is refused. That runs decide the same: prune.long.test.ts. */
import { describe, expect, it } from "vitest";
import { pruneCommand, type PruneOptions } from "../../src/commands/prune.js";
import { Shop } from "../support/run-shop.js";
import { told, type Told } from "../support/terminal.js";

const DAY = 86_400_000;
/** A shop whose user ada heard, eve was held back and bob is in doubt, all 500 days ago by the machine's clock. */
async function oldShop(): Promise<{ shop: Shop; at: number }> {
  const at = Date.now() - 500 * DAY;
  const shop = await Shop.sending([]);
  shop.edit("opportune.yml", "policy:", "policy:\n  caps: [{max: 1, per: 3 days}]");
  shop.edit("segments/cart.sql", "topic: carts", "topic: carts\nrepeat: never\nkeep_properties: [name]");
  await shop.execute(`insert into carts select u, u || '@example.com', ${timestamp(at - 1_800_000)}, 'Ada', 20 from (values ('ada'), ('eve')) v(u)`);
  await shop.execute(
    `insert into opportune.suppressions (channel, address, reason, recorded_at) values ('email', 'eve@example.com', 'bounce', ${timestamp(at - DAY)})`,
  );
  expect((await shop.run(at, { target: "prod" })).problems).toEqual([]);
  await shop.execute("delete from opportune.suppressions");
  return { shop, at };
}

const timestamp = (ms: number): string => `timestamp '${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}'`;

const prune = (shop: Shop, olderThan: string, options: Partial<PruneOptions> = {}): Promise<Told> =>
  told((terminal) => pruneCommand(terminal, { projectDir: shop.root, color: false, target: "prod", olderThan, ...options }));

describe("the command", () => {
  it("keeps of a claim what settles, counts and unsubscribes, and deletes the rest", async () => {
    const { shop, at } = await oldShop();
    // The segment ran lately too: it looks back from its last run. Its last five runs stay, as a surge is held against them.
    for (const time of [1, 2, 3, 4, 5].map((days) => at + days * DAY).concat(Date.now() - DAY)) await shop.run(time, { target: "prod" });
    const rows = (await shop.story()).sort();
    expect(rows).toEqual(["ada accepted accepted", "ada claimed claimed", "ada sending sending", "eve denied suppressed", "eve settled expired"]);
    const dry = await prune(shop, "400d", { dryRun: true });
    expect(dry.stdout).toMatch(
      /^Ledger of target prod, before \S+Z: 3 decisions \(1 denied, 1 sending, 1 settled\), 2 segment runs, 2 runs would be deleted\. 1 row of claims/,
    );
    expect(await shop.story()).toHaveLength(5);
    const done = await prune(shop, "400d", { output: "json" });
    expect(JSON.parse(done.stdout)).toMatchObject({
      dry_run: false,
      deleted: { events: { denied: 1, sending: 1, settled: 1 }, segment_runs: 2, runs: 2 },
      emptied: 1,
    });
    expect(await shop.story()).toEqual(["ada claimed claimed", "ada accepted accepted"]);
    expect(
      await shop.rows(
        "select user_id, channel, topic, address, segment, item_key, settles, counts, detail, properties from opportune.sent_ledger where event = 'claimed'",
      ),
    ).toEqual([
      {
        user_id: "ada",
        channel: "email",
        topic: "carts",
        address: "ada@example.com",
        segment: "cart",
        item_key: "",
        settles: 1,
        counts: 1,
        detail: null,
        properties: null,
      },
    ]);
    expect(await shop.rows("select status from opportune.messages")).toEqual([{ status: "accepted" }]);
    expect((await prune(shop, "400d")).stdout).toContain(": 0 decisions, 0 segment runs, 0 runs deleted. 0 rows");

    // Both are back in the segment: ada heard once in her life, eve never did.
    await shop.execute(`update carts set occurred_at = ${timestamp(Date.now() - 1_800_000)}`);
    expect((await shop.run(Date.now(), { target: "prod" })).problems).toEqual([]);
    expect(await shop.story("event = 'claimed'")).toEqual(["ada claimed claimed", "eve claimed claimed"]);
  });

  it("keeps a message in doubt with its run, until somebody settles it", async () => {
    const { shop } = await oldShop();
    await shop.execute("update opportune.sent_ledger set event = 'in_doubt', reason = 'no_answer' where event = 'accepted'");
    await shop.execute("update opportune.runs set in_doubt = 1");
    await shop.run(Date.now() - DAY, { target: "prod" });
    await prune(shop, "400d");
    expect(await shop.story("decided_at < current_date - 400")).toEqual(["ada claimed claimed", "ada sending sending", "ada in_doubt no_answer"]);
    expect((await shop.run(Date.now(), { target: "prod" })).doubts).toMatchObject([{ channel: "email", messages: 1 }]);
  });

  it("refuses an age that a rule looks back on, and text that is none", async () => {
    const { shop } = await oldShop();
    await shop.run(Date.now(), { target: "prod" });
    await expect(prune(shop, "10 days")).rejects.toMatchObject({
      exitCode: 2,
      problems: [
        { message: expect.stringContaining("is too short: ") as string, hint: expect.stringMatching(/^Write --older-than '\d+ days' or longer\.$/) as string },
      ],
    });
    shop.edit("opportune.yml", "per: 3 days", "per: 600 days");
    await expect(prune(shop, "400d")).rejects.toThrow("the longest cap or spacing looks back to");
    await expect(prune(shop, "long ago")).rejects.toThrow('--older-than can\'t be "long ago".');
    await expect(prune(shop, "400 dys")).rejects.toMatchObject({ problems: [{ hint: 'Did you mean "400 days"?' }] });
    expect((await prune(shop, "700 days")).code).toBe(0);
  });
});
