import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { OpportuneError } from "../../core/errors.js";
import type { AddressKind } from "../../project/types.js";
import { canonicalAddresses } from "../../warehouse/canonical.js";
import { literal, type Dialect } from "../../warehouse/dialect.js";
import { Binder, constantTable, ledgerTable, renderSqlFile } from "../../warehouse/sql.js";
import type { Statement, Warehouse } from "../../warehouse/types.js";
import { adoptIfUnknown } from "./home.js";
import { Lease } from "../lease/lease.js";
import { hasCode, replaceView, viewProblem } from "./changed-view.js";
import { ledgerQueries, statement } from "../tables.js";

const LEDGER_FILES = new URL("../../../sql/ledger/", import.meta.url);
const AUDIT_FILES = new URL("../../../sql/audit/", import.meta.url);

/** The numbered files under sql/ledger/; a ledger's version is how many of them it has had. */
function migrations(): string[] {
  return readdirSync(LEDGER_FILES)
    .filter((file) => /^\d{3}_\w+\.sql$/.test(file))
    .sort();
}

export interface LedgerStatus {
  /** 0: not installed. */
  version: number;
  /** What this version of Opportune needs. */
  expected: number;
}

export async function ledgerStatus(warehouse: Warehouse, schema: string): Promise<LedgerStatus> {
  const expected = migrations().length;
  if (!(await warehouse.hasTable(schema, "meta"))) return { version: 0, expected };
  const rows = await warehouse.query(
    statement(ledgerQueries(warehouse.dialect, schema).selectFrom("meta").select("content").where("name", "=", "schema_version")),
  );
  return { version: Number(rows[0]?.["content"] ?? 0), expected };
}

/** What an upgrade must know of a channel of the project. */
export interface LedgerChannel {
  name: string;
  address: AddressKind;
  /** Files are where its messages belong on a live target: then they were no trials. */
  writesFiles: boolean;
}

/**
 * Brings the ledger to this version: creates the schema, runs the files it hasn't had, and makes the audit views anew.
 * Gives the files that ran. A ledger newer than this Opportune is an error. `channels`: the project's; a new ledger needs none.
 */
export async function installLedger(warehouse: Warehouse, schema: string, channels: readonly LedgerChannel[] | null = null): Promise<string[]> {
  const { before, after } = warehouse.dialect.installation(schema);
  for (const sql of before) await warehouse.execute({ sql, params: [], ours: true });
  try {
    return await installAlone(warehouse, schema, channels);
  } finally {
    // On a connection that is gone it has ended by itself.
    for (const sql of after) await warehouse.execute({ sql, params: [], ours: true }).catch(() => undefined);
  }
}

async function installAlone(warehouse: Warehouse, schema: string, channels: readonly LedgerChannel[] | null): Promise<string[]> {
  const { dialect } = warehouse;
  // On a connection of its own where there can be one: Snowflake makes a new schema the session's, in which the user's names are looked up.
  const create = { sql: dialect.createSchema(schema), params: [], ours: true };
  await (warehouse.beside?.(create) ?? warehouse.execute(create));
  const status = await ledgerStatus(warehouse, schema);
  if (status.version > status.expected) throw newerLedger(status);
  // No run may be under way while tables change; before the first file there is no lease, and no run.
  const lease = status.version > 0 && status.version < status.expected ? (await Lease.take(warehouse, schema, 0)).lease : null;
  try {
    return await migrate(warehouse, schema, status, lease, channels);
  } finally {
    await lease?.release();
  }
}

/**
 * Runs what is pending: each file with its version or, where what defines tables commits at once, its version last. Whatever a
 * file does, it may do again: an installation that was cut short is repaired by another.
 */
