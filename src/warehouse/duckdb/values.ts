/** Values on their way to DuckDB and back. */
import type { DuckDBValue } from "@duckdb/node-api";
import { DuckDBTimestampValue } from "./driver.js";
import type { ColumnKind } from "../kinds.js";
import type { AppendColumn, Row, Statement } from "../types.js";

/** None where there are none to bind: the client then asks DuckDB once, instead of for the statement, for its plan and for its rows. */
export function valuesOf({ params }: Statement): DuckDBValue[] | undefined {
  return params.length === 0 ? undefined : [...params];
}

/** Part of a column as the appender takes it; times come as ms since 1970 UTC. */
export function toDuckDbValues(column: AppendColumn, start: number, end: number): DuckDBValue[] {
  const values: DuckDBValue[] = new Array<DuckDBValue>(end - start);
  for (let i = start; i < end; i++) {
    const value = column.values[i] ?? null;
    if (value === null || typeof value === "string") values[i - start] = value;
    else values[i - start] = column.kind === "timestamp" ? new DuckDBTimestampValue(BigInt(value) * 1000n) : BigInt(value);
  }
  return values;
}

/** A row by names: whole numbers that JavaScript holds as numbers, all else as text. */
export function toRow(names: readonly string[], values: readonly DuckDBValue[]): Row {
  const row: Row = {};
  for (let i = 0; i < names.length; i++) row[names[i] ?? ""] = toPlain(values[i] ?? null);
  return row;
}

function toPlain(value: DuckDBValue): string | number | boolean | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return String(value);
}

/** What a column's values are, by DuckDB's name of its type. */
export function columnKind(type: string): ColumnKind {
  // A list's name begins with its elements': TIMESTAMP[].
  if (type.endsWith("]")) return "list";
  if (/^(?:STRUCT|MAP)\(/.test(type)) return "object";
  if (type === "DATE") return "date";
  if (type.startsWith("TIMESTAMP")) return "timestamp";
  if (/^(VARCHAR|UUID|ENUM|TIME)/.test(type)) return "text";
  if (type === "BOOLEAN") return "boolean";
  if (/^(BIGINT|INTEGER|SMALLINT|TINYINT|UBIGINT|UINTEGER|USMALLINT|UTINYINT)$/.test(type)) return "integer";
  if (/^(DECIMAL|HUGEINT|UHUGEINT|BIGNUM)/.test(type)) return "exact";
  if (/^(DOUBLE|FLOAT)$/.test(type)) return "float";
  if (/^(INTERVAL|BLOB|BIT|GEOMETRY)/.test(type)) return "opaque";
  return "nested";
}
