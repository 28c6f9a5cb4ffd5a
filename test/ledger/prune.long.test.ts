/** Random stories that come again 400 days later decide the same, row for row, whether what is old was pruned meanwhile or not. */
import { expect, it } from "vitest";
import { createModel } from "../model/model.js";
import { differenceIn } from "../support/compare.js";
import { createSqlDecider } from "../support/sql-decider.js";
import { drawStory } from "../support/stories.js";
import type { WorldRun } from "../support/world.js";

const DAY = 86_400_000;
const LATER = 400 * DAY;
const STORIES = 3;
/** Runs of each story. */
const MOST = 7;

it("nobody hears again, and everybody is told the same, after a prune of all that may be", { timeout: 900_000 }, async () => {
  let pruned = 0;
  for (let seed = 1; seed <= STORIES; seed += 1) {
    // Live runs alone: what a trial left waiting is looked for from the last run of either kind on, which a jump of 400 days leaves out.
    const first = drawStory(seed)
      .runs.slice(0, MOST)
      .map(({ trial: _, ...run }): WorldRun => run);
    const runs = [...first, ...first.map(later)];
    const [model, decider] = [createModel(), await createSqlDecider()];
    const projects = first.map(({ project }) => project);
    for (const [index, run] of runs.entries()) {
      let prune: string | undefined;
      const told = (before: string): void => void (prune = before);
      const actual = await decider.run(index < MOST ? run : { ...run, pruneAll: { projects, told } });
      const expected = await model.run(prune === undefined ? run : { ...run, prune });
      if (Date.parse(prune ?? "") > Date.parse(first[0]?.asOf ?? "")) pruned += 1;
      expect(differenceIn(index, expected, actual), `story ${String(seed)}, run ${String(index)}`).toBeNull();
    }
    await decider.close();
    await model.close();
  }
  expect(pruned, "runs before which something was old enough").toBeGreaterThan(STORIES);
});

/** The same run, with all its times 400 days later. */
function later({ project, outcome, ...run }: WorldRun): WorldRun {
  const moved = JSON.stringify(run).replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (time) =>
    new Date(Date.parse(time) + LATER).toISOString().replace(".000Z", "Z"),
  );
  return { ...(JSON.parse(moved) as Omit<WorldRun, "project" | "outcome">), project, ...(outcome === undefined ? {} : { outcome }) };
}
