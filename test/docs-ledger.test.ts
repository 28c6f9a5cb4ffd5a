/** docs/ledger.md names every table, view and column of test/ledger/schema.sql, and its queries work on a ledger with a run in it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyShipped, createSample } from "../src/commands/sample.js";
import { loadProject } from "../src/project/load.js";
import { run } from "../src/run.js";
import { openWarehouse } from "../src/warehouse/open.js";
import type { Warehouse } from "../src/warehouse/types.js";

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

describe("the queries", () => {
  const NOON = "2026-03-02T12:00:00Z";
  const root = mkdtempSync(join(tmpdir(), "opportune-ledger-"));
  let warehouse: Warehouse;

  beforeAll(async () => {
    copyShipped(root);
    const project = loadProject(root, { env: {} });
    await createSample(project, NOON);
    warehouse = await openWarehouse(project.target.connection, { root });
    const nothing = (): undefined => undefined;
    const callbacks = { onStep: nothing, onStatement: nothing, onProgress: nothing, onDecided: nothing };
    const { problems } = await run(project, warehouse, {
      ...callbacks,
      segments: [...project.segments.values()],
      backfill: new Set(),
      approved: new Set(),
      dryRun: false,
      asOf: null,
      now: () => Date.parse(NOON),
    });
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    await warehouse.close();
    rmSync(root, { recursive: true, force: true });
  });

  const queries = [...document.matchAll(/^([^\n]*)\n\n```sql\n(.*?)^```$/gms)].map(([, question = "", sql = ""]) => ({ question, sql }));

  it("are five", () => {
    expect(queries).toHaveLength(5);
  });

  it.each(queries)("$question", async ({ sql }) => {
    expect(await warehouse.query({ sql, params: [] })).not.toEqual([]);
  });
});
