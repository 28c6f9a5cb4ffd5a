import type { Bind, Column as DriverColumn } from "snowflake-sdk";
import { plainName } from "./dialect.js";
import type { ColumnKind } from "../kinds.js";
import type { AppendColumn, Column, Row } from "../types.js";
import { numberOrText } from "../values.js";

export function columnsOf(columns: readonly DriverColumn[]): Column[] {
  return columns.map((column) => ({ name: plainName(column.getName()), type: column.getType(), kind: kindOf(column.getType(), column.getScale()) }));
}

/** Reads the rows of a result, in which the client leaves numbers, times and nested values as text. */
export function rowReader(columns: readonly DriverColumn[]): (values: readonly unknown[]) => Row {
  const known = columnsOf(columns);
  return (values) => {
    const row: Row = {};
    for (const [i, { name, kind }] of known.entries()) row[name] = plainValue(values[i], kind);
    return row;
  };
}

function plainValue(value: unknown, kind: ColumnKind): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value;
  return numberOrText(typeof value === "string" ? value : JSON.stringify(value), kind);
}

/** The family of a type, as Snowflake's results name it. */
function kindOf(type: string, scale: number): ColumnKind {
  switch (type.toLowerCase()) {
    case "fixed":
      return scale === 0 ? "integer" : "exact";
    case "decfloat":
      return "exact";
    case "real":
      return "float";
    case "boolean":
      return "boolean";
    case "text":
    case "time":
      return "text";
    case "date":
      return "date";
    case "timestamp_ntz":
    case "timestamp_ltz":
    case "timestamp_tz":
      return "timestamp";
    case "array":
    case "vector":
      return "list";
    case "object":
    case "map":
      return "object";
    case "binary":
      return "opaque";
    default:
      return "nested";
  }
}

/** Above so many bound values the client stages them as a file (CLIENT_STAGE_ARRAY_BINDING_THRESHOLD, 65,280), which is slower for few and asks for a stage. */
const MOST_BINDS = 60_000;
/** What one request takes, characters: far below what the server refuses, more than a usual batch has. */
const MOST_TEXT = 8_000_000;

/** The rows of an append as array binds, in as few statements as they fit. */
export function* boundRows(columns: readonly AppendColumn[]): Generator<Bind[][]> {
  const mostRows = Math.max(1, Math.floor(MOST_BINDS / columns.length));
  const length = columns[0]?.values.length ?? 0;
  let rows: Bind[][] = [];
  let text = 0;
  for (let at = 0; at < length; at++) {
    const row = columns.map((column) => bound(column, at));
    rows.push(row);
    text += row.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 4), 0);
    if (rows.length < mostRows && text < MOST_TEXT) continue;
    yield rows;
    rows = [];
    text = 0;
  }
  if (rows.length > 0) yield rows;
}

function bound({ kind, values }: AppendColumn, at: number): Bind {
  const value = values[at] ?? null;
  if (value === null || kind === "text") return value;
  // As text, which Snowflake casts to the column's type: the client binds dates and large numbers badly.
  return kind === "timestamp" ? new Date(value).toISOString() : String(value);
}
