/** What the ledger knows of users, addresses and messages, for who asks about one of them. */
import { ADDRESS_COLUMNS, addressOf, type AddressKind } from "../channels/registry.js";
import { canonicalAddress, canonicalUser } from "../warehouse/canonical.js";
import { Binder } from "../warehouse/sql.js";
import type { Row } from "../warehouse/types.js";
import type { Ledger } from "./ledger.js";
import { heededSql, ofKindSql } from "./trial.js";

/** Ids of users who were claimed or held out with an address, which may be written in any form; at most so many. */
export async function usersAt(ledger: Ledger, address: string, trial: boolean, most: number): Promise<string[]> {
  const binder = new Binder(ledger.dialect);
  const forms = [...oneOfEachForm().values()].map((kind) => canonicalAddress(binder.bind(address), kind, ledger.dialect));
  const context = { addresses: `(${forms.join(", ")})`, of_kind: ofKindSql(trial), most: String(most) };
  return (await ledger.query(ledger.file("users_at.sql", context, binder))).map((row) => String(row["user_id"]));
}

/** Whose events are asked for. `trial`: of trials, or of live runs; a message id is of one kind alone. */
export type StoryOf = { user: string; trial: boolean; segment: string | null } | { message: string };

/** The newest `most` events of a user or a message, the oldest first: rows of the view `why`, each with `events`, how many there are. */
export function storyRows(ledger: Ledger, of: StoryOf, most: number): Promise<Row[]> {
  const binder = new Binder(ledger.dialect);
  const asked =
    "user" in of
      ? { of: "user_id", value: canonicalUser(binder.bind(of.user), ledger.dialect), kind: ofKindSql(of.trial, "w"), segment: binder.bind(of.segment) }
      : { of: "message_id", value: binder.bind(of.message), kind: "1 = 1", segment: binder.bind(null) };
  return ledger.query(ledger.file("explain.sql", { ...asked, most: String(most) }, binder));
}

/** Message id → its segment and step, of ids (at least one) that the ledger knows. */
export async function messageNames(ledger: Ledger, ids: readonly string[]): Promise<Map<string, string>> {
  const binder = new Binder(ledger.dialect);
  const rows = await ledger.query(ledger.file("named_messages.sql", { ids: ids.map((id) => binder.bind(id)).join(", ") }, binder));
  return new Map(rows.map((row) => [String(row["message_id"]), `${String(row["segment"])} ${String(row["step"])}`]));
}

/** When the latest run of those that a run of a kind reads of decided, ISO 8601 UTC; null: there was none. */
export async function latestRun(ledger: Ledger, trial: boolean): Promise<string | null> {
  const [run] = await ledger.query(ledger.file("latest_run.sql", { heeded: heededSql(trial, "r") }));
  return run?.["as_of"] === null || run?.["as_of"] === undefined ? null : String(run["as_of"]);
}

/** The marketing messages that caps and spacing count for a user: `channel`, `topic`, `decided_at`, the oldest first. */
export function heardRows(ledger: Ledger, user: string, trial: boolean): Promise<Row[]> {
  const binder = new Binder(ledger.dialect);
  return ledger.query(ledger.file("heard.sql", { user_id: binder.bind(user), kind: heededSql(trial, "l") }, binder));
}

/** Whether the ledger has a row of a segment, or of a channel, of that name. */
export async function isKnown(ledger: Ledger, what: "segment" | "channel", name: string): Promise<boolean> {
  return (await ledger.query(ledger.tables.selectFrom("sent_ledger").select("seq").where(what, "=", name).limit(1))).length > 0;
}

/** A kind of address for each form that one can be written in. */
function oneOfEachForm(): Map<string, AddressKind> {
  return new Map(ADDRESS_COLUMNS.map((kind) => [addressOf(kind).form, kind]));
}

/** The texts of these versions (at least one) of templates, those that the ledger has. */
export async function templateTexts(ledger: Ledger, versions: readonly string[]): Promise<Map<string, string>> {
  const query = ledger.tables.selectFrom("templates_sent").select(["template_version", "content"]).where("template_version", "in", versions);
  return new Map((await ledger.query(query)).map((row) => [String(row["template_version"]), String(row["content"])]));
}
