/** Which columns may hold a user's id or an address; see "One form of an id" in docs/decisions.md. */
import type { Problem } from "../core/errors.js";
import type { SqlFile } from "../project/types.js";
import type { ColumnKind } from "../warehouse/kinds.js";
import type { Column } from "../warehouse/types.js";

/** Postgres' index over segment, user and key takes 2,704 bytes; BigQuery and Snowflake cluster by the first of an id alone. */
export const LONGEST_ID_BYTES = 512;

/** The type in which a segment returns its ids, as the warehouse calls it. */
export interface IdType {
  segment: string;
  type: string;
}

/** Kinds whose values have one form. A float rounds what is large; the others are no ids. */
const KINDS: readonly ColumnKind[] = ["text", "integer", "exact"];

/**
 * What is wrong with a column of ids or addresses; null: nothing. `who` begins the sentence; `beside`: a segment that compares them
 * with its own, and its type.
 */
export function idProblem(who: string, file: SqlFile, column: Column, beside: IdType | null = null): Problem | null {
  if (KINDS.includes(column.kind)) return null;
  return {
    code: "segment/id-type",
    message: `${who} returns ${column.name} as ${column.type}${beside === null ? "" : `, segment ${beside.segment} as ${beside.type}`}. Allowed are text, whole and exact numbers, and UUIDs: other types have no one form to compare.`,
    hint: `Cast it in the query to the type that the other queries have${column.kind === "float" ? ": a float rounds large numbers, so that two users become one" : ""}.`,
    file: file.file,
    line: file.sqlLine,
  };
}
