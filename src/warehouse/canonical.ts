/** The one form of a user's id, of an address and of a name; see "One form of an id" in docs/decisions.md. */
import { addressOf, type AddressKind } from "../channels/registry.js";
import { literal, type Dialect } from "./dialect.js";
import type { ColumnKind } from "./kinds.js";

const UUID = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";
const WHOLE = "^-?[0-9]+[.]0+$";

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

/** SQL of a user's id in its one form, from a column of a kind that ids may have. */
export function canonicalUserColumn(column: string, kind: ColumnKind, dialect: Dialect): string {
  const text = `cast(${column} as ${dialect.types.text})`;
  return kind === "integer" ? text : canonicalUser(text, dialect);
}

/**
 * SQL of the address in its one form, for rows with the columns channel, in its one form, and address. The kinds stand in it: with a join to them Postgres
 * would join candidates by channel alone.
 */
export function canonicalAddresses(kinds: ReadonlyMap<string, AddressKind>, dialect: Dialect): string {
  const forms = [...kinds].map(([channel, kind]) => `when ${literal(channel)} then ${canonicalAddress("address", kind, dialect)}`);
  return forms.length === 0 ? "address" : `case channel ${forms.join(" ")} else address end`;
}

/** SQL of a channel's or topic's name in its one form; null for a blank one. */
export function canonicalName(text: string, dialect: Dialect): string {
  return `nullif(${dialect.lower(`trim(${text}, ' ')`)}, '')`;
}

/** SQL of an address in its one form. */
export function canonicalAddress(text: string, kind: AddressKind, dialect: Dialect): string {
  const { form } = addressOf(kind);
  if (form === "user_id") return canonicalUser(text, dialect);
  // BigQuery would take all white space off: what it is is said.
  const trimmed = `trim(${text}, ' ')`;
  return form === "lower_case" ? dialect.lower(trimmed) : trimmed;
}
