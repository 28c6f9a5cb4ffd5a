/** The one form of a user's id and of an address; see "One form of an id" in docs/decisions.md. */
import type { AddressKind } from "../project/types.js";
import { literal, type Dialect } from "./dialect.js";
import type { ColumnKind } from "./kinds.js";

const UUID = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";
const WHOLE = "^-?[0-9]+[.]0+$";
/** Above this a whole number may not fit a bigint. */
const MOST_WHOLE = "9e18";

/**
 * SQL of a user's id in its one form, from SQL of a text. What stands before each regular expression is cheap, and spares nearly every
 * row the expression.
 */
export function canonicalUser(text: string, dialect: Dialect): string {
  const id = `trim(${text}, ' ')`;
  return `case
      when ${id} like '%.%0' and ${dialect.matches(id, WHOLE)} then regexp_replace(${id}, '[.]0+$', '')
      when length(${id}) = 36 and ${id} <> lower(${id}) and ${dialect.matches(id, UUID)} then lower(${id})
      else ${id}
    end`;
}

/** SQL of a user's id in its one form, from a column of that kind. */
export function canonicalUserColumn(column: string, kind: ColumnKind, dialect: Dialect): string {
  const text = `cast(${column} as ${dialect.types.text})`;
  if (kind === "text" || kind === "exact") return canonicalUser(text, dialect);
  // Warehouses write a whole float with a place, or a large one with an exponent.
  if (kind === "float")
    return `case when ${column} = floor(${column}) and abs(${column}) < ${MOST_WHOLE} then cast(cast(${column} as ${dialect.types.bigint}) as ${dialect.types.text}) else ${canonicalUser(text, dialect)} end`;
  return text;
}

/**
 * SQL of the address in its one form, for rows with the columns channel and address. The kinds stand in it: with a join to them Postgres
 * would join candidates by channel alone.
 */
export function canonicalAddresses(kinds: ReadonlyMap<string, AddressKind>, dialect: Dialect): string {
  const forms = [...kinds].map(([channel, kind]) => `when ${literal(channel)} then ${canonicalAddress("address", kind, dialect)}`);
  return forms.length === 0 ? "address" : `case channel ${forms.join(" ")} else address end`;
}

/** SQL of an address in its one form. */
export function canonicalAddress(text: string, kind: AddressKind, dialect: Dialect): string {
  if (kind === "user_id") return canonicalUser(text, dialect);
  // BigQuery would take all white space off: what it is is said.
  const trimmed = `trim(${text}, ' ')`;
  return kind === "email" ? dialect.lower(trimmed) : trimmed;
}
