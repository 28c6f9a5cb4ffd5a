import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import { ADDRESS_COLUMNS, type AddressKind } from "../channels/registry.js";
import { canonicalAddress, canonicalName, canonicalUser } from "./canonical.js";
import { literal, type Dialect } from "./dialect.js";
import { canonicalText, messageId } from "./message-id.js";
import type { Param, Statement, Warehouse } from "./types.js";

/** Where the package's own SQL lives, in a checkout and in an installed package alike. */
const SQL_FOLDER = new URL("../../sql/", import.meta.url);

/** Collects parameters while a statement is put together; every one is bound as text and cast where it stands. */
export class Binder {
  readonly params: Param[] = [];
  readonly dialect: Dialect;
  readonly #known = new Map<string, string>();

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** For a statement that begins with what this one has bound. */
  continued(): Binder {
    const binder = new Binder(this.dialect);
    binder.params.push(...this.params);
    for (const [value, sql] of this.#known) binder.#known.set(value, sql);
    return binder;
  }

  /** SQL of the value, cast to one of the dialect's types; equal values share a placeholder. */
  bind(value: Param, type: keyof Dialect["types"] = "text"): string {
    return this.#cast(value, this.dialect.types[type]);
  }

  /** SQL of a number with all its digits: `-4.99`, `1234567890123456789`. */
  bindNumber(digits: string): string {
    if (!digits.includes(".") && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits)) return this.bind(digits, "bigint");
    const [whole = "", behind = ""] = digits.replace("-", "").split(".");
    return this.#cast(digits, this.dialect.exactType(whole.length + behind.length, behind.length));
  }

  #cast(value: Param, type: string): string {
    const known = `${type}:${value ?? "null"}`;
    let sql = value === null ? undefined : this.#known.get(known);
    if (sql === undefined) {
      this.params.push(value);
      sql = `cast(${this.dialect.placeholder(this.params.length)} as ${type})`;
      this.#known.set(known, sql);
    }
    return sql;
  }
}

/** A cell of a table of constants. */
export type Constant = string | number | boolean | null | { timestamp: string | null };

export interface ConstantColumn {
  name: string;
  type: keyof Dialect["types"];
}

/** A small table that the project gives to a statement, e.g. one row a step. */
export interface ConstantTable {
  columns: readonly ConstantColumn[];
  rows: readonly (readonly Constant[])[];
}

/** The table as a SELECT; without rows, one that gives none but has the columns and their types. */
export function constantTable(table: ConstantTable, dialect: Dialect, binder: Binder): string {
  const names = table.columns.map((column) => column.name);
  const row = (cells: readonly Constant[]): string[] => table.columns.map((column, i) => cell(cells[i] ?? null, column.type, dialect, binder));
  if (table.rows.length === 0)
    return `select ${row([])
      .map((sql, i) => `${sql} as ${names[i] ?? ""}`)
      .join(", ")} from (select 1 as one) nothing where 1 = 0`;
  return dialect.constants(names, table.rows.map(row));
}

function cell(value: Constant, type: keyof Dialect["types"], dialect: Dialect, binder: Binder): string {
  const as = (sql: string): string => `cast(${sql} as ${dialect.types[type]})`;
  if (value === null) return as("null");
  if (typeof value === "number" || typeof value === "boolean") return as(String(value));
  if (typeof value === "string") return textConstant(value, binder);
  return value.timestamp === null ? as("null") : timestampLiteral(value.timestamp, dialect);
}

/**
 * Text as SQL: a literal where it holds nothing that any warehouse reads specially, so that the compiled statement can be read
 * and planned once; bound otherwise.
 */
export function textConstant(value: string, binder: Binder): string {
  return /^[A-Za-z0-9_ .,:/+@|-]*$/.test(value) ? literal(value) : binder.bind(value);
}

/** Texts, at least one, as what stands after `in`. */
export function textList(values: readonly string[], binder: Binder): string {
  return `(${values.map((value) => textConstant(value, binder)).join(", ")})`;
}

/** An instant (ISO 8601 with `Z`) as SQL. */
export function timestampLiteral(instant: string, dialect: Dialect): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(instant)) throw new Error(`Not a UTC instant: ${instant}`);
  return `cast('${instant}' as ${dialect.types.timestamp})`;
}

const compiled = new Map<string, HandlebarsTemplateDelegate>();
const PARTIALS = ["bite", "drawn_variant", "last_segment_runs", "open_claims", "recalled", "standing_pauses"];

function compileSqlFile(file: string): HandlebarsTemplateDelegate {
  const known = compiled.get(file);
  if (known !== undefined) return known;
  const template = Handlebars.compile(readFileSync(new URL(file, SQL_FOLDER), "utf8"), { noEscape: true, strict: true });
  compiled.set(file, template);
  return template;
}

/**
 * Fills one of the package's SQL files. `context` values are SQL text; nothing is escaped. `ledgerSchema`: null for a file of work
 * tables alone. `helpers`: words of this file's kind alone.
 */
export function renderSqlFile(
  file: string,
  dialect: Dialect,
  ledgerSchema: string | null,
  context: Record<string, unknown>,
  binder = new Binder(dialect),
  helpers: Record<string, Handlebars.HelperDelegate> = {},
): Statement {
  const partials = Object.fromEntries(PARTIALS.map((name) => [name, compileSqlFile(`partials/${name}.sql`)]));
  const words = {
    types: dialect.types,
    is_postgres: dialect.name === "postgres",
    once: dialect.once,
    looks_up: dialect.looksUp,
    ledger_layout: dialect.ledgerLayout,
    segment_runs_layout: dialect.segmentRunsLayout,
    null_text: `cast(null as ${dialect.types.text})`,
    null_bigint: `cast(null as ${dialect.types.bigint})`,
    null_timestamp: `cast(null as ${dialect.types.timestamp})`,
  };
  const sql = compileSqlFile(file)({ ...words, ...context }, { helpers: { ...dialectHelpers(dialect, ledgerSchema, binder), ...helpers }, partials });
  return { sql, params: binder.params, ours: true };
}

