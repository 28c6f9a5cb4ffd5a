import { createHash, randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { Bind, Connection, RowStatement, StatementOption } from "snowflake-sdk";
import { OpportuneError } from "../core/errors.js";
import type { SnowflakeConnection } from "../project/types.js";
import { UnmetError } from "./error.js";
import { connectSnowflake, run, statementError } from "./snowflake-connect.js";
import { plainName, snowflakeDialect } from "./snowflake-dialect.js";
import type { AppendColumn, Column, ColumnKind, Row, Script, Statement, Warehouse } from "./types.js";

/** Rows of one array bind: 10,000 of eight columns are below the size at which the client stages them as a file. */
const APPENDED_ROWS = 5_000;
/** The client gives up a statement this much later than the server ends it, ms: then nothing has come back at all. */
const PATIENCE_MS = 30_000;

/**
 * Signs in to Snowflake for this run: one session in UTC, and a second one for the lease's heartbeat once it is asked for.
 * @param root project root, to which `private_key_path` is relative
 * @throws OpportuneError naming account and database, with the way out
 */
export async function openSnowflake(connection: SnowflakeConnection, { root }: { root: string }): Promise<Warehouse> {
  return new SnowflakeWarehouse(await connectSnowflake(connection, root), connection, () => connectSnowflake(connection, root));
}

/** All statements share one session, as temporary tables belong to it; results are kept by the server, so that several may be read at once. */
class SnowflakeWarehouse implements Warehouse {
  readonly dialect = snowflakeDialect;
  readonly usage = { statements: 0, bytes: null };
  readonly #session: Connection;
  readonly #connection: SnowflakeConnection;
  readonly #connect: () => Promise<Connection>;
  #second: Promise<Connection> | null = null;

  constructor(session: Connection, connection: SnowflakeConnection, connect: () => Promise<Connection>) {
    this.#session = session;
    this.#connection = connection;
    this.#connect = connect;
  }

  label(): void {
    // TODO
  }

  estimate(): Promise<null> {
    return Promise.resolve(null);
  }

  async describe(statement: Statement): Promise<Column[]> {
    // In parentheses nothing but a query is grammatical; it is compiled alone, for which no warehouse wakes up.
    const sqlText = `select * from (${statement.sql}\n) opportune_query limit 0`;
    const { statement: described } = await this.#run({ sqlText, ...binds(statement) }, statement.sql);
    return columnsOf(described);
  }

  async query(statement: Statement): Promise<Row[]> {
    const { statement: done, rows } = await this.#run({ sqlText: statement.sql, ...binds(statement) }, statement.sql);
    const read = reader(done);
    return rows.map((row) => read(row as unknown[]));
  }

  async execute(statement: Statement): Promise<number> {
    const { statement: done } = await this.#run({ sqlText: statement.sql, ...binds(statement) }, statement.sql);
    return Math.max(0, done.getNumUpdatedRows() ?? 0);
  }

  async *stream(statement: Statement, batchSize: number): AsyncIterable<Row[]> {
    const { statement: done } = await this.#run({ sqlText: statement.sql, ...binds(statement), streamResult: true }, statement.sql);
    const read = reader(done);
    let batch: Row[] = [];
    const rows: Readable = done.streamRows();
    try {
      for await (const row of rows) {
        batch.push(read(row as unknown[]));
        if (batch.length < batchSize) continue;
        yield batch;
        batch = [];
      }
    } catch (error) {
      throw error instanceof OpportuneError ? error : statementError(error, statement.sql, this.#connection);
    }
    if (batch.length > 0) yield batch;
  }

  async append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    const names = columns.map(({ name }) => this.dialect.quote(name)).join(", ");
    const sqlText = `insert into ${table} (${names}) values (${columns.map(() => "?").join(", ")})`;
    const length = columns[0]?.values.length ?? 0;
    for (let from = 0; from < length; from += APPENDED_ROWS) {
      const rows = Array.from({ length: Math.min(APPENDED_ROWS, length - from) }, (_, i) => columns.map((column) => bound(column, from + i)));
      await this.#run({ sqlText, binds: rows }, sqlText);
    }
  }

  /** Statement by statement: each has binds of its own, which several in one request would have to share. */
  async script({ work = [], fill, statements }: Script): Promise<Row[]> {
    const before = this.usage.statements;
    for (const statement of work) await this.execute(statement);
    if (fill !== undefined) {
      await this.execute({ sql: `delete from ${fill.table}`, params: [] });
      await this.append(fill.table, fill.columns);
    }
    const rows = await this.transaction(async () => {
      let last: Row[] = [];
      for (const statement of statements) {
        const { statement: done, rows } = await this.#run({ sqlText: statement.sql, ...binds(statement) }, statement.sql);
        if (statement.mustChange !== undefined && done.getNumUpdatedRows() !== statement.mustChange) throw new UnmetError(statement.sql);
        const read = reader(done);
        last = rows.map((row) => read(row as unknown[]));
      }
      return last;
    });
    this.usage.statements = before + 1;
    return rows;
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.execute({ sql: "begin transaction", params: [] });
    try {
      const result = await work();
      await this.execute({ sql: "commit", params: [] });
      return result;
    } catch (error) {
      // Where the session is gone the server rolls back by itself.
      await this.execute({ sql: "rollback", params: [] }).catch(() => undefined);
      throw error;
    }
  }

  readonly beside = async (statement: Statement): Promise<number> => {
    this.#second ??= this.#connect();
    const second = this.#second;
    try {
      const { statement: done } = await run(await second, { sqlText: statement.sql, ...binds(statement) });
      return Math.max(0, done.getNumUpdatedRows() ?? 0);
    } catch (error) {
      this.#second = null;
      void second.then(end).catch(() => undefined);
      throw statementError(error, statement.sql, this.#connection);
    }
  };

  /** A clone of a database was made later than its original. Whoever may not look at the catalogue is known by account and name. */
  async identity(): Promise<string | null> {
    const created = this.dialect.utcText("created");
    const asked = { sql: `select ${created} as created_at from information_schema.databases where database_name = current_database()`, params: [] };
    const [row] = await this.query(asked).catch(() => []);
    const [named] = await this.query({ sql: "select current_database() as name", params: [] });
    return createHash("sha256")
      .update(`snowflake ${this.#connection.account} ${String(named?.["name"])} ${String(row?.["created_at"] ?? "")}`)
      .digest("hex");
  }

  async close(): Promise<void> {
    await end(this.#session);
    await this.#second?.then(end).catch(() => undefined);
  }

  /**
   * One statement with a deadline of our own behind the server's: the client repeats lost requests by itself, under the same
   * request id, so that none runs twice. `shown`: what its author wrote, whose lines an error is about.
   */
  async #run(asked: StatementOption, shown: string): Promise<{ statement: RowStatement; rows: unknown[] }> {
    this.usage.statements += 1;
    let statement: RowStatement | undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          statement?.cancel(() => undefined);
          reject(new Error("it reached its statement timeout, and Snowflake did not say so"));
        },
        this.#connection.statementTimeoutSeconds * 1000 + PATIENCE_MS,
      );
    });
    try {
      const done = new Promise<{ statement: RowStatement; rows: unknown[] }>((resolve, reject) => {
        statement = this.#session.execute({
          ...asked,
          requestId: randomUUID(),
          complete: (error, finished, rows) => {
            if (error === undefined || (error as unknown) === null) resolve({ statement: finished, rows: rows ?? [] });
            else reject(error);
          },
        });
      });
      return await Promise.race([done, late]);
    } catch (error) {
      throw statementError(error, shown, this.#connection);
    } finally {
      clearTimeout(timer);
    }
  }
}

