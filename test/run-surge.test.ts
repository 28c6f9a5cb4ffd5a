/** The surge breaker: a segment that offers far more than usual waits for somebody's word, and nobody else does. */
import { describe, expect, it } from "vitest";
import { surgeLimit } from "../src/arbitration/surge.js";
import { debugCommand } from "../src/commands/debug.js";
import { runCommand, type RunCommandOptions } from "../src/commands/run.js";
import { usualOffers } from "../src/ledger/runs.js";
import { write } from "./commands/support.js";
import { MINUTE, Shop, T0 } from "./support/run-shop.js";
import { told, type Told } from "./support/terminal.js";

const FLOOD = Array.from({ length: 8 }, (_, i) => `f${String(i).padStart(2, "0")}`);

/** A segment on the carts that wants the flood's users too, and would never go first. */
const OTHER =
  "/*---\nstatus: live\nfirst_run: send\npriority: 1\nsteps: [{name: hint, channel: email, template: cart}]\n---*/\nselect * from {{source \"carts\"}} where user_id in ('f03', 'f04', 'x1')\n";

async function breaking(on: "duckdb" | "postgres", surge = "{multiple: 3, at_least: 5}"): Promise<Shop> {
  const shop = await Shop.sending([], { on });
  shop.edit("opportune.yml", "max_per_run: 100", `max_per_run: 100\n  surge: ${surge}`);
  return shop;
}

/** Five runs of the half hour before T0, as the ledger keeps them. */
async function remember(shop: Shop, offered: readonly (number | null)[] = [0, 2, 3, 2, 0], segment = "cart"): Promise<void> {
  const values = offered.map(
    (n, i) => `('r${String(i)}', '${segment}', timestamp '2026-03-02 11:3${String(i)}:00', 'v', 's', '[]', 1, ${n === null ? "null" : String(n)})`,
  );
  await shop.rows(
    `insert into opportune.segment_runs (run_id, segment, as_of, segment_version, shape, steps, succeeded, offered) values ${values.join(", ")} returning run_id`,
  );
}

const offered = (shop: Shop): Promise<unknown[]> =>
  shop.rows("select s.offered from opportune.segment_runs s join opportune.runs r on r.run_id = s.run_id where segment = 'cart' order by s.as_of");

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  it("a flood waits, is told, and goes with approval alone; other segments go on, to the same users too", async () => {
    const shop = await breaking(on);
    await remember(shop);
    await shop.carts(FLOOD, 30);
    write(shop.root, { "segments/other.sql": OTHER });
    const flooded = await shop.run(T0);
    expect(flooded.decisions.segments.map(({ segment, reasons, surge, offered }) => ({ segment, reasons, surge, offered }))).toEqual([
      { segment: "cart", reasons: { surge: 8 }, surge: { offered: 8, limit: 6 }, offered: 8 },
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
  });
});

it("what is usual is learnt from real runs: five of them, then a flood", async () => {
  const shop = await breaking("duckdb");
  // Two carts of each minute, then six, then seven; three times two is six, and no more is allowed.
  await shop.rows(
    `insert into carts select 'u' || i, 'u' || i || '@example.com', timestamp '2026-03-02 11:50:00' + to_minutes(least(i // 2, case when i < 16 then 5 else 6 end)), 'Ada', 20
     from range(23) t(i)`,
  );
  for (let i = 0; i < 5; i += 1) expect((await shop.run(T0 + i * MINUTE)).problems).toEqual([]);
  expect((await shop.run(T0 + 5 * MINUTE)).decisions.segments).toMatchObject([{ reasons: { claimed: 6 }, offered: 6 }]);
  expect((await shop.run(T0 + 6 * MINUTE)).decisions.segments).toMatchObject([{ reasons: { surge: 7 }, surge: { offered: 7, limit: 6 } }]);
  expect(await offered(shop)).toEqual([2, 2, 2, 2, 2, 6, null].map((n) => ({ offered: n })));
});

it.each([
  ["switched off", null, { median: 2, runs: 9 }, null],
  ["before there was a run", { multiple: 3, atLeast: 5 }, undefined, null],
  ["after four runs", { multiple: 3, atLeast: 5 }, { median: 2, runs: 4 }, null],
  ["after five", { multiple: 3, atLeast: 5 }, { median: 2, runs: 5 }, 6],
  ["where the multiple is below at_least", { multiple: 3, atLeast: 8 }, { median: 2, runs: 5 }, 8],
  ["by fractions", { multiple: 1.5, atLeast: 1 }, { median: 3, runs: 5 }, 4],
  ["where nothing is offered as a rule", { multiple: 3, atLeast: 5 }, { median: 0, runs: 5 }, 5],
] as const)("the limit %s", (_, surge, usual, limit) => {
  expect(surgeLimit({ surge }, usual)).toBe(limit);
});

it("data that comes seldom, and then as much as this, is usual", async () => {
  const shop = await breaking("duckdb", "{multiple: 1, at_least: 5}");
  await remember(shop, [0, 0, 0, 0, 8, 0, 0, 0, 0]);
  await shop.carts(FLOOD, 30);
  expect(await shop.run(T0)).toMatchObject({ problems: [], decisions: { segments: [{ reasons: { claimed: 8 }, surge: null }] } });
});

