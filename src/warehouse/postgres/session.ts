import type { Client, QueryArrayConfig, QueryArrayResult, QueryResult } from "pg";
import type { OpportuneError } from "../../core/errors.js";
import type { PostgresConnection } from "../../project/targets/postgres.js";
import { openingId } from "../dialect.js";
import { WarehouseError } from "../error.js";
import { connectionLost, connectPostgres, poolerBetween, statementError, unreachable } from "./connect.js";
import { beginning, pathStatements, SESSION_RESETS, SESSION_SETTINGS, UNICODE_COLLATION, type Path } from "./settings.js";
import { readValue } from "./values.js";
import type { Statement } from "../types.js";

export type Values = (string | number | boolean | null)[];

/** A transaction under way: on which backend, and since when, in microseconds since 1970 UTC, as the server has it. */
interface UnderWay {
  pid: number;
  began: string;
}

/**
 * One connection. Behind a pooler in transaction mode each transaction may be on another backend, without a word, where the work
 * tables are missing or are another run's. So there is no statement outside a transaction, each transaction tells the backend that
 * it is on, and the first that is on another ends the session.
 */
export class PostgresSession {
  /** Part of the name of all that it leaves on a backend. */
  readonly opening = openingId();
  /** The collation by which letters beyond ASCII have small ones. */
  readonly unicode: string;
  readonly #client: Client;
  readonly #connection: PostgresConnection;
  /** The backend that it must stay on; null: any will do. */
  readonly #pid: number | null;
  /** What ended it: nothing after that is asked. */
  #ended: Error | null = null;
  /** Ends when the transaction under way does. */
  #turn: Promise<unknown> = Promise.resolve();
  #underWay: UnderWay | null = null;
  /** Of the transaction under way. */
  #path: Path = "users";

  private constructor(client: Client, connection: PostgresConnection, pid: number | null, unicode: string) {
    this.#client = client;
    this.#connection = connection;
    this.#pid = pid;
    this.unicode = unicode;
    // Without a listener a server that goes away between two statements ends the process.
    client.on("error", (error) => (this.#ended ??= connectionLost(connection, error)));
  }

  /** @throws OpportuneError naming host, port and database, with the way out */
  static async open(connection: PostgresConnection, root: string): Promise<PostgresSession> {
    const client = await connectPostgres(connection, root);
    try {
      const { pid } = await begin(client, "ours", connection);
      const { rows } = await client.query<{ collation: string }>(UNICODE_COLLATION);
      // Where it is refused the transaction has failed, and is rolled back by the commit.
      await client.query(SESSION_SETTINGS).catch(() => undefined);
      await client.query("commit");
      return new PostgresSession(client, connection, pid, rows[0]?.collation ?? "default");
    } catch (error) {
      await client.end().catch(() => undefined);
      throw unreachable(connection, error);
    }
  }

  /** For statements each of which stands alone, with nothing that the one before has left. @throws as `open` */
  static async openAside(connection: PostgresConnection, root: string): Promise<PostgresSession> {
    return new PostgresSession(await connectPostgres(connection, root), connection, null, "default");
  }

  /** Null between transactions. */
  get underWay(): UnderWay | null {
    return this.#underWay;
  }

  /** Whether it has ended by itself: nothing can be asked any more. */
  get lost(): boolean {
    return this.#ended !== null;
  }

  /**
   * All or nothing, one after another.
   * @param path of the first statement: another one's costs a request
   * @throws OpportuneError `warehouse/pooler` where the backend is another one
   */
  transaction<T>(path: Path, work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#atomically(path, work));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #atomically<T>(path: Path, work: () => Promise<T>): Promise<T> {
    if (this.#ended !== null) throw this.#ended;
    try {
      this.#path = path;
      const underWay = await begin(this.#client, path, this.#connection).catch((error: unknown) => {
        throw statementError(error, "begin", "begin", this.#connection);
      });
      if (this.#pid !== null && underWay.pid !== this.#pid)
        throw this.#moved(`the session was on backend ${String(this.#pid)} and is now on ${String(underWay.pid)}`);
      this.#underWay = underWay;
      const result = await work();
      // Where a statement of it failed, Postgres answers a commit with a rollback and no error.
      const { command } = await this.ask({ sql: "commit", params: [] }, this.#path);
      if (command !== "COMMIT") throw new WarehouseError("The transaction was rolled back: one of its statements had failed.", null, "commit");
      return result;
    } catch (error) {
      // Where the commit failed or the connection is gone there is nothing left to roll back.
      await this.#client.query("rollback").catch(() => undefined);
      throw error;
    } finally {
      this.#underWay = null;
    }
  }

  /**
   * One statement of the transaction under way.
   * @param path where its names are looked up
   * @param shown the statement whose lines an error is about, where ours begins with something else on its first line
   */
  async ask({ sql, params }: Statement, path: Path, shown = sql): Promise<QueryArrayResult<Values>> {
    if (this.#ended !== null) throw this.#ended;
    if (path !== this.#path) await this.#lookUp(path);
    // The extended protocol takes one statement and no more, whatever a user's file holds.
    const asked: QueryArrayConfig & { queryMode: "extended" } = {
      text: sql,
      values: params.map((value) => (typeof value === "string" ? storable(value) : value)),
      rowMode: "array",
      queryMode: "extended",
      types: { getTypeParser: readValue },
    };
    try {
      return await this.#client.query<Values>(asked);
    } catch (error) {
      // On the same backend, but emptied in between, as PgBouncer does with server_reset_query_always.
      if (isMissing(error, this.opening)) throw this.#moved("the session has lost its tables");
      throw statementError(error, sql, shown, this.#connection);
    }
  }

  async #lookUp(path: Path): Promise<void> {
    await this.#client.query(pathStatements(path, this.#connection)).catch((error: unknown) => {
      throw statementError(error, "set search_path", "set search_path", this.#connection);
    });
    this.#path = path;
  }

  #moved(seen: string): OpportuneError {
    const error = poolerBetween(this.#connection, seen);
    this.#ended ??= error;
    return error;
  }

  /** Drops what others would find on the backend, if it is still this session's, and disconnects. */
  async end(leftovers: string): Promise<void> {
    await this.transaction("ours", async () => {
      for (const sql of [leftovers, ...SESSION_RESETS]) await this.ask({ sql, params: [] }, "ours");
    }).catch(() => undefined);
    await this.disconnect();
  }

  /** A connection that is gone is closed. */
  async disconnect(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}

/** Begins a transaction with its settings, in one request. @throws what the driver throws */
async function begin(client: Client, path: Path, connection: PostgresConnection): Promise<UnderWay> {
  const answers = (await client.query(beginning(path, connection))) as unknown as QueryResult<UnderWay>[];
  const [row] = answers.at(-1)?.rows ?? [];
  if (row === undefined) throw new Error("The server answered a transaction's beginning with nothing.");
  return { pid: row.pid, began: row.began };
}

/** Whether the error is that a table or cursor is gone, whose name has `opening` in it. */
function isMissing(error: unknown, opening: string): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return (code === "42P01" || code === "34000") && String(message).includes(opening);
}

/** Postgres has no U+0000 in text; one in an answer of a provider must not cost the outcomes that travel with it. */
function storable(text: string): string {
  return text.includes("\u0000") ? text.replaceAll("\u0000", "\ufffd") : text;
}
