/** The decision table: every case by the model, and by SQL on DuckDB the pairs of rules; on Postgres in decisions-postgres.test.ts. */
import { describe, expect, it } from "vitest";
import { REASONS } from "../../src/arbitration/reasons.js";
import { createModel } from "../model/model.js";
import { rulesOfDecisions } from "../support/docs.js";
import { CASES as cases, PAIRS, playAll } from "../support/play.js";
import { createSqlDecider } from "../support/sql-decider.js";

playAll("the model", cases, createModel);
playAll("SQL on DuckDB", PAIRS, () => createSqlDecider());

describe("the table", () => {
  const expected = cases.flatMap((one) => one.runs.flatMap((run) => run.expect));

  it("is as large as it must be, and names no case twice", () => {
    expect(cases.length).toBeGreaterThanOrEqual(80);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it("shows every reason", () => {
    const reasons = REASONS.flatMap(({ name, event, ending }) =>
      [event, ...(ending === null ? [] : [ending])].map((of) => (of === name ? of : `${of} ${name}`)),
    );
    expect(reasons.filter((reason) => !expected.some((line) => new RegExp(` ${reason}( |$)`).test(line)))).toEqual([]);
  });

  it("meets every pair of neighbouring rules in one case", () => {
    const rules = rulesOfDecisions();
    expect(rules.length).toBeGreaterThan(19);
    const pairs = rules.slice(1).map((_, index) => `${String(index + 1)}-${String(index + 2)}`);
    const tagged = cases.flatMap(({ pair }) => (pair === undefined ? [] : [pair]));
    expect([...tagged].sort()).toEqual([...pairs].sort());
  });
});
