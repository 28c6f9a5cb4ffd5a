/** What a warehouse, or an emulator alone, can't show: the whole list. */
import type { Reasons } from "./each.js";

export const TWO_PROCESSES: Reasons = {
  duckdb: {
    why: "a file is open in one process at a time, whose runs take turns",
    error: /to be 'ready'[^]*\nOpportuneError: \S+ is held by .+; waited \d+ seconds\./,
  },
};

export const STATEMENT_TIMEOUT: Reasons = {
  duckdb: {
    why: "it works in this process, where a run is interrupted by its signal",
    error: /^opportune\.yml:1:\d+: Unknown key "statement_timeout" in targets\.test; allowed: /,
  },
};

export const LINE_OF_STATEMENT: Reasons = {
  "snowflake emulator": { why: "it names no line of an unknown table", error: /^expected null to be 3 / },
  "bigquery emulator": { why: "it names no line of an unknown table", error: /^expected null to be 3 / },
};

export const LINE_OF_SEGMENT: Reasons = {
  "snowflake emulator": { why: "it names the line where the query begins", error: /^expected 8 to be 9 / },
  "bigquery emulator": { why: "it names no line of an unknown column", error: /^expected undefined to be 9 / },
};

export const PLAN: Reasons = {
  "snowflake emulator": { why: "it has no EXPLAIN", error: /Unhandled exception/ },
};
