/** docs/ledger.md names every table, view and column of test/ledger/schema.sql, and its questions have answers on a ledger with a run in it. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf } from "../support/docs.js";
import { DocsWorld, WAREHOUSES } from "../support/docs-world.js";

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");
const document = read("../../docs/ledger.md");
const relations = [...read("../ledger/schema.sql").matchAll(/^create (?:table|view) (\w+) \(\n(.*?)\n\);/gms)].map(([, name = "", columns = ""]) => ({
  name,
  columns: [...columns.matchAll(/^ {2}(\w+) /gm)].map(([, column = ""]) => column),
}));

/** The text under the heading that names a table or view. */
function section(name: string): string {
  return document.split(/^#+ /m).find((part) => (part.split("\n", 1)[0] ?? "").split(", ").includes(name)) ?? "";
}

it.each(relations)("$name is documented with every column", ({ name, columns }) => {
  expect(columns.length).toBeGreaterThan(1);
  const known = [...section(name).matchAll(/`(\w+)`/g)].map(([, word]) => word);
  expect(columns.filter((column) => !known.includes(column))).toEqual([]);
});

const questions = blocksOf("docs/ledger.md").filter(({ language }) => language === "sql");

it("the questions are eleven", () => {
  expect(questions).toHaveLength(11);
});

describe.each(WAREHOUSES)("the questions on %s", (on) => {
  let world: DocsWorld;
  beforeAll(async () => {
    world = await DocsWorld.open(on);
    // Live, so that there is a lag; ids that are no text, as most databases have them.
    const project = { ...world.project, target: { ...world.project.target, live: true } };
    for (const table of ["users", "planners", "tickets", "consents"]) await withIntegerIds(world, table);
    for (let runs = 0; runs < 2; runs++) expect((await world.run(world.warehouse, { project })).problems).toEqual([]);
  });
  afterAll(() => world.close());

  it.each(questions)("$before", async ({ body }) => {
    expect(await world.query(body.replaceAll("'u4'", "'4'"))).not.toEqual([]);
  });

  it("knows where each message stands by its last event", async () => {
    const last = await world.query(
      "select message_id, event, reason, rule from opportune.sent_ledger l where seq = (select max(seq) from opportune.sent_ledger m where m.message_id = l.message_id) order by message_id",
    );
    expect(last.length).toBeGreaterThan(3);
    expect(await world.query("select message_id, status as event, reason, rule from opportune.current_state order by message_id")).toEqual(last);
  });
});

/** `u4` becomes the number 4. */
async function withIntegerIds(world: DocsWorld, table: string): Promise<void> {
  await world.warehouse.execute({ sql: `alter table ${table} alter user_id type integer using cast(substr(user_id, 2) as integer)`, params: [] });
}