it("a backfill is an approval", async () => {
  const shop = await breaking("duckdb");
  shop.edit("segments/cart.sql", "first_run: send\n", "");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  expect((await shop.run(T0)).decisions.segments).toMatchObject([{ reasons: { baseline: 8 }, offered: 0 }]);
  expect((await shop.run(T0 + 10 * MINUTE, { backfill: new Set(["cart"]) })).problems).toEqual([]);
  // Its steps count from the backfill, and fall due in a later run that is like any other.
  expect((await shop.run(T0 + 25 * MINUTE)).delivery).toMatchObject({ claims: 8 });
  expect(await offered(shop)).toEqual([{ offered: 0 }, { offered: 0 }, { offered: 0 }]);
});

it("a flood is no usual one because it has waited for something else meanwhile", async () => {
  const shop = await breaking("duckdb");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  write(shop.root, { "segments/audiences/guests.sql": "select user_id from carts where user_id = 'nobody'\n" });
  shop.edit("segments/cart.sql", "topic: carts", "topic: carts\nexclude: [guests]");
  write(shop.root, { "segments/audiences/guests.sql": "/*---\nmin_rows: 1\n---*/\nselect user_id from carts where user_id = 'nobody'\n" });
  await shop.pause("channel", "email", true, T0 - MINUTE);
  expect((await shop.run(T0)).decisions.segments[0]?.reasons).toEqual({ surge: 8 });
  await shop.pause("channel", "email", false, T0);
  write(shop.root, { "segments/audiences/guests.sql": "select user_id from carts where user_id = 'nobody'\n" });
  expect((await shop.run(T0 + MINUTE)).decisions.segments[0]?.reasons).toEqual({ surge: 8 });
  // Somebody's own pause says no less than the breaker.
  await shop.pause("segment", "cart", true, T0 + MINUTE);
  expect((await shop.run(T0 + 2 * MINUTE)).decisions.segments[0]?.reasons).toEqual({ paused: 8 });
});

it("a dry run says so too, and leaves the ledger as it was", async () => {
  const shop = await breaking("duckdb");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  const before = await shop.dump();
  expect(await shop.run(T0, { dryRun: true })).toMatchObject({ problems: [{ code: "run/surge" }], decisions: { segments: [{ reasons: { surge: 8 } }] } });
  expect(await shop.dump()).toEqual(before);
});

it("the command exits with 1 and says what to do; --approve takes names of segments", async () => {
  const shop = await breaking("duckdb");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  const run = (options: Partial<RunCommandOptions>): Promise<Told> =>
    told((terminal) => runCommand(terminal, { projectDir: shop.root, color: false, asOf: "2026-03-02T12:00:00Z", ...options }));
  const held = await run({});
  expect(held.code).toBe(1);
  expect(held.stdout).toMatch(/^segment +rows +surge$\n^cart +8 +8$/m);
  expect(held.stdout).toContain("Done, with errors. OK=0 ERROR=1");
  expect(held.stderr).toContain("Segment cart offers 8 candidates, more than the 6 that policy.surge allows: they wait.");
  expect(held.stderr).toContain("let them go with `opportune run --approve cart`");
  const debug = (): Promise<Told> => told((terminal) => debugCommand(terminal, { projectDir: shop.root, color: false }));
  const checked = await debug();
  expect(checked.code).toBe(1);
  expect(checked.stdout).toMatch(
    /^FAIL +segment cart +8 candidates waited as surge in its last run, as of 2026-03-02T12:00:00Z$\n^ +If that many are right, .*--approve cart/m,
  );
  await expect(run({ approve: ["crt"] })).rejects.toMatchObject({ exitCode: 2, problems: [{ message: 'There is no segment "crt".' }] });
  const approved = await run({ approve: ["cart"] });
  expect(approved).toMatchObject({ code: 0, stderr: expect.not.stringContaining("policy.surge") as string });
  expect(shop.recipients()).toHaveLength(8);
  expect(await debug()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^OK +guards +no segment's last run held anything back/m) as string });
});

it("the median is of the runs since a moment that offered anything", async () => {
  const shop = await Shop.open();
  await remember(shop, [9, 1, 0, 4, null, 7]);
  await remember(shop, [0, 0, 0], "silent");
  await shop.warehouse(async (warehouse) => {
    const usual = (since: string): Promise<unknown> => usualOffers(warehouse, "opportune", since);
    expect(await usual("2026-03-02T11:30:00Z")).toEqual(
      new Map([
        ["cart", { median: 4, runs: 5 }],
        ["silent", { median: 0, runs: 3 }],
      ]),
    );
    expect(await usual("2026-03-02T11:33:00Z")).toEqual(new Map([["cart", { median: 4, runs: 2 }]]));
    expect(await usual("2026-03-02T11:35:00Z")).toEqual(new Map([["cart", { median: 7, runs: 1 }]]));
    expect(await usual("2026-03-02T12:00:00Z")).toEqual(new Map());
  });
});
