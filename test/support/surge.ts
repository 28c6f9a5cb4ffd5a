/** Shops whose segment has a usual number of candidates, and then a flood. */
import { expect } from "vitest";
import { write } from "../commands/support.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";

export const FLOOD = Array.from({ length: 8 }, (_, i) => `f${String(i).padStart(2, "0")}`);

/** A segment on the carts that wants the flood's users too, and would never go first. */
export const OTHER =
  "/*---\nstatus: live\nfirst_run: send\npriority: 1\nsteps: [{name: hint, channel: email, template: cart}]\n---*/\nselect * from {{source \"carts\"}} where user_id in ('f03', 'f04', 'x1')\n";

export async function breaking(on: "duckdb" | "postgres", surge = "{multiple: 3, at_least: 5}"): Promise<Shop> {
  const shop = await Shop.sending([], { on });
  shop.edit("opportune.yml", "max_per_run: 100", `max_per_run: 100\n  surge: ${surge}`);
  return shop;
}

/** Five runs of the half hour before T0, as the ledger keeps them. */
export async function remember(shop: Shop, offered: readonly (number | null)[] = [0, 2, 3, 2, 0], segment = "cart"): Promise<void> {
  const values = offered.map(
    (n, i) => `('r${String(i)}', '${segment}', timestamp '2026-03-02 11:3${String(i)}:00', 'v', 's', '[]', 1, ${n === null ? "null" : String(n)})`,
  );
  await shop.rows(
    `insert into opportune.segment_runs (run_id, segment, as_of, segment_version, shape, steps, succeeded, offered) values ${values.join(", ")} returning run_id`,
  );
}

export const offered = (shop: Shop): Promise<unknown[]> =>
  shop.rows("select s.offered from opportune.segment_runs s join opportune.runs r on r.run_id = s.run_id where segment = 'cart' order by s.as_of");

/** A flood waits, is told, and goes with approval alone; other segments go on, to the same users too. */
export async function floodStory(on: "duckdb" | "postgres"): Promise<void> {
  const shop = await breaking(on);
  await remember(shop);
  await shop.carts(FLOOD, 30);
  write(shop.root, { "segments/other.sql": OTHER });
  const flooded = await shop.run(T0);
  expect(flooded.decisions.segments.map(({ segment, reasons, surge, offered }) => ({ segment, reasons, surge, offered }))).toEqual([
    { segment: "cart", reasons: { surge: 8 }, surge: { offered: 8, limit: 6, young: false }, offered: 8 },
    { segment: "other", reasons: { claimed: 2 }, surge: null, offered: 2 },
  ]);
  expect(flooded.problems).toMatchObject([
    {
      code: "run/surge",
      message: "Segment cart offers 8 candidates, more than the 6 that policy.surge allows: they wait.",
      hint: expect.stringContaining("opportune run --approve cart") as string,
    },
  ]);
  expect(shop.recipients()).toEqual(["f03@example.com", "f04@example.com"]);
  expect(await shop.rows("select status, candidates, claimed, held, error from opportune.runs")).toEqual([
    { status: "error", candidates: 10, claimed: 2, held: 8, error: flooded.problems[0]?.message },
  ]);
  expect(await offered(shop)).toEqual([{ offered: null }]);
  expect(await shop.rows("select distinct event, reason, rule, detail from opportune.sent_ledger where segment = 'cart'")).toEqual([
    { event: "waiting", reason: "surge", rule: "", detail: expect.stringMatching(/"offered" ?: ?8, ?"limit" ?: ?6/) as string },
  ]);

  const still = await shop.run(T0 + MINUTE);
  expect(still.decisions.segments.map(({ reasons }) => reasons)).toEqual([{ surge: 8 }, {}]);
  expect(still.decisions.changed).toBe(0);

  const approved = await shop.run(T0 + 2 * MINUTE, { approved: new Set(["cart"]) });
  expect(approved).toMatchObject({ problems: [], decisions: { segments: [{ reasons: { claimed: 8 }, surge: null }, {}] } });
  expect(shop.recipients()).toHaveLength(10);
  expect(await offered(shop)).toEqual([{ offered: null }, { offered: null }, { offered: 8 }]);
  expect((await shop.rows("select held from opportune.runs order by as_of")).map(({ held }) => held)).toEqual([8, 8, 0]);
}
