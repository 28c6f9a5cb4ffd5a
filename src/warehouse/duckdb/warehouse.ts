import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { duckdbDialect } from "./dialect.js";
import { literal, openingId, withOwnWorkTables, WORK_TABLES } from "../dialect.js";
import { appendTo } from "./append.js";
import { refused } from "./errors.js";
import type { DuckDbLimits } from "./memory.js";
import { carriedColumns, planInPages, runInPages, type Carried } from "./pages.js";
import { formerId, makeId, readId } from "./id.js";
import { streamed } from "./stream.js";
import { columnKind, toRow, valuesOf } from "./values.js";
import { UnmetError, WarehouseError } from "../error.js";
import { inInformationSchema } from "../sql.js";
import { type AppendColumn, type Column, type Row, type Script, type Statement, type Warehouse } from "../types.js";

/**
 * Size of the write-ahead log after which a commit waits for a checkpoint: a second or two in which nothing is posted. DuckDB's
 * own 16 MB come after some 50,000 messages, in the middle of a delivery; closing the file makes a checkpoint anyway.
 */
const CHECKPOINT_AFTER = "64MB";
const BEGIN = "begin transaction";

/** One opened database. Made by `openDuckDb`, which prepares it. */
export class DuckDbWarehouse implements Warehouse {
  readonly dialect = withOwnWorkTables(duckdbDialect, openingId());
  readonly beside = null;
  readonly usage = { statements: 0, bytes: null };
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** Each has a connection of its own. */
  readonly #streams = new Set<DuckDBConnection>();
  readonly #path: string;
  readonly #limits: DuckDbLimits;
  /** Columns of each query described, as they are kept while it is staged. */
  readonly #carried = new Map<string, Carried>();
  /** The work table that a script has filled, until it is emptied. */
  #filled: string | null = null;
  #emptying: Promise<void> = Promise.resolve();

  constructor(instance: DuckDBInstance, connection: DuckDBConnection, path: string, limits: DuckDbLimits) {
    this.#instance = instance;
    this.#connection = connection;
    this.#path = path;
    this.#limits = limits;
  }

