/** How many statements a run takes: at most one an audience, one a segment, one a batch, and eight. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BATCHES } from "../../src/core/marks.js";
import type { RunOptions, RunResult } from "../../src/run/types.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { write } from "../commands/support.js";
import { around } from "../support/around.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

const BATCH = 10;
const BASE = 8;

const SEGMENT = (body: string): string => `/*---
status: live
first_run: send
${body}
---*/
select user_id, email, occurred_at, name, total from {{source "carts"}}
`;

const AUDIENCES = {
  "segments/audiences/ordered.sql": "select user_id, occurred_at from {{source \"carts\"}} where user_id = 'nobody'\n",
  "segments/audiences/staff.sql": "select user_id from {{source \"carts\"}} where user_id = 'u3'\n",
};

/**
 * A run in batches of ten, and what it may take at most, on a warehouse that charges for statements: others mark in smaller steps.
 * Its clock stands still: no outcome is written for its age.
 */
async function counted(shop: Shop, at: number, options: Partial<RunOptions> = {}): Promise<{ result: RunResult; most: number; counted: number }> {
  // The token bucket's clock stands still as well.
  const fast = readFileSync(join(shop.root, "opportune.yml"), "utf8").replace("in_flight: 1}", "in_flight: 8, rate: 1000000}");
  write(shop.root, { "opportune.yml": fast });
  let before = 0;
  let after: Warehouse | undefined;
  const result = await shop.run(at, options, (warehouse) => {
    before = warehouse.usage.statements;
    after = around(warehouse, {
      dialect: { ...warehouse.dialect, marks: BATCHES },
      stream: (statement, size) => warehouse.stream(statement, Math.min(size, BATCH)),
    });
    return after;
  });
  const batches = Math.ceil((result.delivery?.claims ?? 0) / BATCH);
  const asked = result.decisions.audiences.length + result.decisions.segments.length;
  return { result, most: asked + BASE + batches, counted: (after?.usage.statements ?? 0) - before };
}

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  const users = (n: number): string[] => Array.from({ length: n }, (_, i) => `u${String(i + 1)}`);

  it("no candidate: eight and the segment at most, and no claims are read", async () => {
    const shop = await Shop.open({ on });
    const { result, most, counted: statements } = await counted(shop, T0);
    expect(result.usage).toEqual({ statements, bytes: null });
    expect(statements).toBeLessThanOrEqual(most - 2);
    expect(result.delivery).toMatchObject({ claims: 0 });
  });

  it("many batches: one more each", async () => {
    const shop = await Shop.sending(users(35), { on });
    const { result, most, counted: statements } = await counted(shop, T0);
    expect(result.delivery).toMatchObject({ claims: 35, counts: { accepted: 35 } });
    expect(result.usage.statements).toBe(statements);
    expect(statements).toBeLessThanOrEqual(most);
    expect(most).toBeGreaterThanOrEqual(1 + BASE + 4);
  });

  it("audiences, journeys, and the runs after the first: a live target too", async () => {
    const shop = await Shop.sending(users(12), { on });
    shop.edit("opportune.yml", "live: false", "live: true");
    write(shop.root, {
      ...AUDIENCES,
      "segments/later.sql": SEGMENT(
        "goal: ordered\nexclude: [staff]\nsteps:\n  - {name: first, after: 10 minutes, channel: email, template: cart}\n  - {name: second, after: 40 minutes, channel: email, template: cart}",
      ),
      "segments/other.sql": SEGMENT("priority: 10\nexclude: [staff]\nchannel: email\ntemplate: cart"),
    });
    const first = await counted(shop, T0);
    const second = await counted(shop, T0 + 30 * MINUTE);
    expect(first.result.decisions.audiences.map(({ audience }) => audience)).toEqual(["ordered", "staff"]);
    expect(first.result.decisions.segments).toHaveLength(3);
    expect((first.result.delivery?.claims ?? 0) + (second.result.delivery?.claims ?? 0)).toBeGreaterThan(12);
    for (const { most, counted: statements } of [first, second]) expect(statements).toBeLessThanOrEqual(most);
  });

  it("a dry run takes no lease and appends nothing: fewer still", async () => {
    const shop = await Shop.sending(users(3), { on });
    const { result, counted: statements } = await counted(shop, T0, { dryRun: true });
    expect(result.decisions.changed).toBe(3);
    expect(statements).toBeLessThanOrEqual(1 + 7);
  });
});
