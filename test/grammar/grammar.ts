import type { Param, Script } from "../../src/warehouse/types.js";

/**
 * What of a statement its grammar depends on: of one that differs from another in its moments, its run or the number of rows of a
 * table of constants, nothing new is to be said.
 */
export function shapeOf(sql: string): string {
  return sql
    .replaceAll(/'\d{4}-\d\d-\d\dT[\d:.]+Z'/g, "'2026-03-02T12:00:00Z'")
    .replaceAll(/'run\d+'/g, "'run'")
    .replaceAll(/(?:\n\s*union all select [^\n]*?)+(?=\n|\)|$)/g, "\n  union all select …");
}

/** What reads statements as a warehouse would: GoogleSQL's analyzer, and a parser of Snowflake's SQL. */

export interface CatalogColumn {
  name: string;
  /** In the grammar's own words. */
  type: object;
}

/** Columns by the dotted name of their table. */
export type Catalog = Map<string, readonly CatalogColumn[]>;

export interface Fault {
  message: string;
  /** 1-based, of the statement. */
  line: number;
}

export interface Verdict {
  fault: Fault | null;
  /** A table that the statement defines, widens or drops. */
  change: { table: string; columns: readonly CatalogColumn[]; does: "define" | "widen" | "drop" } | null;
}

export interface Grammar {
  /** The grammar's type for one of DuckDB's, of tables that the job does not make. */
  typeOf(duckDbType: string): object;
  check(sql: string, params: readonly Param[], catalog: Catalog): Promise<Verdict>;
  /** What the adapter makes of a script of such statements, where that is one request: its text, and the first fault in it. */
  checkScript?(script: Script, catalog: Catalog): Promise<{ sql: string; fault: Fault | null }>;
}
