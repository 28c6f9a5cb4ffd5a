/** What the ledger knows of an address, and of the templates that messages were made from. */
import { ADDRESS_COLUMNS, addressOf, type AddressKind } from "../channels/registry.js";
import { canonicalAddress } from "../warehouse/canonical.js";
import { Binder, ledgerTable } from "../warehouse/sql.js";
import type { Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement } from "./tables.js";
import { ofKindSql } from "./trial.js";

/** Ids of users who were claimed or held out with an address, which may be written in any form; at most so many. */
export async function usersAt(warehouse: Warehouse, schema: string, address: string, trial: boolean, most: number): Promise<string[]> {
  const { dialect } = warehouse;
  const binder = new Binder(dialect);
  const forms = [...oneOfEachForm().values()].map((kind) => canonicalAddress(binder.bind(address), kind, dialect));
  const rows = await warehouse.query({
    sql: `select distinct user_id from ${ledgerTable(dialect, schema, "sent_ledger")} where address in (${forms.join(", ")}) and ${ofKindSql(trial)} order by user_id limit ${String(most)}`,
    params: binder.params,
    ours: true,
  });
  return rows.map((row) => String(row["user_id"]));
}

/** A kind of address for each form that one can be written in. */
function oneOfEachForm(): Map<string, AddressKind> {
  return new Map(ADDRESS_COLUMNS.map((kind) => [addressOf(kind).form, kind]));
}

/** The texts of these versions (at least one) of templates, those that the ledger has. */
export async function templateTexts(warehouse: Warehouse, schema: string, versions: readonly string[]): Promise<Map<string, string>> {
  const query = ledgerQueries(warehouse.dialect, schema)
    .selectFrom("templates_sent")
    .select(["template_version", "content"])
    .where("template_version", "in", versions);
  const rows = await warehouse.query(statement(query));
  return new Map(rows.map((row) => [String(row["template_version"]), String(row["content"])]));
}
