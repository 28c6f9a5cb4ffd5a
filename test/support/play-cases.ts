/** The decision table, case by case, on one thing that decides. */
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareRows, createCaseWorlds, readCases, type DecisionCase } from "./cases.js";
import type { Decider } from "./world.js";

/** Enough for a case on a busy machine with slow disks. */
const TIMEOUT_MS = 60_000;

export const cases: readonly DecisionCase[] = readCases(path.join(import.meta.dirname, "../decisions"));

/** A test for each case; `create` gives a decider with an empty ledger. */
export function describeCases(name: string, create: () => Decider | Promise<Decider>): void {
  const worlds = createCaseWorlds();
  afterAll(() => {
    worlds.dispose();
  });
  describe(`decisions by ${name}`, () => {
    for (const one of cases) {
      it(`${one.file}: ${one.name}`, () => play(one), TIMEOUT_MS);
    }
  });

  async function play(one: DecisionCase): Promise<void> {
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
}