/** The dialect's words as Handlebars helpers, under the names used in sql/. */
function dialectHelpers(dialect: Dialect, ledgerSchema: string | null, binder: Binder): Record<string, Handlebars.HelperDelegate> {
  const schema = (): string => {
    if (ledgerSchema === null) throw new Error("A file of work tables names a table of the ledger");
    return ledgerSchema;
  };
  return {
    ledger: (table: string) => ledgerTable(dialect, schema(), table),
    work: (table: string) => dialect.workTable(table),
    create_work: (table: string) => dialect.createWorkTable(table),
    canonical_user: (text: string) => canonicalUser(text, dialect),
    canonical_address: (text: string, kind: AddressKind) => canonicalAddress(text, kind, dialect),
    /** The columns of a row that hold addresses: `of` stands before each, `type` after it. */
    address_columns: ({ hash }: Handlebars.HelperOptions) => {
      const { of = "", type } = hash as { of?: string; type?: string };
      return ADDRESS_COLUMNS.map((column) => `${of}${column}${type === undefined ? "" : ` ${type}`}`).join(", ");
    },
    canonical_name: (text: string) => canonicalName(text, dialect),
    utc_date: (timestamp: string) => dialect.utcDate(timestamp),
    plus_seconds: (timestamp: string, seconds: string | number) => dialect.plusSeconds(timestamp, String(seconds)),
    seconds_between: (from: string, to: string) => dialect.secondsBetween(from, to),
    md5: (text: string) => dialect.md5(text),
    bytes: (text: string) => dialect.byteLength(text),
    /** A to Z in lower case and nothing else, as names of zones compare. */
    lower_ascii: (text: string) => `translate(${text}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')`,
    microseconds: (timestamp: string) => dialect.microseconds(timestamp),
    /** The part of a hash that holdouts and variants compare. */
    bucket: (...parts: unknown[]) => `substr(${dialect.md5(canonicalText(parts.slice(0, -1) as string[], dialect))}, 1, 8)`,
    /** The id of a message about a behaviour; `of` has the columns step, user_id and item_key, and `repeat_kind` is its segment's. */
    message_id: (salt: string, of: string, anchor: string, repeatKind: string, trial: boolean) => messageId({ salt, of, anchor, repeatKind, trial }, dialect),
    /** ISO 8601 with seconds. */
    iso: (timestamp: string) => isoSeconds(timestamp, dialect),
    /** ISO 8601 with what there is of fractions. */
    iso_text: (timestamp: string) => isoText(timestamp, dialect),
    json: (...args: unknown[]) => {
      const words = args.slice(0, -1) as string[];
      return dialect.jsonObject(words.filter((_, i) => i % 2 === 0).map((key, i) => [key, words[2 * i + 1] ?? "null"] as const));
    },
    /** Around a SELECT: inserts its rows into a table of the ledger, but those whose key is there. */
    insert_missing(this: unknown, table: string, { hash, fn }: Handlebars.HelperOptions) {
      const { columns, key } = hash as { columns: string; key: string };
      return dialect.insertMissing(ledgerTable(dialect, schema(), table), columns.split(", "), fn(this).trim(), key);
    },
    /** The columns to add as `name=type`. */
    add_columns: (table: string, { hash }: Handlebars.HelperOptions) =>
      dialect.addColumns(ledgerTable(dialect, schema(), table), Object.entries(hash as Record<string, string>)).join(";\n"),
    drop_not_null: (table: string, column: string) => dialect.dropNotNull(dialect.schemaName(schema()), table, column),
    rows: (table: ConstantTable) => constantTable(table, dialect, binder),
    constant: (value: Constant, type: keyof Dialect["types"]) => cell(value, type, dialect, binder),
  };
}

/** SQL of a timestamp as ISO 8601 UTC to the second. */
export function isoSeconds(timestamp: string, dialect: Dialect): string {
  return `${dialect.builtIn("replace")}(${dialect.builtIn("substr")}(${dialect.utcText(timestamp)}, 1, 19), ' ', 'T') || 'Z'`;
}

/** SQL of a timestamp as ISO 8601 UTC with what there is of fractions. */
export function isoText(timestamp: string, dialect: Dialect): string {
  return `${dialect.builtIn("replace")}(${dialect.utcText(timestamp)}, ' ', 'T') || 'Z'`;
}

export function ledgerTable(dialect: Dialect, schema: string, table: string): string {
  return `${dialect.schemaName(schema)}.${dialect.quote(table)}`;
}

/** The statements of one of our own SQL files: they end with `;` at the end of a line. */
export function statementsOf(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((part) => part.trim())
    .filter((part) => part.replaceAll(/^--.*$/gm, "").trim() !== "");
}

/** What makes the work tables of one run anew. */
export function workTables(dialect: Dialect): Statement[] {
  return statementsOf(renderSqlFile("work.sql", dialect, null, { types: dialect.columnTypes }).sql).map((sql) => ({ sql, params: [], ours: true }));
}

/** Whether the database lists a table, in whatever case it keeps names. */
export async function inInformationSchema(warehouse: Warehouse, schema: string, table: string): Promise<boolean> {
  const binder = new Binder(warehouse.dialect);
  const named = `lower(table_schema) = lower(${binder.bind(schema)}) and lower(table_name) = lower(${binder.bind(table)})`;
  return (await warehouse.query({ sql: `select table_name from information_schema.tables where ${named}`, params: binder.params, ours: true })).length > 0;
}
