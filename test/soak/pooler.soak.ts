/** What the chaos suite shows of poolers, for longer. */
import { expect, it } from "vitest";
import { pgbouncerPath } from "../support/pgbouncer.js";
import { poolerStory } from "../support/pooler-story.js";

const RUNS = 50;
const path = pgbouncerPath();

it.skipIf(path === null)(`transaction mode beside a busy neighbour, ${String(RUNS)} runs: nobody is written to twice`, async () => {
  const story = await poolerStory(path ?? "", "transaction", RUNS);
  console.log(`${String(RUNS)} runs through PgBouncer in transaction mode: ${JSON.stringify(story)}`);
  expect(story.twice).toEqual({});
  expect(story.reached).toBe(story.people);
  expect(Object.keys(story.endings).filter((ending) => !/: (?:clean|warehouse\/pooler)$/.test(ending))).toEqual([]);
});
