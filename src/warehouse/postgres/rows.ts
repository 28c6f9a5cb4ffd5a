import type { FieldDef, QueryArrayResult } from "pg";
import type { Dialect } from "../dialect.js";
import type { Values } from "./session.js";
import { kindOf } from "./values.js";
import type { Column, Row, Statement } from "../types.js";

/** Columns of a described query, with the names of their types as Postgres writes them. */
const TYPE_NAMES = `select pg_catalog.format_type(c.oid, c.modifier) as name, t.typname, t.typcategory, t.typtype, t.typcollation <> cast(0 as oid) as collated
from unnest($1::oid[], $2::int[]) with ordinality as c(oid, modifier, place)
join pg_catalog.pg_type t on t.oid = c.oid
order by c.place`;

/** A query for the types of those columns, a row each. */
export function typesOf(fields: readonly FieldDef[]): Statement {
  const numbers = (of: (field: FieldDef) => number): string => arrayText(fields.map(of));
  return { sql: TYPE_NAMES, params: [numbers(({ dataTypeID }) => dataTypeID), numbers(({ dataTypeModifier }) => dataTypeModifier)] };
}

/** The columns as staging knows them; `types` as `typesOf` gives them. */
export function columnsOf(fields: readonly FieldDef[], types: readonly Row[]): Column[] {
  return fields.map(({ name }, i) => {
    const type = types[i];
    return { name, type: String(type?.["name"]), kind: kindOf(String(type?.["typname"]), String(type?.["typcategory"])) };
  });
}

/** What a table takes of a query's columns: text by bytes, whatever its own collation; of rows, which no column can hold, their JSON. */
export function carriedColumns(fields: readonly FieldDef[], types: readonly Row[], dialect: Dialect): string {
  const columns = fields.map(({ name }, i) => {
    const column = dialect.quote(name);
    const type = types[i];
    if (type?.["typtype"] === "p") return `pg_catalog.to_json(${column}) as ${column}`;
    return type?.["collated"] === true ? `${column} collate pg_catalog."C" as ${column}` : column;
  });
  return columns.join(", ");
}

export function rowsOf({ rows, fields }: QueryArrayResult<Values>): Row[] {
  return rows.map((values) => toRow(fields, values));
}

function toRow(fields: readonly FieldDef[], values: Values): Row {
  const row: Row = {};
  for (let i = 0; i < fields.length; i++) row[fields[i]?.name ?? ""] = values[i] ?? null;
  return row;
}

/** An array as Postgres reads it from text. */
export function arrayText(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => (value === null ? "null" : typeof value === "number" ? String(value) : `"${value.replaceAll(/["\\]/g, "\\$&")}"`)).join(",")}}`;
}
