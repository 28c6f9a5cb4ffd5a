/** Trial and live: which rows of the ledger a run, or a command on a target, may read. docs/decisions.md has the law. */
import { sql, type RawBuilder } from "kysely";
import type { Target } from "../project/types.js";

/** Whether a run of the target is a trial: the target isn't live, or the run decides as of a time that was given. */
export function isTrial(target: Pick<Target, "live">, asOf: string | null): boolean {
  return !target.live || asOf !== null;
}

/** Rows that a run reads: a live run reads live rows alone, a trial both. A row that doesn't say is live. `of`: the table's alias. */
export function heeded(trial: boolean, of?: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.raw(heededSql(trial, of))}`;
}

/** The same as SQL. */
export function heededSql(trial: boolean, of?: string): string {
  return trial ? "1 = 1" : ofKindSql(false, of);
}

/** Rows of one kind alone. `of`: the table's alias. */
export function ofKind(trial: boolean, of?: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.raw(ofKindSql(trial, of))}`;
}

/** SQL of the condition that a row is of one kind. `of`: the table's alias. */
export function ofKindSql(trial: boolean, of?: string): string {
  return `${trial ? "" : "not "}coalesce(${of === undefined ? "" : `${of}.`}trial, false)`;
}
