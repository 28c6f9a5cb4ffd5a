/** What a warehouse, or an emulator alone, can't show: the whole list. A test that ends otherwise than its reason says fails. */
import type { NotSupported, Reasons } from "./each.js";

export const TWO_PROCESSES: Reasons = {
  duckdb: { why: "a file is open in one process at a time, whose runs take turns", error: /^$/ },
};

export const STATEMENT_TIMEOUT: Reasons = {
  duckdb: { why: "it works in this process, where a run is interrupted by its signal", error: /^$/ },
};

const NO_LINE: NotSupported = { why: "it names no line of an unknown table", error: /^$/ };

export const ERROR_LINE: Reasons = { "snowflake emulator": NO_LINE, "bigquery emulator": NO_LINE };
