import type { ColumnKind } from "../kinds.js";
import type { AppendColumn, Column, Param, Row } from "../types.js";
import { numberOrText } from "../values.js";

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter */
export interface QueryParameter {
  name: string;
  parameterType: ParameterType;
  parameterValue: ParameterValue;
}

interface ParameterType {
  type: string;
  arrayType?: ParameterType;
  structTypes?: { name: string; type: ParameterType }[];
}

interface ParameterValue {
  value?: string | null;
  arrayValues?: ParameterValue[];
  structValues?: Record<string, ParameterValue>;
}

/** A statement's parameters: `@p1`, `@p2`, …. Numbers have a type, as Kysely's stand beside INT64 columns; the job's own SQL casts the rest from text. */
export function parametersOf(params: readonly Param[], from = 0): QueryParameter[] {
  return params.map((value, i) => ({
    name: `p${String(from + i + 1)}`,
    parameterType: { type: typeof value === "number" ? (Number.isInteger(value) ? "INT64" : "FLOAT64") : "STRING" },
    parameterValue: { value: value === null ? null : String(value) },
  }));
}

const APPENDED = { text: "STRING", integer: "INT64", timestamp: "TIMESTAMP" } as const;

/** Rows `from` to `to` as one parameter, an array of structs. */
export function rowsParameter(name: string, columns: readonly AppendColumn[], from: number, to: number): QueryParameter {
  const structTypes = columns.map((column) => ({ name: column.name, type: { type: APPENDED[column.kind] } }));
  const arrayValues: ParameterValue[] = [];
  for (let i = from; i < to; i++)
    arrayValues.push({ structValues: Object.fromEntries(columns.map((column) => [column.name, { value: appended(column, i) }])) });
  return { name, parameterType: { type: "ARRAY", arrayType: { type: "STRUCT", structTypes } }, parameterValue: { arrayValues } };
}

function appended({ kind, values }: AppendColumn, i: number): string | null {
  const value = values[i] ?? null;
  if (value === null) return null;
  return kind === "timestamp" ? new Date(value).toISOString() : String(value);
}

interface Field {
  name: string;
  type: string;
  mode?: string;
}

export function columnsOf(fields: readonly Field[]): Column[] {
  return fields.map((field) => ({ name: field.name, type: field.mode === "REPEATED" ? `ARRAY<${field.type}>` : field.type, kind: kindOf(field) }));
}

/** Rows as the REST API gives them, every value as text, by their columns' kinds. */
export function reader(fields: readonly Field[]): (row: { f: readonly { v: unknown }[] }) => Row {
  const columns = columnsOf(fields);
  return ({ f }) => {
    const row: Row = {};
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      if (column !== undefined) row[column.name] = plainValue(f[i]?.v, column.kind);
    }
    return row;
  };
}

function plainValue(value: unknown, kind: ColumnKind): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "string") return JSON.stringify(value);
  return kind === "boolean" ? value === "true" : numberOrText(value, kind);
}

/** The family of a type, as the REST API names it. */
function kindOf({ type, mode }: Field): ColumnKind {
  if (mode === "REPEATED") return "list";
  switch (type) {
    case "INTEGER":
    case "INT64":
      return "integer";
    case "FLOAT":
    case "FLOAT64":
      return "float";
    case "NUMERIC":
    case "BIGNUMERIC":
      return "exact";
    case "BOOLEAN":
    case "BOOL":
      return "boolean";
    case "STRING":
    case "TIME":
      return "text";
    case "TIMESTAMP":
    case "DATETIME":
      return "timestamp";
    case "DATE":
      return "date";
    case "RECORD":
    case "STRUCT":
      return "object";
    case "BYTES":
    case "INTERVAL":
    case "GEOGRAPHY":
      return "opaque";
    default:
      return "nested";
  }
}
