import { randomUUID } from "node:crypto";
import type { Bind, Connection, RowStatement, StatementOption } from "snowflake-sdk";
import { within as workWithin } from "../../core/within.js";
import type { SnowflakeConnection } from "../../project/targets/snowflake.js";
import { isNoAnswer, sessionLost, statementError } from "./errors.js";

/** The client gives a statement up so much later than the server ends it, ms: then nothing has come back at all. */
const PATIENCE_MS = 30_000;
/** The next row of a result, the rest of which lies in chunks in cloud storage, ms. */
const ROW_MS = 120_000;
/** For what is asked of a session that is given up, ms: each time the process would have ended by now. */
const FAREWELL_MS = 3_000;

/** One statement: what is sent, and what its author wrote, whose lines an error is about. */
interface Asked {
  sql: string;
  binds?: readonly Bind[] | readonly Bind[][];
  /** As the account's history names it. */
  tag: string;
  shown?: string;
  /** Compiled alone: no warehouse wakes up for it. */
  describeOnly?: boolean;
}

/**
 * One session in Snowflake. The client repeats requests that got no answer by itself (8 times in all, up to 16 s between two),
 * under one request id, by which the server knows a statement that it has begun or done already: none runs twice. Behind that
 * stands a deadline of our own, as the client has none for a statement. A session that has once not answered is not asked again.
 */
export class SnowflakeSession {
  readonly #client: Connection;
  readonly #connection: SnowflakeConnection;
  readonly #running = new Set<RowStatement>();
  #lost: unknown = null;

  constructor(client: Connection, connection: SnowflakeConnection) {
    this.#client = client;
    this.#connection = connection;
  }

  /** Runs one statement to its end; its rows are yet to be read. @throws WarehouseError, or OpportuneError when the session is lost */
  async run({ sql, binds, tag, shown = sql, describeOnly }: Asked): Promise<RowStatement> {
    if (this.#lost !== null) throw sessionLost(this.#lost, this.#connection);
    const options: StatementOption & { describeOnly?: boolean } = {
      sqlText: sql,
      requestId: randomUUID(),
      // The statement's own, so that naming it costs no statement.
      parameters: { QUERY_TAG: tag },
      // Without this the client asks once more for a result that failed, and with it for the statement.
      streamResult: true,
      ...(binds === undefined || binds.length === 0 ? {} : { binds }),
      ...(describeOnly === undefined ? {} : { describeOnly }),
    };
    let statement: RowStatement | undefined;
    const done = new Promise<RowStatement>((resolve, reject) => {
      const complete = (error: unknown, finished: RowStatement): void => {
        // Nothing or null where all is well, whatever the client's types say.
        if (error instanceof Error) reject(error);
        else resolve(finished);
      };
      statement = this.#client.execute({ ...options, complete });
      this.#running.add(statement);
    });
    try {
      return await within(done, this.#connection.statementTimeoutSeconds * 1000 + PATIENCE_MS);
    } catch (error) {
      if (error instanceof NoAnswerInTime) statement?.cancel(() => undefined);
      throw this.#failure(error, shown);
    } finally {
      if (statement !== undefined) this.#running.delete(statement);
    }
  }

  /** The rows of a statement's result, values in the order of its columns. */
  async *rows(statement: RowStatement, shown: string): AsyncGenerator<unknown[]> {
    const rows = statement.streamRows();
    const next = rows[Symbol.asyncIterator]() as AsyncIterator<unknown[], undefined>;
    try {
      for (;;) {
        // Whoever reads takes the time that sending takes: only what the server needs is limited.
        const { value, done } = await within(next.next(), ROW_MS);
        if (done === true) return;
        yield value;
      }
    } catch (error) {
      throw this.#failure(error, shown);
    } finally {
      rows.destroy();
    }
  }

  /** Ends the statements under way in the warehouse: they fail here too. */
  async cancel(): Promise<void> {
    const ended = [...this.#running].map((statement) => new Promise<void>((resolve) => statement.cancel(() => resolve())));
    await within(Promise.all(ended), FAREWELL_MS).catch(() => undefined);
  }

  /** Ends the session, and with it a transaction that is open and the temporary tables. */
  async close(): Promise<void> {
    await this.cancel();
    // One that doesn't answer would hold the process up; the server ends it by itself.
    if (this.#lost !== null) return;
    const closed = new Promise<void>((resolve) => this.#client.destroy(() => resolve()));
    await within(closed, FAREWELL_MS).catch(() => undefined);
  }

  #failure(error: unknown, shown: string): Error {
    if (!(error instanceof NoAnswerInTime) && !isNoAnswer(error)) return statementError(error, shown, this.#connection);
    this.#lost = error;
    return sessionLost(error, this.#connection);
  }
}

class NoAnswerInTime extends Error {
  constructor(ms: number) {
    super(`no answer within ${String(Math.round(ms / 1000))} s`);
  }
}

/** @throws NoAnswerInTime when the work takes longer; it is not ended by that */
export function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return workWithin(work, ms, () => new NoAnswerInTime(ms));
}
