/** The surge breaker: a segment that offers far more than usual waits for somebody's word, and nobody else does. */
import { expect, it } from "vitest";
import { surgeOf } from "../../src/arbitration/surge.js";
import { debugCommand } from "../../src/commands/debug/debug.js";
import { runCommand, type RunCommandOptions } from "../../src/commands/run.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { usualOffers } from "../../src/ledger/runs/segment-runs.js";
import { Shop } from "../support/run-shop.js";
import { breaking, FLOOD, floodStory, remember } from "../support/surge.js";
import { told, type Told } from "../support/terminal.js";

it("a flood waits, is told, and goes with approval alone; other segments go on, to the same users too", () => floodStory("postgres"));

it.each([
  ["before there was a run", { multiple: 3, atLeast: 5 }, undefined, 5],
  ["after four runs", { multiple: 3, atLeast: 5 }, { median: 2, runs: 4 }, 5],
  ["after five", { multiple: 3, atLeast: 5 }, { median: 2, runs: 5 }, 6],
  ["where the multiple is below at_least", { multiple: 3, atLeast: 8 }, { median: 2, runs: 5 }, 8],
  ["by fractions", { multiple: 1.5, atLeast: 1 }, { median: 3, runs: 5 }, 4],
  ["where nothing is offered as a rule", { multiple: 3, atLeast: 5 }, { median: 0, runs: 5 }, 5],
] as const)("the limit %s", (_, surge, usual, limit) => {
  const young = (usual?.runs ?? 0) < 5;
  expect(surgeOf(surge, usual, limit)).toBeNull();
  expect(surgeOf(surge, usual, limit + 1)).toEqual({ offered: limit + 1, limit, young });
});

it("the command exits with 1 and says what to do; --approve takes names of segments", async () => {
  const shop = await breaking("duckdb");
  await remember(shop);
  await shop.carts(FLOOD, 30);
  const run = (options: Partial<RunCommandOptions>): Promise<Told> =>
    told((terminal) => runCommand(terminal, { projectDir: shop.root, color: false, asOf: "2026-03-02T12:00:00Z", ...options }));
  const held = await run({});
  expect(held.code).toBe(1);
  expect(held.stdout).toMatch(/^segment +rows +messages +claimed +silent, because$\n^cart +8 +8 +0 +8 surge$/m);
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
    const usual = (since: string, trial = false): Promise<unknown> => usualOffers(new Ledger(warehouse, "opportune"), trial, ["cart", "silent"], { since });
    expect(await usual("2026-03-02T11:30:00Z")).toEqual(
      new Map([
        ["cart", { median: 4, runs: 5 }],
        ["silent", { median: 0, runs: 3 }],
      ]),
    );
    expect(await usual("2026-03-02T11:33:00Z")).toEqual(new Map([["cart", { median: 4, runs: 2 }]]));
    expect(await usual("2026-03-02T11:35:00Z")).toEqual(new Map([["cart", { median: 7, runs: 1 }]]));
    expect(await usual("2026-03-02T12:00:00Z")).toEqual(new Map());
    const last = (runs: number): Promise<unknown> => usualOffers(new Ledger(warehouse, "opportune"), false, ["cart"], { last: runs });
    expect(await last(1)).toEqual(new Map([["cart", { median: 7, runs: 1 }]]));
    expect(await last(3)).toEqual(new Map([["cart", { median: 4, runs: 3 }]]));
    await warehouse.execute({ sql: "update opportune.segment_runs set trial = true where segment = 'cart'", params: [] });
    expect(await usual("2026-03-02T11:35:00Z")).toEqual(new Map());
    expect(await usual("2026-03-02T11:35:00Z", true)).toEqual(new Map([["cart", { median: 7, runs: 1 }]]));
  });
});
