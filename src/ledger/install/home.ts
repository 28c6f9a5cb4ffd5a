import { OpportuneError } from "../../core/errors.js";
import { strangerWords, type Stranger } from "../../core/stranger.js";
import type { Warehouse } from "../../warehouse/types.js";
import { ledgerQueries, statement } from "../tables.js";

const NAME = "database";

async function known(warehouse: Warehouse, schema: string): Promise<string | null> {
  const [row] = await warehouse.query(statement(ledgerQueries(warehouse.dialect, schema).selectFrom("meta").select("content").where("name", "=", NAME)));
  return row === undefined ? null : String(row["content"]);
}

/** Null where the ledger is in the database that it was made in, or was approved for. */
export async function strangerIn(warehouse: Warehouse, schema: string): Promise<Stranger | null> {
  return strangerTo(warehouse, await known(warehouse, schema));
}

async function strangerTo(warehouse: Warehouse, home: string | null): Promise<Stranger | null> {
  if (home === null) return null;
  const identity = await warehouse.identity();
  if (identity === home) return null;
  return identity === null ? "no_id" : "copy";
}

/** A ledger that came with a copy or a restore of its database knows of other messages than those that were really sent. `home`: as its facts say. */
export async function refuseCopies(warehouse: Warehouse, schema: string, home: string | null): Promise<void> {
  const stranger = await strangerTo(warehouse, home);
  if (stranger !== null) throw new OpportuneError({ code: "ledger/copy", ...strangerWords(stranger, schema) });
}

/** Makes this database the ledger's home. Without the lease: no run can be under way that sends. */
export async function adopt(warehouse: Warehouse, schema: string): Promise<void> {
  await settleIn(warehouse, schema, await known(warehouse, schema));
}

/** Makes this database the home of a ledger that has none, or knows it by what told databases apart in earlier versions. */
export async function adoptIfUnknown(warehouse: Warehouse, schema: string): Promise<void> {
  const home = await known(warehouse, schema);
  if (home === null || home === warehouse.formerIdentity) await settleIn(warehouse, schema, home);
}

async function settleIn(warehouse: Warehouse, schema: string, home: string | null): Promise<void> {
  const identity = await warehouse.identity(true);
  if (identity === null) return;
  const queries = ledgerQueries(warehouse.dialect, schema);
  if (home === null) await warehouse.execute(statement(queries.insertInto("meta").values({ name: NAME, content: identity })));
  else await warehouse.execute(statement(queries.updateTable("meta").set({ content: identity }).where("name", "=", NAME)));
}