function end(session: Connection): Promise<void> {
  return new Promise((resolve) => {
    session.destroy(() => resolve());
  });
}

function binds({ params }: Statement): { binds?: Bind[] } {
  return params.length === 0 ? {} : { binds: [...params] };
}

function bound({ kind, values }: AppendColumn, at: number): Bind {
  const value = values[at] ?? null;
  if (value === null || kind === "text") return value;
  // As text, which Snowflake casts to the column's type: the client binds dates and large numbers badly.
  return kind === "timestamp" ? new Date(value).toISOString() : String(value);
}

/** Reads the rows of a result, in which numbers, times and nested values are text. */
function reader(statement: RowStatement): (values: unknown[]) => Row {
  const columns = columnsOf(statement);
  return (values) => {
    const row: Row = {};
    for (const [i, { name, kind }] of columns.entries()) row[name] = plainValue(values[i], kind);
    return row;
  };
}

function columnsOf(statement: RowStatement): Column[] {
  return (statement.getColumns() ?? []).map((column) => ({
    name: plainName(column.getName()),
    type: column.getType(),
    kind: kindOf(column.getType(), column.getScale()),
  }));
}

function plainValue(value: unknown, kind: ColumnKind): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value;
  const text = String(value);
  if (kind !== "integer" && kind !== "float") return text;
  const number = Number(text);
  return Number.isFinite(number) && (kind === "float" || Number.isSafeInteger(number)) ? number : text;
}

/** The family of a type, as Snowflake's results name it. */
function kindOf(type: string, scale: number): ColumnKind {
  switch (type.toLowerCase()) {
    case "fixed":
      return scale === 0 ? "integer" : "exact";
    case "real":
      return "float";
    case "boolean":
      return "boolean";
    case "text":
    case "time":
      return "text";
    case "date":
    case "timestamp_ntz":
    case "timestamp_ltz":
    case "timestamp_tz":
      return "timestamp";
    default:
      return "nested";
  }
}
