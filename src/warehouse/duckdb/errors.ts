/** DuckDB's errors as the project's, with the line of the statement that DuckDB points at. */
import { WarehouseError } from "../error.js";
import { memoryProblem, type DuckDbLimits } from "./memory.js";

/** `path`: of the database, beside which DuckDB writes what its memory doesn't hold. */
export function refused(error: unknown, sql: string, limits: DuckDbLimits, path: string): WarehouseError {
  // The client's own words before DuckDB's, e.g. "Failed to extract statements: Parser Error: …", help nobody.
  const text = (error instanceof Error ? error.message : String(error)).replace(/^Failed to [a-z ]+: (?=[A-Z][A-Za-z ]+ Error: )/, "");
  const line = /\nLINE (\d+):/.exec(text);
  const memory = memoryProblem(firstLine(text), limits, path === ":memory:" ? ".tmp" : `${path}.tmp`);
  return new WarehouseError(memory?.message ?? firstLine(text), line === null ? null : Number(line[1]), sql, error, memory?.hint);
}

/** That a stream ended before its last row. DuckDB doesn't say why. */
export function brokeOff(sql: string, { memoryLimit }: DuckDbLimits): WarehouseError {
  const message = "The result broke off. DuckDB doesn't say why: it was interrupted, or had no memory left.";
  return new WarehouseError(message, null, sql, undefined, `Raise \`memory_limit\` of this target in opportune.yml, now ${memoryLimit}, and run again.`);
}

function firstLine(text: string): string {
  return text.split("\n").filter((line) => line.trim() !== "" && !/^LINE \d+:|^\s*\^/.test(line))[0] ?? text;
}
