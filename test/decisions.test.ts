/** The decision table, case by case, on everything that decides. */
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createModel } from "./model/model.js";
import { compareRows, createCaseWorlds, readCases, type DecisionCase } from "./support/cases.js";
import { createSqlDecider } from "./support/sql-decider.js";
import type { Decider } from "./support/world.js";

const cases = readCases(path.join(import.meta.dirname, "decisions"));
const worlds = createCaseWorlds();

afterAll(() => {
  worlds.dispose();
});

/** Enough for a case on a busy machine with slow disks. */
const TIMEOUT_MS = 60_000;

const DECIDERS: readonly { name: string; create: () => Decider | Promise<Decider> }[] = [
  { name: "the model", create: createModel },
  { name: "SQL on DuckDB", create: createSqlDecider },
];

async function play(one: DecisionCase, create: () => Decider | Promise<Decider>): Promise<void> {
  const steps = worlds.stepsOf(one);
  const decider = await create();
  try {
    for (const { run, expected } of steps) {
      const { got, want } = compareRows(await decider.run(run), expected);
      expect(got, `the run at ${run.asOf}`).toEqual(want);
    }
  } finally {
    await decider.close();
  }
}

for (const { name, create } of DECIDERS) {
  describe(`decisions by ${name}`, () => {
    for (const one of cases) {
      it(`${one.file}: ${one.name}`, () => play(one, create), TIMEOUT_MS);
    }
  });
}

describe("the table", () => {
  const expected = cases.flatMap((one) => one.runs.flatMap((run) => run.expect));

  it("is as large as it must be, and names no case twice", () => {
    expect(cases.length).toBeGreaterThanOrEqual(80);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it("shows every reason", () => {
    const reasons = [
      ...["settled baseline", "denied invalid", "waiting audience_failed", "denied converted", "settled converted"],
      ...["denied excluded", "denied no_consent", "denied suppressed", "denied opted_out", "settled expired"],
      ...["settled superseded", "settled repeat_gap", "waiting paused", "waiting stale_data", "waiting step_gap"],
      ...["waiting quiet_hours", "waiting cap", "waiting spacing", "waiting outranked", "waiting run_limit"],
      ...["held_out", "claimed", "left", "backfilled"],
    ];
    expect(reasons.filter((reason) => !expected.some((line) => new RegExp(` ${reason}( |$)`).test(line)))).toEqual([]);
  });

  it("meets every pair of neighbouring rules in one case", () => {
    const pairs = Array.from({ length: 19 }, (_, index) => `${String(index + 1)}-${String(index + 2)}`);
    const tagged = cases.flatMap(({ pair }) => (pair === undefined ? [] : [pair]));
    expect([...tagged].sort()).toEqual([...pairs].sort());
  });
});
