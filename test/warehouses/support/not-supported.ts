/** What a warehouse, or an emulator alone, can't show: the whole list. A test of which the reason no longer holds fails. */
import type { Reasons } from "./each.js";

export const TWO_PROCESSES: Reasons = { duckdb: "a file is open in one process at a time, whose runs take turns" };

export const STATEMENT_TIMEOUT: Reasons = { duckdb: "it works in this process, where a run is interrupted by its signal" };

export const ERROR_LINE: Reasons = {
  "snowflake emulator": "it names no line of an unknown table",
  "bigquery emulator": "it names no line of an unknown table",
};
