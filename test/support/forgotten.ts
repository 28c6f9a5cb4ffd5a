/** A shop whose job ran once by a clock that is 400 days ahead, and what taking that run back must do. */
import { expect } from "vitest";
import { explainCommand } from "../../src/commands/explain/explain.js";
import { forgetRunCommand, type ForgetRunOptions } from "../../src/commands/forget-run.js";
import { write } from "../commands/support.js";
import type { WarehouseName } from "./databases.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";
import { told, type Told } from "./terminal.js";

export const DAYS_400 = 400 * 24 * 60 * MINUTE;
const LIVE = { target: "prod" } as const;

const RENEWAL = `/*---
status: live
first_run: send
repeat: each_occurrence
topic: renewals
steps: [{name: notice, after: 10 minutes, channel: email, template: cart}]
---*/
select user_id, email, occurred_at, name, total from {{source "carts"}} where name in ('ADA', 'EVE')
`;

/** `opportune ledger forget RUN` on the live target. */
export function forget(shop: Shop, runId: string, options: Partial<ForgetRunOptions> = {}): Promise<Told> {
  return told((terminal) => forgetRunCommand(terminal, { projectDir: shop.root, color: false, target: "prod", ...options }, [runId]));
}

export async function forgottenStory(on: WarehouseName): Promise<void> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const ahead = now + DAYS_400;
  const before = (at: number): number => (T0 - at) / MINUTE + 30;
  const shop = await Shop.sending([], { on });
  shop.edit("opportune.yml", "max_per_run: 100", "max_per_run: 100\n  spacing: 48 hours");
  shop.edit("segments/cart.sql", 'from {{source "carts"}}', "from {{source \"carts\"}} where name not in ('ADA', 'EVE')");
  write(shop.root, { "segments/renewal.sql": RENEWAL });
  // Two renewals fall due in 400 days. The carts are of now: by that clock they are history.
  await shop.carts(["ada", "eve"], before(ahead));
  await shop.carts(["bob"], before(now));
  const lied = await shop.run(ahead, LIVE);
  expect(lied).toMatchObject({ problems: [], delivery: { counts: { accepted: 2 } } });

  // No run goes until then, and the refusal names the way out.
  const refused = shop.run(Date.now(), LIVE);
  await expect(refused).rejects.toMatchObject({
    problems: [{ code: "run/as-of", hint: expect.stringContaining(`\`opportune ledger forget --target prod ${lied.runId}\``) as string }],
  });
  await expect(forget(shop, `${lied.runId.slice(0, -1)}x`)).rejects.toMatchObject({ exitCode: 2, problems: [{ hint: `Did you mean "${lied.runId}"?` }] });
  await expect(forget(shop, lied.runId, { target: "dev" })).rejects.toThrow("was live, and target dev isn't");
  expect((await forget(shop, lied.runId)).stdout).toMatch(
    /^Run \S+, as of \S+, is taken back: 0 claims released, 0 decisions voided; 2 messages had left, or may have: they count from now on\.\n$/,
  );
  await expect(forget(shop, lied.runId)).rejects.toThrow("is taken back already");
  await expect(forget(shop, `forget_${lied.runId}`)).rejects.toThrow("it isn't a run");

  // The next run is as if it had not been, and who heard is not written to again: ada has a cart now too.
  shop.edit("segments/cart.sql", "where name not in ('ADA', 'EVE')", "");
  await shop.execute("delete from carts where name = 'ADA'");
  await shop.carts(["ada"], before(now));
  const next = await shop.run(Date.now(), LIVE);
  expect(next.decisions.segments.find(({ segment }) => segment === "cart")?.reasons).toEqual({ claimed: 1, spacing: 1 });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "eve@example.com"]);

  // The day really comes: carts apart, as all rows are carts.
  await shop.pause("segment", "cart", true, ahead);
  await shop.carts(["ada"], before(ahead));
  const then = await shop.run(ahead, LIVE);
  expect(then.decisions.segments.find(({ segment }) => segment === "renewal")?.reasons).toEqual({});
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "eve@example.com"]);

  expect(await shop.rows("select user_id, status, count(*) as n from opportune.messages group by user_id, status order by user_id")).toMatchObject(
    ["ada", "bob", "eve"].map((user) => ({ user_id: user, status: "accepted" })),
  );
  const { stdout } = await told((terminal) => explainCommand(terminal, { projectDir: shop.root, color: false, target: "prod", limit: "99" }, ["eve"]));
  expect(stdout).toMatch(/the run was taken back \(claimed\)[^]*had left in a run that was taken back; counts from now[^]*had been accepted by the provider/);
}
