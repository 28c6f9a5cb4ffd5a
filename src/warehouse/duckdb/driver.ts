/** DuckDB's client. */
import { createRequire } from "node:module";
import type * as Driver from "@duckdb/node-api";

/**
 * Required rather than imported: to import it, Node first reads all 180 files of the package for the names that they export, which
 * takes 230 ms of processor time where this takes 90.
 */
const driver = createRequire(import.meta.url)("@duckdb/node-api") as typeof Driver;

export const { DuckDBDataChunk, DuckDBInstance, DuckDBTimestampValue, version } = driver;
