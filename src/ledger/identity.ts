import { OpportuneError } from "../core/errors.js";
import type { Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement } from "./tables.js";

const NAME = "database";

async function known(warehouse: Warehouse, schema: string): Promise<string | null> {
  const [row] = await warehouse.query(statement(ledgerQueries(warehouse.dialect, schema).selectFrom("meta").select("content").where("name", "=", NAME)));
  return row === undefined ? null : String(row["content"]);
}

/** Whether the ledger is in the database that it was made in, or was approved for. */
export async function isAtHome(warehouse: Warehouse, schema: string): Promise<boolean> {
  return isHome(warehouse, await known(warehouse, schema));
}

async function isHome(warehouse: Warehouse, home: string | null): Promise<boolean> {
  return home === null || home === (await warehouse.identity());
}

/** A ledger that came with a copy or a restore of its database knows of other messages than those that were really sent. `home`: as its facts say. */
export async function refuseCopies(warehouse: Warehouse, schema: string, home: string | null): Promise<void> {
  if (await isHome(warehouse, home)) return;
  throw new OpportuneError({
    code: "ledger/copy",
    message: `The ledger in schema ${schema} came from another database: this one is a copy or a restore, and nothing is sent from it.`,
    hint: "In a copy, set `live: false` on its target. If this database is to send from now on, and the other no more, run `opportune ledger adopt`; messages sent since the copy was made are unknown to it.",
  });
}

/** Makes this database the ledger's home; `onlyIfUnknown`: unless it has one. Without the lease: no run can be under way that sends. */
export async function adopt(warehouse: Warehouse, schema: string, onlyIfUnknown = false): Promise<void> {
  const identity = await warehouse.identity();
  if (identity === null) return;
  const home = await known(warehouse, schema);
  const queries = ledgerQueries(warehouse.dialect, schema);
  if (home === null) await warehouse.execute(statement(queries.insertInto("meta").values({ name: NAME, content: identity })));
  else if (!onlyIfUnknown) await warehouse.execute(statement(queries.updateTable("meta").set({ content: identity }).where("name", "=", NAME)));
}
