/** The decision table: every case by the model, and by SQL on DuckDB the pairs of rules; on Postgres in decisions-postgres.test.ts. */
import { describe, expect, it } from "vitest";
import { createModel } from "../model/model.js";
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
    const reasons = [
      ...["settled baseline", "denied invalid", "waiting audience_failed", "denied converted", "settled converted"],
      ...["denied excluded", "denied no_consent", "denied suppressed", "denied opted_out", "settled expired"],
      ...["settled superseded", "settled repeat_gap", "waiting paused", "waiting stale_data", "waiting step_gap"],
      ...["waiting quiet_hours", "waiting cap", "waiting spacing", "waiting outranked", "waiting run_limit"],
      ...["held_out", "claimed", "left", "backfilled"],
    ];
    expect(reasons.filter((reason) => !expected.some((line) => new RegExp(` ${reason}( |$)`).test(line)))).toEqual([]);
  });

  it("meets every pair of neighbouring rules in one case", () => {
    const pairs = Array.from({ length: 19 }, (_, index) => `${String(index + 1)}-${String(index + 2)}`);
    const tagged = cases.flatMap(({ pair }) => (pair === undefined ? [] : [pair]));
    expect([...tagged].sort()).toEqual([...pairs].sort());
  });
});
