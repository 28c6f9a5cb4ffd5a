/** Trial and live: which rows of the ledger a run, or a command on a target, may read. docs/decisions.md has the law. */
import { sql, type RawBuilder } from "kysely";
import type { Target } from "../project/types.js";

/** Whether a run of the target is a trial: it isn't live, or decides as of a time that was given. */
export function isTrial(target: Pick<Target, "live">, asOf: string | null): boolean {
  return !target.live || asOf !== null;
}

/** Rows that a run reads: a live run reads live rows alone, a trial both. A row that doesn't say is live. `of`: the table's alias. */
export function heeded(trial: boolean, of?: string): RawBuilder<boolean> {
  return trial ? sql<boolean>`1 = 1` : sql<boolean>`not ${kindOf(of)}`;
}

/** Rows of one kind alone. */
export function ofKind(trial: boolean, of?: string): RawBuilder<boolean> {
  return trial ? sql<boolean>`${kindOf(of)}` : heeded(false, of);
}

function kindOf(of: string | undefined): RawBuilder<boolean> {
  return sql.raw(`coalesce(${of === undefined ? "" : `${of}.`}trial, false)`);
}
