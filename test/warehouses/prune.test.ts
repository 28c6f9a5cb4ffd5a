/** What is pruned, and what waits in a removed segment, on every warehouse: the cases that say `prune` or `remove`. */
import { afterAll } from "vitest";
import type { Warehouse } from "../../src/warehouse/types.js";
import { openEmpty } from "../support/databases.js";
import { CASES, playCase } from "../support/play.js";
import { closeIdleWarehouses, createSqlDecider } from "../support/sql-decider.js";
import { onEachWarehouse } from "./support/each.js";

const TOLD = CASES.filter((one) => one.runs.some(({ prune, remove }) => prune !== undefined || remove.length > 0));

onEachWarehouse("a ledger that is pruned, a segment that is removed", ({ name }, check) => {
  afterAll(closeIdleWarehouses);
  const open = (): Promise<Warehouse> => openEmpty(name);
  check("decides as the table says", async () => {
    for (const one of TOLD) await playCase(one, () => createSqlDecider(open));
  });
});
