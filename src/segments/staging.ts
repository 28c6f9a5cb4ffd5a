/** What the statements have in common that stage a query of the user's. */
import { APART, type Dialect } from "../warehouse/dialect.js";
import { Binder } from "../warehouse/sql.js";
import type { Column, Statement } from "../warehouse/types.js";

/** The smaller of the limits that there are, as a statement has it. */
export function limit(...limits: readonly (number | null)[]): { maxBytes?: number } {
  const set = limits.filter((bytes) => bytes !== null);
  return set.length === 0 ? {} : { maxBytes: Math.min(...set) };
}

/** A column by its name, in any capitals. */
export function has(columns: readonly Column[], name: string): Column | undefined {
  return columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
}

/** SQL of a column as a UTC timestamp; of none, null. */
export function timeOf(column: Column | undefined, dialect: Dialect): string {
  return column === undefined ? `cast(null as ${dialect.types.timestamp})` : dialect.toUtc(dialect.quote(column.name), column.kind);
}

/** What a statement that reads a user's query says in its place, and what binds the values that follow the query's. */
export function readingQuery(sql: string, bound: Binder, apart = bound.dialect.queriesApart): { query: string; binder: Binder } {
  const { dialect } = bound;
  if (apart) return { query: `select * from ${dialect.workTable(APART)}`, binder: new Binder(dialect) };
  return { query: sql, binder: bound.continued() };
}

/** The statement, and on which line of it, or of the query that runs before it, the user's SQL begins. */
export function staging(asked: Statement, stage: Statement, apart: boolean): { stage: Statement; queryLine: number } {
  const statement = { ...asked, ...stage };
  return apart ? { stage: { ...statement, apart: asked }, queryLine: 1 } : { stage: statement, queryLine: lineOfQuery(stage.sql) };
}

/** The user's SQL stands first in WITH, on lines of its own. */
function lineOfQuery(sql: string): number {
  return sql.split("\n").findIndex((line) => /^with \w+_query as \($/.test(line)) + 2;
}
