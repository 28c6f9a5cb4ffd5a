/** Plays cases of the decision table on something that decides. */
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareRows, createCaseWorlds, readCases, type DecisionCase } from "./cases.js";
import type { Decider } from "./world.js";

/** The whole table, file by file. */
export const CASES: readonly DecisionCase[] = readCases(path.join(import.meta.dirname, "../decisions"));

/** Cases of each file that every test run plays on every decider; the rest are variations on them. */
const FIRST_OF_EACH_FILE = 1;

/** The cases in which two neighbouring rules meet: what `npm test` plays on DuckDB, beside the oracle. */
export const PAIRS: readonly DecisionCase[] = CASES.filter(({ pair }) => pair !== undefined);

/**
 * The first of each file and all pairs of rules: what `npm test` plays on Postgres. Every case is
 * played in `npm run test:long` on DuckDB, and in `npm run test:soak` on Postgres.
 */
export const CORE_CASES: readonly DecisionCase[] = CASES.filter(
  (one) => PAIRS.includes(one) || CASES.filter(({ file }) => file === one.file).indexOf(one) < FIRST_OF_EACH_FILE,
);

/** A test for each case. */
export function playAll(name: string, cases: readonly DecisionCase[], create: () => Decider | Promise<Decider>): void {
  const worlds = createCaseWorlds();
  afterAll(() => {
    worlds.dispose();
  });
  describe(`decisions by ${name}`, () => {
    for (const one of cases) it(`${one.file}: ${one.name}`, () => play(one, worlds, create));
  });
}

/** One case by itself. */
export async function playCase(one: DecisionCase, create: () => Decider | Promise<Decider>): Promise<void> {
  const worlds = createCaseWorlds();
  try {
    await play(one, worlds, create);
  } finally {
    worlds.dispose();
  }
}

async function play(one: DecisionCase, worlds: ReturnType<typeof createCaseWorlds>, create: () => Decider | Promise<Decider>): Promise<void> {
  const decider = await create();
  try {
    for (const { run, expected } of worlds.stepsOf(one)) {
      const { got, want } = compareRows(await decider.run(run), expected);
      expect(got, `${one.name}: the run at ${run.asOf}`).toEqual(want);
    }
  } finally {
    await decider.close();
  }
}
