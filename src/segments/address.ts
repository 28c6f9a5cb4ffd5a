import { addressOf, type AddressKind } from "../channels/registry.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { Binder } from "../warehouse/sql.js";

/**
 * SQL that is true where an address can't be written to: null, blank or malformed. The same on all warehouses, so what is not plain is judged without regular
 * expressions: `translate` removes what may not be there, and a change tells.
 */
export function addressProblem(kind: AddressKind, column: string, dialect: Dialect, binder: Binder): string {
  const { check } = addressOf(kind);
  if (check === null) return "false";
  // BigQuery would take all white space off: what it is is said.
  const trimmed = `trim(${column}, ' ')`;
  const tooLong = check.longest === null ? null : `length(${trimmed}) > ${String(check.longest)}`;
  const wrong = [
    `${column} is null`,
    `${trimmed} = ''`,
    ...(tooLong === null ? [] : [tooLong]),
    ...(check.shape === null ? [] : [`${trimmed} not like '${check.shape.like}'`, `${trimmed} like '${check.shape.unlike}'`]),
    `translate(${trimmed}, ${binder.bind(check.unwanted)}, '') <> ${trimmed}`,
  ];
  return `case when ${dialect.matches(trimmed, check.plain)} then ${tooLong ?? "false"} else ${wrong.join(" or ")} end`;
}
