import type { WarehouseType } from "../core/warehouses.js";
import { randomBytes } from "node:crypto";
import type { QueryCompiler } from "kysely";
import type { Marks } from "../core/marks.js";
import type { ColumnKind } from "./kinds.js";

/**
 * The words that differ between warehouses: everything else in sql/ is written once. Each word takes and gives SQL text.
 */
export interface Dialect {
  name: WarehouseType;
  types: ColumnTypes;
  /** The types as columns of our own tables have them, where that says more: text is ordered by bytes. */
  columnTypes: ColumnTypes;
  /** Placeholder of the n-th parameter, 1-based. */
  placeholder(n: number): string;
  quote(name: string): string;
  /** Where the ledger is: its schema, with whatever a statement must say before it. */
  schemaName(schema: string): string;
  /** Writes Kysely's queries on the ledger. */
  queryCompiler(): QueryCompiler;
  /** MD5 as 32 lower-case hex digits. */
  md5(text: string): string;
  /** Microseconds since 1970 UTC of a timestamp, as bigint. */
  microseconds(timestamp: string): string;
  /** A timestamp some seconds later. */
  plusSeconds(timestamp: string, seconds: string): string;
  /** Whole seconds from one timestamp to a later one, rounded down. */
  secondsBetween(from: string, to: string): string;
  /** A JSON object as text; pairs of a key (plain text) and an expression. */
  jsonObject(pairs: readonly (readonly [string, string])[]): string;
  /**
   * A user's column as a UTC timestamp: offsets are honoured, zoneless values and dates are UTC. Null where a value is not a time of the
   * years 1 to 9999 (infinity, BC, a text that says no time): a row's value must not end the query. `kind`: the column's, where known.
   */
  toUtc(expression: string, kind?: ColumnKind): string;
  /** A timestamp that so many seconds since 1970 UTC mean, as a user may write it. */
  fromEpoch(seconds: string): string;
  /** An exact number of so many digits, of which `scale` stand behind the point. */
  exactType(precision: number, scale: number): string;
  /** A SELECT of constant rows, at least one; cells are SQL. (`select … union all` works everywhere, but plans slowly.) */
  constants(columns: readonly string[], rows: readonly (readonly string[])[]): string;
  /** A timestamp as text in UTC without an offset: `2026-03-02 12:00:00`, with what there is of fractions. */
  utcText(timestamp: string): string;
  /** The UTC day of a timestamp, as a date. */
  utcDate(timestamp: string): string;
  /** Bytes of a text in UTF-8, or in the database's own encoding. */
  byteLength(text: string): string;
  /** Text in lower case, beyond ASCII too; A to Z by no locale. */
  lower(text: string): string;
  /** Whether text matches a regular expression of no more than classes, `+`, groups and anchors. */
  matches(text: string, pattern: string): string;
  /** Where work tables live: temporary, seen by this run alone. An opened warehouse's have names of its own: withOwnWorkTables. */
  workTable(name: string): string;
  /** What begins the definition of a work table, which replaces one of that name. */
  createWorkTable(name: string): string;
  /**
   * Whether a user's query runs by itself, into the work table APART, as names mean in it what they mean to its author: their
   * functions and operators must not stand in for ours, nor ours for theirs.
   */
  queriesApart: boolean;
  /**
   * Whether a segment's rows are first kept as its query gives them, in APART, and then staged in pages of so many bytes, and
   * duplicates found afterwards: where a statement holds all the wide rows at once that it works on.
   */
  stagesInPages: boolean;
  /** A function of the warehouse's own, in a statement whose names are looked up as users do. */
  builtIn(name: string): string;
  /** Said of a CTE of staging, whose columns (a row's properties, above all) would else be worked out wherever they are named. */
  once: string;
  /** Whether a look-up in the ledger's index for each row is faster than a join with all of it, and stays so while it grows. */
  looksUp: boolean;
  /** Statements before arbitration, for the rest of its transaction. */
  beforeArbitration: readonly string[];
  /** Whether arbitration keeps what several of its queries read in work tables; otherwise all of it is one statement. */
  keepsTables: boolean;
  /**
   * Statements that keep what a query gives in a work table of that name, and what drops it again. `columns`: those by which others find its rows.
   */
  keep(name: string, query: string, columns: string): { make: string[]; drop: string[] };
  /** How long an outcome waits to be written with the next marks before it is written alone, ms: longer where a statement costs. */
  outcomesWaitMs: number;
  /** How messages are marked `sending`: in small steps, or many together where an append takes seconds and costs. */
  marks: Marks;
  /** Claims are read in pages of so many bytes: the client takes as many rows as it is asked for, or the warehouse sorts all at once. */
  readsByRows: boolean;
  /** The warehouse's own clock as a timestamp. For the lease alone: everything else is told the time. */
  clock: string;
  /** Whether one process at a time can have the warehouse open: whoever opens it knows that all others have ended. */
  oneProcess: boolean;
  /**
   * Inserts those rows of a SELECT, which gives the named columns, whose `key` the table doesn't have yet. Where nothing lets
   * one process at a time at an installation, it is one statement for whose end another of its kind waits.
   */
  insertMissing(table: string, columns: readonly string[], rows: string, key: string): string;
  /** Makes a schema where there is none; asks for no right to do so where there is. */
  createSchema(schema: string): string;
  /** Statements before and after the installation of a ledger, that let one process at a time at it; those after run whatever happened. */
  installation(schema: string): { before: readonly string[]; after: readonly string[] };
  /** Statements that add those columns to a table of the ledger that it doesn't have: names and types. */
  addColumns(table: string, columns: readonly (readonly [name: string, type: string])[]): string[];
  /** Lets a column of the ledger hold null, and does nothing where it may. The schema is SQL, the others are names. */
  dropNotNull(schema: string, table: string, column: string): string;
  /**
   * Where a view is not replaced by one with other columns: the code of that refusal, and a query for the statements that grant
   * anew what was granted on the view. Null: any view is replaced.
   */
  changedView: { code: string; grants(view: string): string } | null;
  /** Whether tables are defined within a transaction, and vanish with it; else each definition stands at once, or is refused there. */
  definesInTransactions: boolean;
  /** What follows the columns of the sent ledger: how it is laid out on disk. */
  ledgerLayout: string;
  /** What follows those of the table of segment runs, of which every run reads the last days. */
  segmentRunsLayout: string;
  /** Statements to run once a work table is filled, without which the planner knows nothing of it. `name`: as `workTable` is asked for it. */
  afterFilling(table: WorkTable, name?: string): readonly string[];
}

