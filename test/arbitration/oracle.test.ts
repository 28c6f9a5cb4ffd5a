/**
 * The oracle on DuckDB; on Postgres in oracle-postgres.long.test.ts.
 * ORACLE_CANDIDATES sets how many candidates to compare at least (default 10,000, as in `npm run test:soak`; `npm test` takes 5,000); ORACLE_SEED repeats one story.
 */
import { expect, test } from "vitest";
import { createModel } from "../model/model.js";
import { Invariants } from "../support/invariants.js";
import { askOracle } from "../support/oracle.js";
import { openDuckDbInMemory } from "../support/sql-decider.js";
import { drawStory } from "../support/stories.js";

const WANTED = Number(process.env["ORACLE_CANDIDATES"] ?? 10_000);

test("the SQL decides random stories row for row as the model does, breaks no promise, and meets every reason often", { timeout: 1_800_000 }, () =>
  askOracle(WANTED, openDuckDbInMemory),
);

test("the promises notice a message that is claimed twice", async () => {
  const invariants = new Invariants();
  const model = createModel();
  for (const run of drawStory(1).runs) {
    const rows = await model.run(run);
    invariants.after(run, rows);
    expect(invariants.broken).toEqual([]);
    const claims = rows.filter((row) => row.event === "claimed" && run.outcome?.(row) === "accepted");
    if (claims.length === 0) continue;
    invariants.after(run, claims);
    break;
  }
  expect(invariants.broken.join("\n")).toContain("claimed twice");
});
