/** The families of column types that staging tells apart. */
export type ColumnKind = "text" | "timestamp" | "boolean" | "integer" | "float" | "exact" | "nested";
