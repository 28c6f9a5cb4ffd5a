import { OpportuneError } from "../core/errors.js";
import { withoutValues } from "../core/values.js";

/** A statement that the warehouse refused. */
export class WarehouseError extends OpportuneError {
  /** Line of the statement (1-based) that the warehouse points at, where it names one. */
  readonly statementLine: number | null;
  /** The warehouse's own message, one line, without the values that it quotes. */
  readonly reason: string;
  /** The statement, for a debug log; it holds no parameter values. */
  readonly sql: string;
  /** The way out, where one is known. */
  readonly hint: string | undefined;

  constructor(reason: string, statementLine: number | null, sql: string, cause?: unknown, hint?: string) {
    const shown = withoutValues(reason, sql);
    super({ code: "warehouse/statement", message: shown, ...(hint === undefined ? {} : { hint }) }, 1, cause);
    this.hint = hint;
    this.reason = shown;
    this.statementLine = statementLine;
    this.sql = sql;
  }
}

/** A script of which nothing stands, as one of its statements changed another number of rows than it must. */
export class UnmetError extends WarehouseError {
  /** Which of the script's statements, from 0. */
  readonly statement: number;

  constructor(sql: string, statement: number) {
    super("A statement changed another number of rows than it must: nothing of its transaction stands.", null, sql);
    this.statement = statement;
  }
}
