/** DuckDB's client. */
import { createRequire } from "node:module";

/**
 * Required rather than imported: to import it, Node first reads all 180 files of the package for the names that they export, which
 * takes 230 ms of processor time where this takes 90.
 */
const driver = createRequire(import.meta.url)("@duckdb/node-api") as typeof import("@duckdb/node-api");

export const { DuckDBDataChunk, DuckDBInstance, DuckDBTimestampValue, version } = driver;
