/** One random population through several runs: decided as the model decides, and the ledgers the same, row for row, on all warehouses. */
import { beforeAll, describe, expect, it } from "vitest";
import { createModel } from "../model/model.js";
import { isoText } from "../../src/warehouse/sql.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { differenceIn, type Difference } from "../support/compare.js";
import { openEmpty, type WarehouseName } from "../support/databases.js";
import { createSqlDecider } from "../support/sql-decider.js";
import { drawStory } from "../support/stories.js";
import type { DecidedRow } from "../support/world.js";
import { WAREHOUSES } from "./support/each.js";

/** A population that meets 20 of the 23 reasons within its first runs, in six segments. */
const SEED = 17;
const USERS = 150;
const RUNS = 6;
/** Rows of the model's for these runs. */
const AT_LEAST = 1_500;
/** What no two ledgers have in common: the wall's clock. */
const OWN = ["recorded_at"];

interface Played {
  difference: Difference | null;
  ledger: readonly Row[];
}

const present = WAREHOUSES.filter(({ missing }) => !missing);
const played = new Map<WarehouseName, Played>();
const model: DecidedRow[][] = [];

beforeAll(async () => {
  const decider = createModel();
  for (const run of runs()) model.push(await decider.run(run));
  await Promise.all(present.map(async ({ name }) => played.set(name, await play(name))));
});

describe("the population", () => {
  it("is large, and meets nearly every reason", () => {
    const rows = model.flat();
    expect(rows.length).toBeGreaterThan(AT_LEAST);
    expect(new Set(rows.map(({ reason }) => reason)).size).toBe(20);
  });
});

describe.each(present)("on $title", ({ name }) => {
  it("is decided as the model decides", () => expect(played.get(name)?.difference).toBeNull());

  it("leaves the ledger that every other warehouse has, row for row and column for column", () => {
    const [ledger, first] = [played.get(name)?.ledger ?? [], played.get("duckdb")?.ledger ?? []];
    expect(first.length).toBeGreaterThan(AT_LEAST);
    const differs = ledger.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(first[i]));
    expect(ledger[differs], `row ${String(differs)}`).toEqual(first[differs]);
    expect(ledger.length).toBe(first.length);
  });
});

/** The same each time: a story's runs hold functions. */
function runs(): ReturnType<typeof drawStory>["runs"] {
  return drawStory(SEED, USERS).runs.slice(0, RUNS);
}

async function play(name: WarehouseName): Promise<Played> {
  const warehouse = await openEmpty(name);
  const decider = await createSqlDecider(() => Promise.resolve(warehouse));
  try {
    let difference: Difference | null = null;
    for (const [index, run] of runs().entries()) difference ??= differenceIn(index, model[index] ?? [], await decider.run(run));
    return { difference, ledger: await readLedger(warehouse) };
  } finally {
    await warehouse.close();
  }
}

/** Every row, with JSON read and times in UTC, in an order that hangs on their content alone. */
async function readLedger(warehouse: Warehouse): Promise<Row[]> {
  const table = "opportune.sent_ledger";
  const columns = await warehouse.describe({ sql: `select * from ${table}`, params: [] });
  const kept = columns.filter(({ name }) => !OWN.includes(name));
  const selected = kept.map(({ name, kind }) => (kind === "timestamp" ? `${isoText(name, warehouse.dialect)} as ${name}` : name));
  const rows = await warehouse.query({ sql: `select ${selected.join(", ")} from ${table}`, params: [] });
  return rows
    .map((row) => Object.fromEntries(kept.map(({ name }) => [name, name === "detail" ? sortedJson(row[name]) : (row[name] ?? null)])))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** JSON with its keys in order: warehouses write them as they like. */
function sortedJson(text: Row[string] | undefined): string | null {
  if (typeof text !== "string") return null;
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
}
