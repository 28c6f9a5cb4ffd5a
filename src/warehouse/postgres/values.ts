import type { ColumnKind } from "../kinds.js";

type Plain = string | number | boolean;

/** Object ids of the types that are more than text to us; they are fixed in every Postgres (src/include/catalog/pg_type.dat). */
const BOOL = 16;
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701]);

/** How a value of a type is read from the text in which Postgres sends it: numbers where JavaScript holds them exactly. */
export function readValue(oid: number): (text: string) => Plain {
  if (oid === BOOL) return (text) => text === "t";
  if (NUMBERS.has(oid)) return readNumber;
  return (text) => text;
}

function readNumber(text: string): Plain {
  const value = Number(text);
  if (!Number.isFinite(value)) return text;
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(text) ? text : value;
}

const KINDS: Readonly<Record<string, ColumnKind>> = {
  bool: "boolean",
  int2: "integer",
  int4: "integer",
  int8: "integer",
  // Of JSON, Postgres makes a text of it.
  oid: "exact",
  float4: "float",
  float8: "float",
  numeric: "exact",
  money: "exact",
  timestamp: "timestamp",
  timestamptz: "timestamp",
  date: "date",
  time: "text",
  timetz: "text",
  uuid: "text",
  xml: "text",
  bytea: "opaque",
  interval: "opaque",
};

/** By the category of a type: arrays; rows, declared or not; bits; ranges; shapes. Others, such as JSON, may hold anything. */
const CATEGORIES: Readonly<Record<string, ColumnKind>> = {
  S: "text",
  E: "text",
  I: "text",
  A: "list",
  C: "object",
  P: "object",
  V: "opaque",
  R: "opaque",
  G: "opaque",
};

/** The family of a type, by its name in pg_type and its category there: strings, enums and network addresses are text. */
export function kindOf(name: string, category: string): ColumnKind {
  return KINDS[name] ?? CATEGORIES[category] ?? "nested";
}
