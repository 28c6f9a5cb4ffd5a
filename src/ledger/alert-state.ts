/** Which alerts have been given and are not over: kept in the ledger, so that no restart gives them again. */
import { Binder, ledgerTable } from "../warehouse/sql.js";
import type { Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement } from "./tables.js";

/** What an alert is about → since when, ISO 8601 UTC. */
export type AlertState = Readonly<Record<string, string>>;

/** Trials have alerts of their own, which neither begin nor end those of live runs. */
function nameOf(trial: boolean): string {
  return trial ? "alerts_of_trials" : "alerts";
}

export async function readAlertState(warehouse: Warehouse, schema: string, trial: boolean): Promise<AlertState> {
  const rows = await warehouse.query(
    statement(ledgerQueries(warehouse.dialect, schema).selectFrom("meta").select("content").where("name", "=", nameOf(trial))),
  );
  return JSON.parse(String(rows[0]?.["content"] ?? "{}")) as AlertState;
}

/** The state's one row; of two processes that write it at once the later one's stays. */
export async function writeAlertState(warehouse: Warehouse, schema: string, trial: boolean, state: AlertState): Promise<void> {
  const name = nameOf(trial);
  const queries = ledgerQueries(warehouse.dialect, schema);
  const content = JSON.stringify(state);
  const { dialect } = warehouse;
  const binder = new Binder(dialect);
  const [meta, leases] = [ledgerTable(dialect, schema, "meta"), ledgerTable(dialect, schema, "leases")];
  const update = queries.updateTable("meta").set({ content }).where("name", "=", name);
  // Where there is no row yet the update changes none; of leases there is always one of that name.
  const insert = {
    sql: `insert into ${meta} (name, content) select '${name}', ${binder.bind(content)} from ${leases} where name = 'run' and not exists (select 1 from ${meta} where name = '${name}')`,
    params: binder.params,
    ours: true,
  };
  await warehouse.script({ statements: [statement(update), insert] });
}
