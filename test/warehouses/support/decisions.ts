/** The decision table on one warehouse; a file each, so that they run beside one another. */
import { afterAll, describe } from "vitest";
import { openEmpty, type WarehouseName } from "../../support/databases.js";
import { packed } from "../../support/packed.js";
import { CASES, playAll } from "../../support/play.js";
import type { DecisionCase } from "../../support/cases.js";
import { closeIdleWarehouses, createSqlDecider, type OpenEmpty } from "../../support/sql-decider.js";
import { WAREHOUSES } from "./each.js";

/** From so many cases on a pack is worth the time of its runs, each of which takes an emulator seconds. */
const WORTH_A_RUN: Readonly<Record<WarehouseName, number>> = { duckdb: 1, postgres: 1, snowflake: 4, bigquery: 8 };

/**
 * The whole table on DuckDB and Postgres, the cases that fit together on an emulator. DECISIONS=all
 * plays the rest there too, which takes a quarter of an hour.
 */
function playedOn(name: WarehouseName): DecisionCase[] {
  return packed(CASES).filter(({ of }) => process.env["DECISIONS"] === "all" || of >= WORTH_A_RUN[name]);
}

export function decideTheTable(name: WarehouseName): void {
  const tested = WAREHOUSES.find((warehouse) => warehouse.name === name);
  const open: OpenEmpty = () => openEmpty(name);
  describe.skipIf(tested?.missing ?? true)(String(tested?.title), () => {
    afterAll(closeIdleWarehouses);
    playAll(`SQL on ${String(tested?.title)}`, playedOn(name), () => createSqlDecider(open));
  });
}
