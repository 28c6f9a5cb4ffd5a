import { formatBytes } from "../core/bytes.js";
import { OpportuneError } from "../core/errors.js";

/** A statement that the warehouse refused. */
export class WarehouseError extends OpportuneError {
  /** Line of the statement (1-based) that the warehouse points at, where it names one. */
  readonly statementLine: number | null;
  /** The warehouse's own message, one line. */
  readonly reason: string;
  /** The statement, for a debug log; it holds no parameter values. */
  readonly sql: string;

  constructor(reason: string, statementLine: number | null, sql: string, cause?: unknown) {
    super({ code: "warehouse/statement", message: reason }, 1, cause);
    this.reason = reason;
    this.statementLine = statementLine;
    this.sql = sql;
  }
}

/** Refuses a statement that would read more than it may. An estimate of null says nothing: it passes. @throws WarehouseError with both figures */
export function refuseBytes(estimate: number | null, most: number, sql: string): void {
  if (estimate === null || estimate <= most) return;
  throw new WarehouseError(`it would read ${formatBytes(estimate)}, more than the ${formatBytes(most)} of max_bytes_billed: nothing was run`, null, sql);
}
