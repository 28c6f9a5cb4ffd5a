/** Which alerts have been given and are not over: kept in the ledger, so that no restart gives them again. */
import type { Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement } from "./tables.js";

/** What an alert is about → since when, ISO 8601 UTC. */
export type AlertState = Readonly<Record<string, string>>;

const NAME = "alerts";

export async function readAlertState(warehouse: Warehouse, schema: string): Promise<AlertState> {
  const rows = await warehouse.query(statement(ledgerQueries(warehouse.dialect, schema).selectFrom("meta").select("content").where("name", "=", NAME)));
  return JSON.parse(String(rows[0]?.["content"] ?? "{}")) as AlertState;
}

/** The state's one row; of two processes that write it at once the later one's stays. */
export async function writeAlertState(warehouse: Warehouse, schema: string, state: AlertState): Promise<void> {
  const queries = ledgerQueries(warehouse.dialect, schema);
  const content = JSON.stringify(state);
  await warehouse.transaction(async () => {
    const changed = await warehouse.execute(statement(queries.updateTable("meta").set({ content }).where("name", "=", NAME)));
    if (changed === 0) await warehouse.execute(statement(queries.insertInto("meta").values({ name: NAME, content })));
  });
}
