/** Which database a ledger belongs to: one that came with a copy or a restore must not send. */
import { OpportuneError } from "../../core/errors.js";
import { strangerWords, type Stranger } from "../../core/stranger.js";
import type { Warehouse } from "../../warehouse/types.js";
import type { Ledger } from "../ledger.js";

/** The name in `meta` of the database that is the ledger's home. */
export const HOME = "database";

async function known(ledger: Ledger): Promise<string | null> {
  const [row] = await ledger.query(ledger.tables.selectFrom("meta").select("content").where("name", "=", HOME));
  return row === undefined ? null : String(row["content"]);
}

/** Null where this database is the ledger's home. */
export async function strangerIn(ledger: Ledger): Promise<Stranger | null> {
  return strangerTo(ledger.warehouse, await known(ledger));
}

async function strangerTo(warehouse: Warehouse, home: string | null): Promise<Stranger | null> {
  if (home === null) return null;
  const identity = await warehouse.identity();
  if (identity === home) return null;
  return identity === null ? "no_id" : "copy";
}

/**
 * The ledger in a copy or a restore knows of other messages than were really sent. `home`: as its facts say.
 * @throws OpportuneError `ledger/copy`
 */
export async function refuseCopies({ warehouse, schema }: Ledger, home: string | null): Promise<void> {
  const stranger = await strangerTo(warehouse, home);
  if (stranger !== null) throw new OpportuneError({ code: "ledger/copy", ...strangerWords(stranger, schema) });
}

/** Makes this database the ledger's home. Without the lease: no run can be under way that sends. */
export async function adopt(ledger: Ledger): Promise<void> {
  await settleIn(ledger, await known(ledger));
}

/** Makes this database the home of a ledger that has none, or knows it by what told databases apart in earlier versions. */
export async function adoptIfUnknown(ledger: Ledger): Promise<void> {
  const home = await known(ledger);
  if (home === null || home === ledger.warehouse.formerIdentity) await settleIn(ledger, home);
}

async function settleIn(ledger: Ledger, home: string | null): Promise<void> {
  const identity = await ledger.warehouse.identity(true);
  if (identity === null) return;
  if (home === null) await ledger.execute(ledger.tables.insertInto("meta").values({ name: HOME, content: identity }));
  else await ledger.execute(ledger.tables.updateTable("meta").set({ content: identity }).where("name", "=", HOME));
}
