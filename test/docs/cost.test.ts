/** docs/cost.md: its question has an answer on a ledger with runs in it, and what it says of a run's statements is what runs take. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf } from "../support/docs.js";
import { DocsWorld, WAREHOUSES } from "../support/docs-world.js";

const [question] = blocksOf("docs/cost.md").filter(({ language, body }) => language === "sql" && !body.startsWith("/*---"));

describe.each(WAREHOUSES)("on %s", (on) => {
  let world: DocsWorld;
  beforeAll(async () => {
    world = await DocsWorld.open(on);
    expect((await world.run()).problems).toEqual([]);
  });
  afterAll(() => world.close());

  it("who read most: of warehouses that don't say, nobody knows", async () => {
    const rows = await world.query(question?.body ?? "");
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toMatchObject({ bytes_scanned: null, most_in_one_run: null });
  });
});
