import { OpportuneError } from "../core/errors.js";
import type { Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement } from "./tables.js";

const NAME = "database";

async function known(warehouse: Warehouse, schema: string): Promise<string | null> {
  const [row] = await warehouse.query(statement(ledgerQueries(warehouse.dialect, schema).selectFrom("meta").select("content").where("name", "=", NAME)));
  return row === undefined ? null : String(row["content"]);
}

/** Why nothing may be sent from here: the ledger belongs to another database, or this one has lost what tells it from a copy. */
export type Stranger = "copy" | "no_id";

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

/** What is said of a stranger, with the way out. */
export function strangerWords(stranger: Stranger, schema: string): { message: string; hint: string } {
  if (stranger === "copy") {
    return {
      message: `The ledger in schema ${schema} came from another database: this one is a copy or a restore, and nothing is sent from it.`,
      hint: "In a copy, set `live: false` on its target. If this database is to send from now on, and the other no more, run `opportune ledger adopt`; messages sent since the copy was made are unknown to it.",
    };
  }
  return {
    message: `The DuckDB file of the ledger in schema ${schema} has no id beside it: it was copied or moved without its file .opportune, and nothing is sent from it.`,
    hint: "If this is the original, put its file .opportune back. In a copy, set `live: false` on its target. If it is to send from now on, and the other no more, run `opportune ledger adopt`; messages sent since the copy was made are unknown to it.",
  };
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
