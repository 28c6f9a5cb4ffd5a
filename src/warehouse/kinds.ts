/**
 * The families of column types that staging and templates tell apart. `list` and `object` are said where the type says so; `nested`
 * is JSON and its like, which hold anything. `opaque` is written as text by the warehouse: bytes, bits, intervals.
 */
export type ColumnKind = "text" | "date" | "timestamp" | "boolean" | "integer" | "float" | "exact" | "list" | "object" | "nested" | "opaque";
