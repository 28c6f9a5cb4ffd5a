/** docs/ledger.md names every table, view and column of test/ledger/schema.sql, and its questions have answers on a ledger with a run in it. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf } from "./support/docs.js";
import { DocsWorld, WAREHOUSES } from "./support/docs-world.js";

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");
const document = read("../docs/ledger.md");
const relations = [...read("./ledger/schema.sql").matchAll(/^create (?:table|view) (\w+) \(\n(.*?)\n\);/gms)].map(([, name = "", columns = ""]) => ({
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
    for (let runs = 0; runs < 2; runs++) expect((await world.run()).problems).toEqual([]);
  });
  afterAll(() => world.close());

  it.each(questions)("$before", async ({ body }) => {
    expect(await world.query(body)).not.toEqual([]);
  });
});
