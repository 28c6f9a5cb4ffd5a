/** How a run is moved to another instant and given other names, so that it can be decided beside others: SQL and constants. */
import { REASONS } from "../../src/arbitration/reasons.js";
import type { Constant, ConstantTable } from "../../src/warehouse/sql.js";

/** The instant to which packed runs are moved. */
const NOON = "2026-06-01T12:00:00Z";
/** The statement's tables of constants. */
export const CONSTANTS = ["segments", "steps", "first_offsets", "needs", "audience_use", "caps", "zones", "outcomes"];
/** Tables that speak of the whole project: only runs in which they are the same can be packed. */
export const SHARED = ["caps", "outcomes"];

/** What the statement is filled with. */
export type Context = Record<string, unknown>;

/** The columns of one of the statement's tables of constants, as one text. */
export function namesOf(context: Context, name: string): string {
  return (context[name] as ConstantTable).columns.map((column) => column.name).join();
}

/** True if some zone's hours are quiet, or will be. */
export function isQuiet(context: Context): boolean {
  return (context["zones"] as ConstantTable).rows.some((row) => row.some(isInstant));
}

/** Stands before every name of a situation in a pack. */
/** Reasons whose rule is the name of an audience. */
const NAME_AUDIENCES = REASONS.filter(({ rule }) => rule === "audience")
  .map(({ name }) => `'${name}'`)
  .join(", ");

export const prefix = (id: number): string => `p${String(id)}-`;

/** Microseconds from a run's `as_of` to the packs'. */
export function micros(context: Context): string {
  const asOf = /'([^']+)'/.exec(String(context["as_of"]))?.[1] ?? "";
  return String((Date.parse(NOON) - Date.parse(asOf)) * 1000);
}

/** The names in a pack as they were, with the situation's number before them. */
export function unnamed(columns: string): string {
  const plain = columns.split(", ").map((column) => {
    if (column === "rule") return `case when reason in (${NAME_AUDIENCES}) then regexp_replace(rule, '^p\\d+-', '') else rule end`;
    return column === "segment" || column === "user_id" ? `regexp_replace(${column}, '^p\\d+-', '')` : column;
  });
  return [`cast(regexp_extract(segment, '^p(\\d+)-', 1) as integer)`, ...plain].join(", ");
}

/** A column of the ledger or of the work tables as it stands in a pack. */
export function movedColumn(name: string, type: string, together: boolean): string {
  if (!together) return `k."${name}"`;
  if (type.startsWith("TIMESTAMP")) return `k."${name}" + to_microseconds(m.micros)`;
  if (["segment", "user_id", "message_id", "address", "audience"].includes(name)) return `m.prefix || k."${name}"`;
  if (["email", "phone", "device_token"].includes(name)) return `regexp_replace(k."${name}", '^( *)', '\\1' || m.prefix)`;
  if (name === "timezone") return `m.prefix || coalesce(k.timezone, '')`;
  if (name === "rule") return `case when k.reason in (${NAME_AUDIENCES}) then m.prefix || k.rule else k.rule end`;
  return name === "seq" ? `k.seq + 1000000000 * cast(k.id as bigint)` : `k."${name}"`;
}

function isInstant(value: Constant): value is { timestamp: string } {
  return typeof value === "object" && typeof value?.timestamp === "string";
}

/** An instant (ISO 8601) so many microseconds later. */
function later(instant: string, by: string): string {
  return new Date(Date.parse(instant) + Number(by) / 1000).toISOString();
}

/** A table of constants whose instants are so many microseconds later. */
export function moved(table: ConstantTable, by: string): ConstantTable {
  const cell = (value: Constant): Constant => (isInstant(value) ? { timestamp: later(value.timestamp, by) } : value);
  return { ...table, rows: table.rows.map((row) => row.map(cell)) };
}

/** What the statement is filled with, moved to the packs' instant and under the names of one situation. */
export function renamed(context: Context, by: string): Context {
  const named = ["segment", "audience", "goal", "failed_audience", "zone"];
  const tables = CONSTANTS.map((name) => {
    const table = moved(context[name] as ConstantTable, micros(context));
    const rows = table.rows.map((row) =>
      row.map((value, i) => (named.includes(table.columns[i]?.name ?? "") && typeof value === "string" ? by + value : value)),
    );
    return [name, { ...table, rows }];
  });
  const times = ["as_of", "history_from", "caps_from", "had_before_from"].map((name) => [name, movedLiteral(String(context[name]), micros(context))]);
  return { ...context, ...(Object.fromEntries([...tables, ...times]) as Context) };
}

function movedLiteral(sql: string, by: string): string {
  // The beginning of time is the same for all.
  return sql.replace(/'(?!1970)([^']+)'/, (_, at: string) => `'${later(at, by)}'`);
}

/** One context of many: shared tables once, the others one after another, and the earliest of each bound. */
export function joined(contexts: readonly Context[]): Context {
  const first = contexts[0] ?? {};
  const tables = CONSTANTS.filter((name) => !SHARED.includes(name)).map((name) => {
    const all = contexts.map((context) => context[name] as ConstantTable);
    return [name, { columns: all[0]?.columns ?? [], rows: all.flatMap(({ rows }) => rows) }];
  });
  const bounds = ["history_from", "caps_from", "had_before_from"].map((name) => [name, contexts.map((context) => String(context[name])).sort()[0]]);
  return { ...first, ...(Object.fromEntries([...tables, ...bounds]) as Context) };
}
