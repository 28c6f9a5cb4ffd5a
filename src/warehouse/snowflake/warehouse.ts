import { createHash } from "node:crypto";
import type { Bind, RowStatement } from "snowflake-sdk";
import type { SnowflakeConnection } from "../../project/targets/snowflake.js";
import { UnmetError } from "../error.js";
import { connectSnowflake } from "./connect.js";
import { openingId, withOwnWorkTables } from "../dialect.js";
import { snowflakeDialect } from "./dialect.js";
import type { SnowflakeSession } from "./session.js";
import { boundRows, columnsOf, rowReader } from "./values.js";
import { inInformationSchema } from "../sql.js";
import type { AppendColumn, Column, Labels, Row, Script, Statement, Warehouse } from "../types.js";

/**
 * Signs in to Snowflake for this run: one session in UTC, and a second one for statements beside it once there is one.
 * @param root project root, to which `private_key_path` is relative
 * @throws OpportuneError naming account and database, with the way out
 */
export async function openSnowflake(connection: SnowflakeConnection, { root }: { root: string }): Promise<Warehouse> {
  const connect = (): Promise<SnowflakeSession> => connectSnowflake(connection, root);
  return new SnowflakeWarehouse(await connect(), connection, connect);
}

/** All statements share one session, as temporary tables belong to it; results are kept by the server, so that several may be read at once. */
class SnowflakeWarehouse implements Warehouse {
  readonly dialect = withOwnWorkTables(snowflakeDialect, openingId());
  readonly usage = { statements: 0, bytes: null };
  readonly #session: SnowflakeSession;
  readonly #connection: SnowflakeConnection;
  readonly #connect: () => Promise<SnowflakeSession>;
  #second: Promise<SnowflakeSession> | null = null;
  #labels: Labels | null = null;
  /** Ends when the transaction under way does. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(session: SnowflakeSession, connection: SnowflakeConnection, connect: () => Promise<SnowflakeSession>) {
    this.#session = session;
    this.#connection = connection;
    this.#connect = connect;
  }

  label(labels: Labels): void {
    this.#labels = labels;
  }

  /** Bytes of the micro-partitions that are left after pruning, as EXPLAIN has them: never less than what is read. */
  async estimate(statement: Statement): Promise<number | null> {
    const sql = `explain using json ${statement.sql}`;
    const explained = await this.#session.run({ ...this.#asked(statement), sql, shown: statement.sql }).catch(() => null);
    if (explained === null) return null;
    for await (const [plan] of this.#session.rows(explained, statement.sql)) return assignedBytes(plan);
    return null;
  }

  hasTable(schema: string, table: string): Promise<boolean> {
    return inInformationSchema(this, schema, table);
  }

  async describe(statement: Statement): Promise<Column[]> {
    // In parentheses nothing but a query is grammatical.
    const sql = `select * from (${statement.sql}\n) opportune_query limit 0`;
    const described = await this.#session.run({ ...this.#asked(statement), sql, shown: statement.sql, describeOnly: true });
    return columnsOf(described.getColumns() ?? []);
  }

  async plan(statement: Statement): Promise<void> {
    await this.#session.run({ ...this.#asked(statement), sql: `explain ${statement.sql}`, shown: statement.sql });
  }

  async query(statement: Statement): Promise<Row[]> {
    return this.#rows(await this.#run(statement), statement.sql);
  }

  async execute(statement: Statement): Promise<number> {
    return changedRows(await this.#run(statement));
  }

  async #rows(done: RowStatement, sql: string): Promise<Row[]> {
    const read = rowReader(done.getColumns() ?? []);
    const rows: Row[] = [];
    for await (const values of this.#session.rows(done, sql)) rows.push(read(values));
    return rows;
  }

  async *stream(statement: Statement, batchSize: number): AsyncIterable<Row[]> {
    const done = await this.#run(statement);
    const read = rowReader(done.getColumns() ?? []);
    let batch: Row[] = [];
    for await (const values of this.#session.rows(done, statement.sql)) {
      batch.push(read(values));
      if (batch.length < batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  async append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    const names = columns.map(({ name }) => this.dialect.quote(name)).join(", ");
    const sql = `insert into ${table} (${names}) values (${columns.map(() => "?").join(", ")})`;
    for (const binds of boundRows(columns)) {
      this.usage.statements += 1;
      await this.#session.run({ sql, binds, tag: this.#tag() });
    }
  }

  /** Statement by statement, and counted so: each has binds of its own, which several in one request would have to share. */
  async script({ work = [], fill, statements }: Script): Promise<Row[]> {
    for (const statement of work) await this.execute(statement);
    if (fill !== undefined) {
      await this.execute({ sql: `delete from ${fill.table}`, params: [] });
      await this.append(fill.table, fill.columns);
    }
    return this.transaction(async () => {
      let last: Row[] = [];
      for (const [i, statement] of statements.entries()) {
        const done = await this.#run(statement);
        if (statement.mustChange !== undefined && changedRows(done) !== statement.mustChange) throw new UnmetError(statement.sql, i);
        last = await this.#rows(done, statement.sql);
      }
      return last;
    });
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#transaction(work));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#run({ sql: "begin transaction", params: [] });
    try {
      const result = await work();
      await this.#run({ sql: "commit", params: [] });
      return result;
    } catch (error) {
      // Where the session is gone the server rolls back by itself.
      await this.#run({ sql: "rollback", params: [] }).catch(() => undefined);
      throw error;
    }
  }

  readonly beside = async (statement: Statement): Promise<number> => {
    this.#second ??= this.#connect();
    const second = this.#second;
    try {
      return changedRows(await (await second).run(this.#asked(statement)));
    } catch (error) {
      this.#second = null;
      void second.then((session) => session.close()).catch(() => undefined);
      throw error;
    }
  };

  /** A clone of a database was made later than its original, a replica is in another account. Whoever may not look at the catalogue is known by the names. */
  async identity(): Promise<string | null> {
    const created = this.dialect.utcText("cast(created as timestamp_ntz)");
    const asked = { sql: `select ${created} as created_at from information_schema.databases where database_name = current_database()`, params: [] };
    const [row] = await this.#readAside(asked).catch(() => []);
    const [named] = await this.#readAside({ sql: "select current_account() as account, current_database() as name", params: [] });
    return createHash("sha256")
      .update(`snowflake ${String(named?.["account"])} ${String(named?.["name"])} ${String(row?.["created_at"] ?? "")}`)
      .digest("hex");
  }

  async cancel(): Promise<void> {
    await Promise.all([this.#session.cancel(), this.#second?.then((session) => session.cancel()).catch(() => undefined)]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#session.close(), this.#second?.then((session) => session.close()).catch(() => undefined)]);
  }

  /** What needs no warehouse, and counts for nothing. */
  async #readAside(statement: Statement): Promise<Row[]> {
    return this.#rows(await this.#session.run(this.#asked(statement)), statement.sql);
  }

  #run(statement: Statement): Promise<RowStatement> {
    this.usage.statements += 1;
    return this.#session.run(this.#asked(statement));
  }

  #asked({ sql, params, segment }: Statement): { sql: string; binds: readonly Bind[]; tag: string } {
    return { sql, binds: params, tag: this.#tag(segment) };
  }

  /** JSON, as the account's history and bill can be asked by its keys (try_parse_json). */
  #tag(segment?: string): string {
    return JSON.stringify({ app: this.#connection.queryTag, project: this.#labels?.project, run: this.#labels?.run ?? undefined, segment });
  }
}

function changedRows(statement: RowStatement): number {
  // What defines something changes no rows: the client gives -1 or nothing.
  return Math.max(0, statement.getNumUpdatedRows() ?? 0);
}

/** GlobalStats.bytesAssigned of an EXPLAIN USING JSON; null where there is none. */
function assignedBytes(plan: unknown): number | null {
  if (typeof plan !== "string") return null;
  try {
    const { GlobalStats: stats } = JSON.parse(plan) as { GlobalStats?: { bytesAssigned?: unknown } };
    const bytes = stats?.bytesAssigned;
    return typeof bytes === "number" && Number.isFinite(bytes) ? bytes : null;
  } catch {
    return null;
  }
}
