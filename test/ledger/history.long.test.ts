/** What earlier runs say, and which alerts stand, on both warehouses alike. */
import { afterEach, expect, it } from "vitest";
import { readAlertState, writeAlertState } from "../../src/ledger/alert-state.js";
import { runHistory } from "../../src/ledger/runs/history.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { returnedRows } from "../../src/ledger/runs/segment-runs.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { openNewDatabase } from "../support/postgres.js";

const NOON = Date.parse("2026-03-02T12:00:00Z");
const HOUR = 3_600_000;

let warehouse: Warehouse;
afterEach(() => warehouse.close());

const open: Record<string, () => Promise<Warehouse>> = {
  duckdb: () => openDuckDb({ type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: "." }),
  postgres: openNewDatabase,
};

it.each(Object.keys(open))("on %s", async (name) => {
  warehouse = (await open[name]?.()) as Warehouse;
  await expect(runHistory(new Ledger(warehouse, "opportune"), false)).rejects.toMatchObject({
    problems: [{ code: expect.stringMatching(/^ledger\//) as string }],
  });
  await installLedger(new Ledger(warehouse, "opportune"));
  const execute = (sql: string): Promise<number> => warehouse.execute({ sql, params: [] });
  const run = (hour: number, status: string, released: number): Promise<number> =>
    execute(
      `insert into opportune.runs (run_id, as_of, started_at, finished_at, status, fence, released) values ('r${hour}', '2026-03-02 ${hour}:00:00+00', '2026-03-02 ${hour}:00:00+00', '2026-03-02 ${hour}:00:01.5+00', '${status}', ${hour}, ${released})`,
    );
  const asked = (hour: number, segment: string, succeeded: number, returned: number | null, decisions: string): Promise<number> =>
    execute(
      `insert into opportune.segment_runs (run_id, as_of, segment, segment_version, shape, steps, succeeded, returned, decisions) values ('r${hour}', '2026-03-02 ${hour}:00:00+00', '${segment}', '', '', '[]', ${succeeded}, ${returned ?? "null"}, '${decisions}')`,
    );
  await run(10, "success", 0);
  await run(11, "error", 0);
  await run(12, "success", 2);
  await run(13, "error", 0);
  await asked(10, "done", 1, 5, '{"claimed": 5}');
  await asked(10, "failed", 1, 5, "{}");
  await asked(11, "failed", 0, null, "{}");
  await asked(10, "full", 1, 5, "{}");
  await asked(11, "full", 1, 0, '{"run_limit": 1}');
  await asked(11, "held", 1, 0, '{"audience_failed": 3}');
  await asked(12, "released", 1, 3, '{"claimed": 3}');
  expect(await runHistory(new Ledger(warehouse, "opportune"), false)).toEqual({
    lastAsOf: NOON + HOUR,
    askedAt: new Map([["done", NOON - 2 * HOUR]]),
    lastSuccess: NOON + 1500,
    // The run at one had not got as far.
    lastDecided: NOON + 1500,
  });
  expect(await returnedRows(new Ledger(warehouse, "opportune", () => NOON + HOUR), false, 2 * HOUR)).toEqual({
    last: new Set(["done", "failed", "released"]),
    recently: true,
  });
  expect((await returnedRows(new Ledger(warehouse, "opportune", () => NOON + 2 * HOUR), false, 2 * HOUR)).recently).toBe(false);

  // Trials know both kinds, live runs nothing of trials.
  await run(14, "success", 0);
  await asked(14, "tried", 1, 5, "{}");
  for (const table of ["runs", "segment_runs"]) await execute(`update opportune.${table} set trial = true where run_id = 'r14'`);
  expect(await runHistory(new Ledger(warehouse, "opportune"), false)).toMatchObject({
    lastAsOf: NOON + HOUR,
    lastSuccess: NOON + 1500,
    lastDecided: NOON + 1500,
  });
  const tried = await runHistory(new Ledger(warehouse, "opportune"), true);
  expect(tried).toMatchObject({ lastAsOf: NOON + 2 * HOUR, lastSuccess: NOON + 2 * HOUR + 1500, lastDecided: NOON + 2 * HOUR + 1500 });
  expect([...tried.askedAt.keys()].sort()).toEqual(["done", "tried"]);
  // A trial's word on a segment that live runs asked: its run is live, its row is not.
  await asked(13, "forgotten", 1, null, "{}");
  await execute("update opportune.segment_runs set trial = true where segment = 'forgotten'");
  expect((await runHistory(new Ledger(warehouse, "opportune"), false)).askedAt.has("forgotten")).toBe(false);
  expect((await returnedRows(new Ledger(warehouse, "opportune", () => NOON + 2 * HOUR), false, 2 * HOUR)).last).toEqual(
    new Set(["done", "failed", "released"]),
  );
  expect((await returnedRows(new Ledger(warehouse, "opportune", () => NOON + 2 * HOUR), true, HOUR)).recently).toBe(true);
  expect((await returnedRows(new Ledger(warehouse, "opportune", () => NOON + 2 * HOUR), false, HOUR)).recently).toBe(false);

  expect(await readAlertState(new Ledger(warehouse, "opportune"), false)).toEqual({});
  const state = { "failed segment/query segment cart": "2026-03-02T12:00:00Z" };
  await writeAlertState(new Ledger(warehouse, "opportune"), false, state);
  expect(await readAlertState(new Ledger(warehouse, "opportune"), false)).toEqual(state);
  expect(await readAlertState(new Ledger(warehouse, "opportune"), true)).toEqual({});
  await writeAlertState(new Ledger(warehouse, "opportune"), false, {});
  expect(await readAlertState(new Ledger(warehouse, "opportune"), false)).toEqual({});
});
