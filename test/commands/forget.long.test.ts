/** A job whose machine's clock is 400 days ahead for one run, on a DuckDB file, by the command line. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { edit, opportune, query, shop, temporaryFolder, write, type Outcome } from "./support.js";

/** Sets the clock of a process ahead before anything of it runs. */
const AHEAD = `const Real = Date;
const ahead = 400 * 86_400_000;
globalThis.Date = class extends Real {
  constructor(...given) { super(...(given.length === 0 ? [Real.now() + ahead] : given)); }
  static now() { return Real.now() + ahead; }
};
`;

/** u0 and u2 are written to in 400 days. */
const RENEWAL = `/*---
status: live
first_run: send
repeat: each_occurrence
steps: [{name: notice, after: 10 minutes, channel: email, template: cart}]
---*/
select user_id, email, updated_at + interval 400 days as occurred_at, total from {{source "carts"}} where user_id in ('u0', 'u2')
`;

it("the ledger refuses every other run, debug and the refusal name the way out, and after it nobody hears twice", async () => {
  const root = await shop();
  const clock = join(temporaryFolder(), "ahead.mjs");
  write(join(clock, ".."), { "ahead.mjs": AHEAD });
  write(root, { "segments/renewal.sql": RENEWAL });
  edit(root, "opportune.yml", "path: shop.duckdb,", "path: shop.duckdb, live: true,");
  edit(root, "opportune.yml", "max_per_run: 100", "max_per_run: 100\n  spacing: 48 hours");
  const call = (args: string, ahead = false): Promise<Outcome> => opportune(root, args.split(" "), ahead ? { NODE_OPTIONS: `--import ${clock}` } : {});

  const lied = await call("run", true);
  expect(lied.code).toBe(0);
  const run = /\(run (\S+)\)/.exec(lied.stdout)?.[1] ?? "";

  const refused = await call("run");
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain(`opportune ledger forget --target dev ${run}`);
  const found = await call("debug");
  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(/FAIL +clock +.*still to come/);
  expect(found.stdout).toContain(`opportune ledger forget --target dev ${run}`);

  expect(await call(`ledger forget ${run}`)).toMatchObject({ code: 0, stdout: expect.stringContaining("2 messages had left, or may have") as string });
  expect(await call(`ledger forget ${run}`)).toMatchObject({ code: 2, stderr: expect.stringContaining("is taken back already") as string });
  const next = await call("run");
  expect(next.code).toBe(0);
  const told = "select user_id || ' ' || segment || ' ' || event || ' ' || reason as line from opportune.sent_ledger";
  const lines = async (where: string): Promise<unknown[]> => (await query(root, `${told} where ${where} order by line`)).map(({ line }) => line);
  const last = "run_id = (select max_by(run_id, fence) from opportune.runs)";
  expect(await lines(`${last} and event in ('claimed', 'waiting', 'denied')`)).toEqual([
    "u0 cart_abandoned waiting spacing",
    "u1 cart_abandoned denied converted",
    "u2 cart_abandoned waiting spacing",
    "u2 cart_waiting waiting spacing",
    "u3 cart_abandoned claimed claimed",
    "u3 cart_waiting waiting outranked",
    "u4 cart_abandoned claimed claimed",
    "u5 cart_abandoned claimed claimed",
  ]);
  // The day really comes: u0 and u2 have heard.
  expect((await call("run --select renewal", true)).code).toBe(0);
  expect(await lines(last)).toEqual([]);
  expect(await query(root, "select user_id, count(*)::int as n from opportune.messages group by all having n > 1")).toEqual([]);
});