  /** Of a file, what stands beside it: a file copied alone has none. Nobody can copy what is in memory. */
  identity(make = false): Promise<string | null> {
    if (this.#path === ":memory:") return Promise.resolve(null);
    return Promise.resolve(readId(this.#path) ?? (make ? makeId(this.#path) : null));
  }

  get formerIdentity(): string | null {
    return this.#path === ":memory:" ? null : formerId(this.#path);
  }

  /** `root`: the project's folder, absolute. */
  async prepare(root: string): Promise<void> {
    await this.#connection.run("set TimeZone = 'UTC'");
    // Paths in queries are the project's. A comma parts folders, and nothing can be said instead of one.
    if (!root.includes(",")) await this.#connection.run(`set file_search_path = ${literal(root)}`);
    await this.#connection.run(`set checkpoint_threshold = '${CHECKPOINT_AFTER}'`);
    await this.#connection.run("attach if not exists ':memory:' as opportune_work").catch((error: unknown) => {
      // Another connection of this process attached it in between: DuckDB looks first and attaches then.
      if (!(error instanceof Error && error.message.includes('"opportune_work" already exists'))) throw error;
    });
  }

  label(): void {
    // Neither a bill nor a history that would name statements.
  }

  estimate(): Promise<null> {
    return Promise.resolve(null);
  }

  hasTable(schema: string, table: string): Promise<boolean> {
    return inInformationSchema(this, schema, table);
  }

  async describe(statement: Statement): Promise<Column[]> {
    // DESCRIBE covers the first statement alone: what follows a `;` would run.
    const { count } = await this.#guard(statement, () => this.#connection.extractStatements(`describe ${statement.sql}`));
    if (count !== 1) throw new WarehouseError(`This is ${String(count)} statements; a query is one SELECT without a ";" in it.`, null, statement.sql);
    const rows = await this.#read({ sql: `describe ${statement.sql}`, params: statement.params });
    // A bare DESCRIBE lists the tables.
    if (rows[0]?.["column_name"] === undefined) throw new WarehouseError("There is no query, only comments or nothing.", null, statement.sql);
    const columns = rows.map((row) => ({
      name: String(row["column_name"]),
      type: String(row["column_type"]),
      kind: columnKind(String(row["column_type"])),
    }));
    this.#carried.set(statement.sql, carriedColumns(columns, this.dialect));
    return columns;
  }

  async plan(statement: Statement): Promise<void> {
    const { apart } = statement;
    const plan = (each: Statement): Promise<void> => this.#guard(each, async () => (await this.#connection.prepare(each.sql)).destroySync());
    if (apart === undefined) return plan(statement);
    return planInPages(statement, apart, await this.#carriedOf(apart), this.dialect, { ...this.#asking, plan });
  }

  get #asking(): { run(ours: Statement): Promise<number>; read(ours: Statement): Promise<Row[]> } {
    return { run: (ours) => this.#run(ours), read: (ours) => this.#read(ours) };
  }

  async #carriedOf(query: Statement): Promise<Carried> {
    if (!this.#carried.has(query.sql)) await this.describe(query);
    return this.#carried.get(query.sql) ?? carriedColumns([], this.dialect);
  }

  async query(statement: Statement): Promise<Row[]> {
    this.usage.statements += 1;
    await this.#emptying;
    return this.#read(statement);
  }

  #read(statement: Statement): Promise<Row[]> {
    return this.#guard(statement, async () => {
      const result = await this.#connection.run(statement.sql, valuesOf(statement));
      const names = result.deduplicatedColumnNames();
      return (await result.getRows()).map((values) => toRow(names, values));
    });
  }

  async execute(statement: Statement): Promise<number> {
    this.usage.statements += 1;
    await this.#emptying;
    const { apart } = statement;
    if (apart === undefined) return this.#run(statement);
    return runInPages(statement, apart, await this.#carriedOf(apart), this.dialect, this.#asking);
  }

  #run(statement: Statement): Promise<number> {
    return this.#guard(statement, async () => (await this.#connection.run(statement.sql, valuesOf(statement))).rowsChanged);
  }

  async *stream(statement: Statement, batchSize: number): AsyncIterable<Row[]> {
    this.usage.statements += 1;
    const connection = await this.#instance.connect();
    this.#streams.add(connection);
    try {
      yield* streamed(connection, statement, batchSize, this.#limits, (work) => this.#guard(statement, work));
    } finally {
      this.#streams.delete(connection);
      connection.closeSync();
    }
  }

  async append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    this.usage.statements += 1;
    await this.#emptying;
    return this.#append(table, columns);
  }

  #append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    return this.#guard({ sql: `append to ${table}`, params: [] }, () => appendTo(this.#connection, table, columns));
  }

  async script({ work = [], fill, statements }: Script): Promise<Row[]> {
    this.usage.statements += 1;
    await this.#emptying;
    await this.#empty();
    // Before the transaction: work tables live in another database, and one transaction writes to one.
    for (const statement of work) await this.#run(statement);
    if (fill === undefined) return this.#together(statements);
    this.#filled = fill.table;
    await this.#append(fill.table, fill.columns);
    try {
      return await this.#together(statements);
    } finally {
      // While the caller goes on. Where that fails, the next script tells.
      this.#emptying = this.#empty().catch(() => undefined);
    }
  }

  async #empty(): Promise<void> {
    if (this.#filled === null) return;
    await this.#run({ sql: `delete from ${this.#filled}`, params: [] });
    this.#filled = null;
  }

  /** Each request is one more turn of the event loop, which may be busy: the first statement goes with `begin`, if it binds nothing. */
  #together(statements: Script["statements"]): Promise<Row[]> {
    const joined = statements[0]?.params.length === 0;
    return this.#atomically(joined, async () => {
      const last = statements.length - 1;
      let rows: Row[] = [];
      for (const [i, each] of statements.entries()) {
        const statement = joined && i === 0 ? { ...each, sql: `${BEGIN}; ${each.sql}` } : each;
        if (i === last && statement.mustChange === undefined) rows = await this.#read(statement);
        else {
          const changed = await this.#run(statement);
          if (statement.mustChange !== undefined && changed !== statement.mustChange) throw new UnmetError(statement.sql, i);
        }
      }
      return rows;
    });
  }

  transaction<T>(work: () => Promise<T>): Promise<T> {
    this.usage.statements += 2;
    return this.#emptying.then(() => this.#atomically(false, work));
  }

  /** `begins`: the work itself begins the transaction. */
  async #atomically<T>(begins: boolean, work: () => Promise<T>): Promise<T> {
    if (!begins) await this.#run({ sql: BEGIN, params: [] });
    try {
      const result = await work();
      await this.#run({ sql: "commit", params: [] });
      return result;
    } catch (error) {
      // A failed commit has rolled back already; a second rollback then fails and says nothing new.
      await this.#connection.run("rollback").catch(() => undefined);
      throw error;
    }
  }

  async #guard<T>(statement: Statement, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw refused(error, statement.sql, this.#limits, this.#path);
    }
  }

  cancel(): Promise<void> {
    for (const connection of [this.#connection, ...this.#streams]) connection.interrupt();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.#emptying;
    // A file that this process has opened twice keeps its instance, and what is in it.
    for (const table of WORK_TABLES) await this.#connection.run(`drop table if exists ${this.dialect.workTable(table)}`).catch(() => undefined);
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
