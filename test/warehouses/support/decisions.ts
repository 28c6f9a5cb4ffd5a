/** The decision table on one warehouse; a file each, so that they run beside one another. */
import { afterAll, describe } from "vitest";
import { openEmpty, type WarehouseName } from "../../support/databases.js";
import { packed } from "../../support/packed.js";
import { CORE_CASES, playAll } from "../../support/play.js";
import { closeIdleWarehouses, createSqlDecider, type OpenEmpty } from "../../support/sql-decider.js";
import { WAREHOUSES } from "./each.js";

/** Each rule's first case and all cases in which two rules meet. */
export function decideTheTable(name: WarehouseName): void {
  const tested = WAREHOUSES.find((warehouse) => warehouse.name === name);
  const open: OpenEmpty = () => openEmpty(name);
  describe.skipIf(tested?.missing ?? true)(String(tested?.title), () => {
    afterAll(closeIdleWarehouses);
    playAll(`SQL on ${String(tested?.title)}`, packed(CORE_CASES), () => createSqlDecider(open));
  });
}
