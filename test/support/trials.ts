/** A live job and a colleague who tries things out on the same ledger: nobody hears twice, and nobody is silenced. */
import { expect } from "vitest";
import { Ledger } from "../../src/ledger/ledger.js";
import { doubtsCommand } from "../../src/commands/doubts.js";
import { explainCommand } from "../../src/commands/explain/explain.js";
import { runHistory } from "../../src/ledger/runs/history.js";
import { pauses, setPause } from "../../src/ledger/pauses.js";
import { write } from "../commands/support.js";
import type { WarehouseName } from "./databases.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";
import { told } from "./terminal.js";
import { BY_OPERATOR } from "./pauses.js";

const LIVE = { target: "prod" } as const;

/** `user count` of accepted messages of one kind. */
async function acceptedOf(shop: Shop, trial: boolean): Promise<string[]> {
  const rows = await shop.rows(
    `select user_id, count(*) as n from opportune.messages where status = 'accepted' and ${trial ? "" : "not "}trial group by user_id order by user_id`,
  );
  return rows.map(({ user_id: user, n }) => `${String(user)} ${String(n)}`);
}

/** Two targets share a database and its ledger. */
export async function trialStory(on: WarehouseName): Promise<void> {
  const shop = await Shop.sending(["ada", "bob"], { on });
  const tip = "/*---\nstatus: live\ntopic: tips\nsteps: [{name: hint, after: 10 minutes, channel: email, template: cart}]\n---*/\n";
  write(shop.root, {
    "segments/tip.sql": `${tip}select user_id || '_tip' as user_id, 'tip_' || email as email, occurred_at, name, total from {{source "carts"}}\n`,
  });

  // A trial sends and is remembered by trials; to the live job it never was.
  expect(await shop.run(T0)).toMatchObject({ trial: true, went: { sandbox: 2, provider: 0, outbox: 0 }, delivery: { counts: { accepted: 2 } } });
  const first = await shop.run(T0 + MINUTE, LIVE);
  expect(first).toMatchObject({ trial: false, delivery: { counts: { accepted: 2 } } });
  // Baseline of a live segment are those who qualify by its first live run.
  expect(first.decisions.segments.map(({ segment, reasons }) => [segment, reasons])).toEqual([
    ["cart", { claimed: 2 }],
    ["tip", { baseline: 2 }],
  ]);
  expect((await shop.run(T0 + 2 * MINUTE)).delivery?.claims).toBe(0);
  expect((await shop.run(T0 + 3 * MINUTE, LIVE)).delivery?.claims).toBe(0);
  expect(await shop.rows("select count(distinct message_id) as n from opportune.messages")).toEqual([{ n: 4 }]);

  // Who qualifies after the first live run is written to, whatever trials wrote about them.
  await shop.carts(["eve"], 5);
  expect((await shop.run(T0 + 6 * MINUTE)).delivery?.claims).toBe(2);
  expect((await shop.run(T0 + 7 * MINUTE, LIVE)).delivery?.claims).toBe(2);

  // A replay of the live target is a trial, even one of a later time: live runs go on.
  await shop.carts(["kim"], -5);
  const later = new Date(T0 + 30 * MINUTE).toISOString().replace(".000Z", "Z");
  expect(await shop.run(T0 + 8 * MINUTE, { ...LIVE, asOf: later })).toMatchObject({ trial: true, delivery: { claims: 2 } });
  expect((await shop.run(T0 + 20 * MINUTE, LIVE)).delivery?.claims).toBe(2);

  // What a trial's breaker pauses, and what is in doubt of a trial, concerns trials alone.
  await shop.warehouse((warehouse) =>
    setPause(new Ledger(warehouse, "opportune", () => T0), { ...BY_OPERATOR, scope: "channel", name: "email", paused: true, trial: true }),
  );
  const paused = (trial: boolean): Promise<unknown> => shop.warehouse((warehouse) => pauses(new Ledger(warehouse, "opportune", () => T0), trial));
  expect([await paused(true), await paused(false)]).toMatchObject([[{ name: "email" }], []]);
  await shop.carts(["zoe"], -15);
  shop.sandbox.setFaults([{ cut: "after", count: 2 }]);
  expect((await shop.run(T0 + 31 * MINUTE)).decisions.segments[0]?.reasons).toEqual({ paused: 1 });
  expect((await shop.run(T0 + 31 * MINUTE, LIVE)).delivery).toMatchObject({ counts: { inDoubt: 2, accepted: 0 } });
  const options = { projectDir: shop.root, color: false };
  expect((await told((terminal) => doubtsCommand(terminal, options))).stdout).toBe("No message is in doubt.\n");
  expect((await told((terminal) => doubtsCommand(terminal, { ...options, target: "prod" }))).stdout).toMatch(/zoe/);

  // Each target is told its own kind.
  const explained = async (user: string, target?: string): Promise<string> =>
    (await told((terminal) => explainCommand(terminal, { ...options, limit: "99", ...(target === undefined ? {} : { target }) }, [user]))).stdout;
  expect(await explained("zoe")).toMatch(/paused/);
  expect(await explained("zoe", "prod")).not.toMatch(/paused/);
  expect(await shop.warehouse(async (warehouse) => (await runHistory(new Ledger(warehouse, "opportune"), false)).lastAsOf)).toBe(T0 + 31 * MINUTE);
  // Once each, of either kind.
  expect(await acceptedOf(shop, false)).toEqual(["ada 1", "bob 1", "eve 1", "eve_tip 1", "kim 1", "kim_tip 1"]);
  expect(await acceptedOf(shop, true)).toEqual(["ada 1", "bob 1", "eve 1", "eve_tip 1", "kim 1", "kim_tip 1"]);
}