export interface ColumnTypes {
  text: string;
  timestamp: string;
  bigint: string;
  boolean: string;
}

/** Work tables that staging and arbitration fill; sql/work.sql defines them. */
export type WorkTable = "segment_rows" | "audience_members" | "decisions";

/** All that sql/work.sql defines. Those of a session that others use later are dropped when the warehouse is closed. */
export const WORK_TABLES: readonly (WorkTable | "outcomes")[] = ["segment_rows", "audience_members", "decisions", "outcomes"];

/** The work table that holds the rows of a user's query for one statement; see `queriesApart` and `stagesInPages`. */
export const APART = "query";

/**
 * The dialect of one opened warehouse. Its work tables carry what tells this opening from all others: a run opens its own. A
 * session may have been another's before (a pooler, a proxy, a file that is open twice): what was left there is never taken for
 * this run's, and a table that is gone is an error.
 */
export function withOwnWorkTables(dialect: Dialect, own: string): Dialect {
  const named = (table: string): string => `${table}_${own}`;
  return {
    ...dialect,
    workTable: (table) => dialect.workTable(named(table)),
    createWorkTable: (table) => dialect.createWorkTable(named(table)),
    keep: (table, query, columns) => dialect.keep(named(table), query, columns),
    afterFilling: (table) => dialect.afterFilling(table, named(table)),
  };
}

/** Twelve hex digits that no other opening of a warehouse has. */
export function openingId(): string {
  return randomBytes(6).toString("hex");
}

/** SQL to look at, the same each time: without what tells an opening from others. */
export function withoutOpening(sql: string): string {
  return sql.replaceAll(/\b(opportune_(?:work\.)?[a-z_]+)_[0-9a-f]{12}\b/g, "$1");
}

/** `insertMissing` where one process at a time installs a ledger. */
export function insertMissing(table: string, columns: readonly string[], rows: string, key: string): string {
  const names = columns.join(", ");
  return `insert into ${table} (${names})\nselect ${names} from (\n${rows}\n) missing where not exists (select 1 from ${table} known where known.${key} = missing.${key})`;
}

/** `insertMissing` as MERGE, where several may install a ledger at once. */
export function mergeMissing(table: string, columns: readonly string[], rows: string, key: string): string {
  const values = columns.map((column) => `missing.${column}`).join(", ");
  return `merge into ${table} known using (\n${rows}\n) missing on known.${key} = missing.${key}\nwhen not matched then insert (${columns.join(", ")}) values (${values})`;
}

/** `keep` where a table takes the place of one of its name, and goes with the session. */
export function keepReplacing(create: (name: string) => string): Dialect["keep"] {
  return (name, query) => ({ make: [`${create(name)} as\n${query}`], drop: [] });
}

/** `addColumns` as a statement for each. */
export function addColumns(table: string, columns: readonly (readonly [name: string, type: string])[]): string[] {
  return columns.map(([name, type]) => `alter table ${table} add column if not exists ${name} ${type}`);
}

/** `dropNotNull` where dropping it twice is allowed. */
export function dropNotNull(schema: string, table: string, column: string): string {
  return `alter table ${schema}.${table} alter column ${column} drop not null`;
}

/** `constants` where VALUES takes no expressions that bind, or is no table: each row is a SELECT of its own. */
export function unionOfConstants(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.map((cells, i) => `select ${cells.map((cell, at) => (i === 0 ? `${cell} as ${columns[at] ?? ""}` : cell)).join(", ")}`).join("\n  union all ");
}

/** A SQL string literal of a column or identifier the job itself named; values from users are bound instead. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
