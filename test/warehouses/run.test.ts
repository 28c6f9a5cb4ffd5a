/** Whole runs with their commands on every warehouse: what is sent, doubted, settled, offered again, paused, and explained by the views. */
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { doubtStory, retryStory, WALL } from "../support/doubts.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { trialStory } from "../support/trials.js";
import { onEachWarehouse } from "./support/each.js";
import { LINE_OF_SEGMENT } from "./support/not-supported.js";

const VIEWS = readdirSync(new URL("../../sql/audit", import.meta.url)).map((file) => file.replace(/\.sql$/, ""));

beforeEach(() => void vi.spyOn(Date, "now").mockReturnValue(WALL));
afterEach(() => void vi.restoreAllMocks());

onEachWarehouse("a run", ({ name }, check) => {
  check("sends what is due once, to the outbox too, waits while it is paused, and every view tells of it", async () => {
    const shop = await Shop.sending(["ada", "bob", "zoe"], { on: name });
    expect((await shop.run(T0)).delivery).toMatchObject({ claims: 3, counts: { accepted: 3 } });
    expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "zoe@example.com"]);
    expect((await shop.run(T0 + MINUTE)).delivery?.claims).toBe(0);
    // trigger_lag tells of live messages alone.
    await shop.execute("update opportune.sent_ledger set trial = false where true");
    for (const view of VIEWS) {
      const rows = await shop.rows(`select * from opportune.${view}`);
      expect(rows.length, view).toBeGreaterThan(view === "caps_in_use" ? -1 : 0);
    }
    await shop.execute("update opportune.sent_ledger set trial = true where true");

    await shop.carts(["eve"], 20);
    await shop.pause("segment", "cart", true, T0 + 2 * MINUTE);
    const paused = await shop.run(T0 + 2 * MINUTE);
    expect(paused.decisions.segments[0]?.reasons).toEqual({ paused: 1 });
    await shop.pause("segment", "cart", false, T0 + 3 * MINUTE);
    shop.edit("opportune.yml", "provider: sendgrid, sandbox: true, api_key: SG.test-key, endpoint: ", "provider: outbox } # ");
    expect((await shop.run(T0 + 4 * MINUTE)).delivery).toMatchObject({ claims: 1, counts: { accepted: 1 } });
    expect(shop.outbox()).toHaveLength(1);
    expect(await shop.story("user_id = 'eve' and event <> 'sending'")).toEqual(["eve waiting paused", "eve claimed claimed", "eve accepted accepted"]);
  });

  check("settles doubts as sent, as not sent, or sends again, once", () => doubtStory(name));

  check("offers what failed for good again after a fix, and decides it afresh under the same id", () => retryStory(name));

  check("tells trials from live runs: nobody hears twice, nobody is silenced", () => trialStory(name));

  const broken = async (): Promise<{ file?: string; line?: number; message: string }> => {
    const shop = await Shop.sending(["ada"], { on: name });
    shop.edit("segments/cart.sql", "select user_id, email, occurred_at, name, total from", "select user_id, email,\n  occurred_at, name, nothing\nfrom");
    const { decisions } = await shop.run(T0);
    const [segment] = decisions.segments;
    return { message: "", ...segment?.problem };
  };
  check("blames a refused segment's file, and sends nothing of it", async () => {
    expect(await broken()).toMatchObject({ file: "segments/cart.sql", message: expect.stringMatching(/nothing/i) as string });
  });
  check("blames the line of the segment's file", async () => expect((await broken()).line).toBe(9), LINE_OF_SEGMENT);
});
