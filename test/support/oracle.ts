/** Random stories decided twice, by the SQL that decides for real and by the plain model of docs/decisions.md. */
import { expect } from "vitest";
import { REASONS } from "../../src/arbitration/reasons.js";
import { createModel } from "../model/model.js";
import { compareStory } from "./compare.js";
import { explain } from "./explain.js";
import { createSqlDecider, type OpenEmpty } from "./sql-decider.js";
import { drawStory } from "./stories.js";

/** One story alone, by its number. */
const ONLY = process.env["ORACLE_SEED"];

/** Compares stories until `wanted` candidates are decided; fails with the smallest story found in which the two differ. */
export async function askOracle(wanted: number, open: OpenEmpty): Promise<void> {
  // The rarest reasons come about once in 250 candidates; a tenth of that still shows that none has died out.
  const eachReasonAtLeast = Math.max(1, Math.floor(wanted / 2_500));
  const counts = new Map<string, number>(REASONS.map(({ name }) => [name, 0]));
  let candidates = 0;
  const seeds = ONLY === undefined ? endless() : [Number(ONLY)];
  for (const seed of seeds) {
    const { runs } = drawStory(seed);
    const result = await compareStory(runs, createModel(), await createSqlDecider(open));
    if (result.difference !== null || result.broken.length > 0) {
      expect.fail(await explain(seed, runs, result, () => [createModel(), createSqlDecider(open)]));
    }
    for (const { reason } of result.rows) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    candidates += result.candidates;
    if (candidates >= wanted) break;
  }
  console.info([`${candidates} candidates`, ...[...counts].map(([reason, count]) => `${reason} ${count}`)].join("\n"));
  if (ONLY !== undefined) return;
  expect(candidates).toBeGreaterThanOrEqual(wanted);
  const tooRare = [...counts].filter(([, count]) => count < eachReasonAtLeast);
  expect(tooRare, `reasons met fewer than ${eachReasonAtLeast} times`).toEqual([]);
}

function* endless(): Generator<number> {
  for (let seed = 1; ; seed += 1) yield seed;
}