async function migrate(
  warehouse: Warehouse,
  schema: string,
  status: LedgerStatus,
  lease: Lease | null,
  channels: readonly LedgerChannel[] | null,
): Promise<string[]> {
  const { dialect } = warehouse;
  const pending = migrations().slice(status.version);
  const queries = ledgerQueries(warehouse.dialect, schema);
  for (const [i, file] of pending.entries()) {
    const version = String(status.version + i + 1);
    const { sql } = renderSqlFile(`ledger/${file}`, dialect, schema, { types: dialect.columnTypes, ...ofChannels(channels, dialect) });
    const define = statementsOf(sql).map((each): Statement => ({ sql: each, params: [], ours: true }));
    if (version === "1") define.push(firstFacts(dialect, schema, version));
    const record = version === "1" ? [] : [statement(queries.updateTable("meta").set({ content: version }).where("name", "=", "schema_version"))];
    if (!dialect.definesInTransactions) for (const each of define) await warehouse.execute(each);
    const statements = dialect.definesInTransactions ? [...define, ...record] : record;
    if (statements.length > 0) await (lease?.commit({ statements }) ?? warehouse.script({ statements }));
  }
  await adoptIfUnknown(warehouse, schema);
  for (const file of readdirSync(AUDIT_FILES).sort()) await createView(warehouse, schema, file);
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
export async function trialsMade(warehouse: Warehouse, schema: string): Promise<{ messages: number; rows: number }> {
  const table = ledgerTable(warehouse.dialect, schema, "sent_ledger");
  const [counted] = await warehouse.query({
    sql: `select count(*) as row_count, count(distinct run_id || ' ' || message_id) as messages from ${table} where trial`,
    params: [],
    ours: true,
  });
  return { messages: Number(counted?.["messages"] ?? 0), rows: Number(counted?.["row_count"] ?? 0) };
}

/** What a new ledger knows of itself; its salt stays for good. */
function firstFacts(dialect: Dialect, schema: string, version: string): Statement {
  const binder = new Binder(dialect);
  const facts = { schema_version: version, salt: randomBytes(16).toString("hex"), database_id: randomUUID() };
  const columns = ["name", "content"];
  const rows = constantTable({ columns: columns.map((name) => ({ name, type: "text" })), rows: Object.entries(facts) }, dialect, binder);
  return { sql: dialect.insertMissing(ledgerTable(dialect, schema, "meta"), columns, rows, "name"), params: binder.params, ours: true };
}

/**
 * Makes a view anew; one with other columns takes its place too.
 * @throws OpportuneError `ledger/view`, the view being as it was
 */
async function createView(warehouse: Warehouse, schema: string, file: string): Promise<void> {
  const { dialect } = warehouse;
  const name = ledgerTable(dialect, schema, file.replace(/\.sql$/, ""));
  const view = renderSqlFile(`audit/${file}`, dialect, schema, {});
  try {
    await warehouse.execute(view);
  } catch (error) {
    const { changedView } = dialect;
    if (changedView === null || !hasCode(error, changedView.code)) throw viewProblem(name, "can't be made", error);
    await replaceView(warehouse, name, view, changedView.grants(name));
  }
}

/** Throws, with the command that helps, unless the ledger is of this version. */
export async function requireLedger(warehouse: Warehouse, schema: string): Promise<void> {
  requireVersion(schema, (await ledgerStatus(warehouse, schema)).version);
}

/** Throws, with the command that helps, unless that is the version needed; 0: there is no ledger. */
export function requireVersion(schema: string, version: number): void {
  const status: LedgerStatus = { version, expected: migrations().length };
  if (status.version === status.expected) return;
  if (status.version > status.expected) throw newerLedger(status);
  const problem =
    status.version === 0
      ? `There is no ledger in schema ${schema}.`
      : `The ledger in schema ${schema} is of version ${String(status.version)}; this Opportune needs ${String(status.expected)}.`;
  throw new OpportuneError({ code: "ledger/version", message: problem, hint: "Run `opportune ledger install`." });
}

function newerLedger(status: LedgerStatus): OpportuneError {
  return new OpportuneError({
    code: "ledger/newer",
    message: `The ledger is of version ${String(status.version)}, newer than the ${String(status.expected)} this Opportune knows.`,
    hint: "Upgrade Opportune (`npm install opportune@latest`) on this machine.",
  });
}

/** The statements of one of our own SQL files: they end with `;` at the end of a line. */
export function statementsOf(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((part) => part.trim())
    .filter((part) => part.replaceAll(/^--.*$/gm, "").trim() !== "");
}
