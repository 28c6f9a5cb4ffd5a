import { parametersOf, rowsParameter, type QueryParameter } from "./values.js";
import type { AppendColumn, Param, Script } from "../types.js";

/** Said by a script whose statement changed another number of rows than it must, with the statement's place from 0. */
export const UNMET = /opportune: rows changed by statement (\d+)/;

/** Said by a script whose transaction was ended: another has changed one of its tables meanwhile. */
const ENDED = "the transaction was ended due to concurrent update of a table";

/** Placeholders of a statement; what stands in quotes or in a comment is none. */
const TOKENS = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--[^\n]*|@p(\d+)\b/g;

/** A multi-statement query: one job, one request. */
export interface ScriptText {
  sql: string;
  parameters: QueryParameter[];
}

/**
 * Work tables first; then the statements in one transaction, which is rolled back in the script itself, whatever becomes of this
 * process. A query at the end comes after the commit: a script's result is that of its last statement.
 */
export function scriptText({ work = [], fill, statements }: Script): ScriptText {
  const parameters: QueryParameter[] = [];
  const add = (sql: string, params: readonly Param[]): string => {
    const from = parameters.length;
    parameters.push(...parametersOf(params, from));
    return sql.replace(TOKENS, (token, n?: string) => (n === undefined ? token : `@p${String(from + Number(n))}`));
  };
  const parts = work.map(({ sql, params }) => add(sql, params));
  if (fill !== undefined) {
    parts.push(`delete from ${fill.table} where true`, insertRows(fill.table, fill.columns));
    parameters.push(rowsParameter("rows", fill.columns, 0, fill.columns[0]?.values.length ?? 0));
  }
  const last = statements.at(-1);
  const asked = last !== undefined && /^\s*(?:--[^\n]*\n\s*)*(?:select|with)\b/i.test(last.sql) ? last : undefined;
  const writes = asked === undefined ? statements : statements.slice(0, -1);
  if (writes.length > 0) {
    const body = writes.flatMap(({ sql, params, mustChange }, i) => {
      const unmet = `raise using message = 'opportune: rows changed by statement ${String(i)}'`;
      return [add(sql, params), ...(mustChange === undefined ? [] : [`if @@row_count != ${String(mustChange)} then ${unmet}; end if`])];
    });
    parts.push(transaction(body), "commit transaction");
  }
  if (asked !== undefined) parts.push(add(asked.sql, asked.params));
  return { sql: `${parts.join(";\n")};`, parameters };
}

/**
 * Begins a transaction, which is rolled back if any of it fails. Where there is nothing left to roll back BigQuery has ended the
 * transaction by itself, and it may be run again. A commit stands outside: one that fails may have been carried out all the same.
 */
function transaction(statements: readonly string[]): string {
  const rollback = `begin\nrollback transaction;\nexception when error then\nraise using message = '${ENDED}';\nend`;
  return `begin\n${["begin transaction", ...statements].join(";\n")};\nexception when error then\n${rollback};\nraise;\nend`;
}

/** Inserts the rows of the parameter `@rows`. */
export function insertRows(table: string, columns: readonly AppendColumn[]): string {
  const names = columns.map(({ name }) => `\`${name}\``);
  return `insert into ${table} (${names.join(", ")}) select ${names.map((name) => `r.${name}`).join(", ")} from unnest(@rows) as r`;
}
