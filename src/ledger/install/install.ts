/** Creates the ledger, or brings it to this version. */
import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import type { AddressKind } from "../../channels/registry.js";
import { canonicalAddresses } from "../../warehouse/canonical.js";
import { literal, type Dialect } from "../../warehouse/dialect.js";
import { Binder, constantTable, statementsOf } from "../../warehouse/sql.js";
import type { Statement } from "../../warehouse/types.js";
import { Lease } from "../lease/lease.js";
import type { Ledger } from "../ledger.js";
import { statement } from "../tables.js";
import { explanations } from "./explanation.js";
import { hasCode, replaceView, viewProblem } from "./changed-view.js";
import { adoptIfUnknown } from "./home.js";
import { ledgerStatus, migrations, refuseNewer, type LedgerStatus } from "./versions.js";

const AUDIT_FILES = new URL("../../../sql/audit/", import.meta.url);

/** What an upgrade must know of a channel of the project. */
export interface LedgerChannel {
  name: string;
  address: AddressKind;
  /** Files are where its messages belong on a live target: then they were no trials. */
  writesFiles: boolean;
}

/**
 * Brings the ledger to this version: creates the schema, runs the files it hasn't had, and makes the audit views anew.
 * Gives the files that ran. `channels`: the project's; a new ledger needs none.
 * @throws OpportuneError `ledger/newer` for a ledger of a later version, `ledger/lease` while a run is under way
 */
export async function installLedger(ledger: Ledger, channels: readonly LedgerChannel[] | null = null): Promise<string[]> {
  const { before, after } = ledger.dialect.installation(ledger.schema);
  for (const sql of before) await ledger.execute({ sql, params: [], ours: true });
  try {
    return await installAlone(ledger, channels);
  } finally {
    // On a connection that is gone it has ended by itself.
    for (const sql of after) await ledger.execute({ sql, params: [], ours: true }).catch(() => undefined);
  }
}

async function installAlone(ledger: Ledger, channels: readonly LedgerChannel[] | null): Promise<string[]> {
  const { beside } = ledger.warehouse;
  // On a connection of its own where there can be one: Snowflake makes a new schema the session's, in which the user's names are looked up.
  const create = { sql: ledger.dialect.createSchema(ledger.schema), params: [], ours: true };
  await (beside?.(create) ?? ledger.execute(create));
  const status = await ledgerStatus(ledger);
  refuseNewer(status);
  // No run may be under way while tables change; before the first file there is no lease, and no run.
  const lease = status.version > 0 && status.version < status.expected ? (await Lease.take(ledger, 0)).lease : null;
  try {
    return await migrate(ledger, status, lease, channels);
  } finally {
    await lease?.release();
  }
}

/**
 * Runs what is pending: each file with its version or, where what defines tables commits at once, its version last. Whatever a
 * file does, it may do again: an installation that was cut short is repaired by another.
 */
async function migrate(ledger: Ledger, status: LedgerStatus, lease: Lease | null, channels: readonly LedgerChannel[] | null): Promise<string[]> {
  const { warehouse, dialect } = ledger;
  const pending = migrations().slice(status.version);
  for (const [i, file] of pending.entries()) {
    const version = String(status.version + i + 1);
    const { sql } = ledger.file(`ledger/${file}`, { types: dialect.columnTypes, ...ofChannels(channels, dialect) });
    const define = statementsOf(sql).map((each): Statement => ({ sql: each, params: [], ours: true }));
    if (version === "1") define.push(firstFacts(ledger, version));
    const record = version === "1" ? [] : [statement(ledger.tables.updateTable("meta").set({ content: version }).where("name", "=", "schema_version"))];
    if (!dialect.definesInTransactions) for (const each of define) await ledger.execute(each);
    const statements = dialect.definesInTransactions ? [...define, ...record] : record;
    if (statements.length > 0) await (lease?.commit({ statements }) ?? warehouse.script({ statements }));
  }
  await adoptIfUnknown(ledger);
  for (const file of readdirSync(AUDIT_FILES).sort()) await createView(ledger, file);
  return pending;
}

/** What the files say of the channels, as SQL: an address in its one form, and which rows' files were trials. */
function ofChannels(channels: readonly LedgerChannel[] | null, dialect: Dialect): Record<string, string> {
  // Where nobody knows the channels, what was sent stays as it is.
  if (channels === null) return { address: "address", by_trials: "1 = 0" };
  const live = channels.filter(({ writesFiles }) => writesFiles).map(({ name }) => literal(name));
  return {
    address: canonicalAddresses(new Map(channels.map(({ name, address }) => [name, address])), dialect),
    by_trials: live.length === 0 ? "1 = 1" : `channel not in (${live.join(", ")})`,
  };
}

/** How many messages an upgrade made trials, and their rows: only files are left of them. */
export async function trialsMade(ledger: Ledger): Promise<{ messages: number; rows: number }> {
  const [counted] = await ledger.query(ledger.file("trials_made.sql"));
  return { messages: Number(counted?.["messages"] ?? 0), rows: Number(counted?.["row_count"] ?? 0) };
}

/** What a new ledger knows of itself; its salt stays for good. */
function firstFacts(ledger: Ledger, version: string): Statement {
  const { dialect } = ledger;
  const binder = new Binder(dialect);
  const facts = { schema_version: version, salt: randomBytes(16).toString("hex"), database_id: randomUUID() };
  const columns = ["name", "content"];
  const rows = constantTable({ columns: columns.map((name) => ({ name, type: "text" })), rows: Object.entries(facts) }, dialect, binder);
  return { sql: dialect.insertMissing(ledger.table("meta"), columns, rows, "name"), params: binder.params, ours: true };
}

/**
 * Makes a view anew; one with other columns takes its place too.
 * @throws OpportuneError `ledger/view`, the view being as it was
 */
async function createView(ledger: Ledger, file: string): Promise<void> {
  const name = ledger.table(file.replace(/\.sql$/, ""));
  const view = ledger.file(`audit/${file}`, explanations());
  try {
    await ledger.execute(view);
  } catch (error) {
    const { changedView } = ledger.dialect;
    if (changedView === null || !hasCode(error, changedView.code)) throw viewProblem(name, "can't be made", error);
    await replaceView(ledger.warehouse, name, view, changedView.grants(name));
  }
}
