/** The decision table on one warehouse; a file each, so that they run beside one another. */
import { afterAll, describe } from "vitest";
import { openEmpty, type WarehouseName } from "../../support/databases.js";
import { packed } from "../../support/packed.js";
import { CASES, playAll } from "../../support/play.js";
import type { DecisionCase } from "../../support/cases.js";
import { closeIdleWarehouses, createSqlDecider, type OpenEmpty } from "../../support/sql-decider.js";
import { WAREHOUSES } from "./each.js";

/** From so many on a pack is worth the seconds that each of its runs takes on an emulator: 85 of the 316 cases in 20 runs, 51 on BigQuery's. */
const WORTH_A_RUN = 4;
const WORTH_A_RUN_ON_BIGQUERY = 11;

/** The cases that fit together; DECISIONS=all plays the rest too, which takes a quarter of an hour on an emulator. */
function playedOn(name: WarehouseName): DecisionCase[] {
  const least = name === "bigquery" ? WORTH_A_RUN_ON_BIGQUERY : WORTH_A_RUN;
  return packed(CASES).filter(({ of }) => process.env["DECISIONS"] === "all" || of >= least);
}

export function decideTheTable(name: WarehouseName): void {
  const tested = WAREHOUSES.find((warehouse) => warehouse.name === name);
  const open: OpenEmpty = () => openEmpty(name);
  describe.skipIf(tested?.missing ?? true)(String(tested?.title), () => {
    afterAll(closeIdleWarehouses);
    playAll(`SQL on ${String(tested?.title)}`, playedOn(name), () => createSqlDecider(open));
  });
}
