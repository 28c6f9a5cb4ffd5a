import { databaseId } from "./id.js";
import { AsyncLocalStorage } from "node:async_hooks";
import type { FieldDef, QueryArrayResult } from "pg";
import { within } from "../../core/within.js";
import type { PostgresConnection } from "../../project/targets/postgres.js";
import { APART, withOwnWorkTables, WORK_TABLES, type Dialect } from "../dialect.js";
import { lowerBy, postgresDialect } from "./dialect.js";
import { UnmetError, WarehouseError } from "../error.js";
import { arrayText, carriedColumns, columnsOf, rowsOf, typesOf } from "./rows.js";
import { PostgresSession, type Values } from "./session.js";
import type { Path } from "./settings.js";
import type { AppendColumn, Column, Row, Script, Statement, Warehouse } from "../types.js";

/** How long to wait for the server's word that statements are cancelled, or work tables dropped, ms. */
const CANCEL_MS = 5_000;

const ARRAY_TYPES = { text: "text[]", integer: "bigint[]", timestamp: "timestamptz[]" } as const;

/** A pid alone may be another's by now: the transaction's beginning tells. */
const CANCEL = `select pg_cancel_backend(pid) from pg_catalog.pg_stat_activity
where pid = cast($1 as integer) and cast(extract(epoch from xact_start) * 1000000 as bigint) = cast($2 as bigint)`;

/**
 * Connects to Postgres for this run: one connection, in UTC.
 * @param root project root, to which `ssl.ca` is relative
 * @throws OpportuneError naming host, port and database, with the way out
 */
export async function openPostgres(connection: PostgresConnection, { root }: { root: string }): Promise<Warehouse> {
  return new PostgresWarehouse(await PostgresSession.open(connection, root), () => PostgresSession.openAside(connection, root));
}

/**
 * All statements share one session, as temporary tables belong to it. Claims are streamed from a cursor WITH HOLD, which
 * the server keeps beyond the transaction that opened it, so that outcomes are committed in between: no second connection,
 * no tables that a crash leaves behind.
 */
class PostgresWarehouse implements Warehouse {
  readonly dialect: Dialect;
  readonly usage = { statements: 0, bytes: null };
  readonly #session: PostgresSession;
  #cursors = 0;
  /** Set for what `transaction` calls, whose statements are its own; not for what others ask meanwhile. */
  readonly #inside = new AsyncLocalStorage<true>();
  readonly #openAside: () => Promise<PostgresSession>;
  /** Columns of each query described, as `carriedColumns` writes them. */
  readonly #carried = new Map<string, string>();
  /** What the server said of columns' types, by what it was asked: most queries return the same ones. */
  readonly #types = new Map<string, readonly Row[]>();
  /** For statements beside those under way; opened with the first, anew if it was lost. */
  #second: Promise<PostgresSession> | null = null;

  constructor(session: PostgresSession, openAside: () => Promise<PostgresSession>) {
    this.#session = session;
    this.#openAside = openAside;
    this.dialect = withOwnWorkTables({ ...postgresDialect, lower: lowerBy(session.unicode) }, session.opening);
  }

  label(): void {
    // Neither a bill nor a history that would name statements.
  }

  estimate(): Promise<null> {
    return Promise.resolve(null);
  }

  hasTable(schema: string, table: string): Promise<boolean> {
    // Told whatever the role may read of it, and in the case in which names are quoted.
    const known = "select 1 as known from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2";
    return this.query({ sql: known, params: [schema, table], ours: true }).then((rows) => rows.length > 0);
  }

  async describe(statement: Statement): Promise<Column[]> {
    const { fields, types } = await this.#fields(statement);
    this.#carried.set(statement.sql, carriedColumns(fields, types, this.dialect));
    return columnsOf(fields, types);
  }

  async #fields(statement: Statement): Promise<{ fields: readonly FieldDef[]; types: readonly Row[] }> {
    // In parentheses nothing but a query is grammatical, and nothing of it is executed. The user's lines keep their numbers.
    const asked = { sql: `select * from (${statement.sql}\n) opportune_query limit 0`, params: statement.params };
    return this.#alone("users", async () => {
      const { fields } = await this.#session.ask(asked, "users", statement.sql);
      const asking = typesOf(fields);
      const key = asking.params.join(" ");
      const types = this.#types.get(key) ?? rowsOf(await this.#session.ask(asking, "users"));
      this.#types.set(key, types);
      return { fields, types };
    });
  }

  async #described(statement: Statement): Promise<string> {
    const { fields, types } = await this.#fields(statement);
    return carriedColumns(fields, types, this.dialect);
  }

  async plan(statement: Statement): Promise<void> {
    const explain = { ...statement, sql: `explain ${statement.sql}` };
    await this.#ask(explain, "with no data");
  }

  async query(statement: Statement): Promise<Row[]> {
    this.usage.statements += 1;
    return this.#read(statement);
  }

  async #read(statement: Statement): Promise<Row[]> {
    return rowsOf(await this.#ask(statement));
  }

  async execute(statement: Statement): Promise<number> {
    this.usage.statements += 1;
    return (await this.#ask(statement)).rowCount ?? 0;
  }

  /** By itself, or in the transaction it is asked in; after the user's query that it reads, if it reads one. */
  async #ask(statement: Statement, apartRows: "" | "with no data" = ""): Promise<QueryArrayResult<Values>> {
    const { apart } = statement;
    if (apart === undefined) {
      const path = pathOf(statement);
      return this.#alone(path, () => this.#session.ask(statement, path));
    }
    const columns = this.#carried.get(apart.sql) ?? (await this.#described(apart));
    return this.#alone("users", async () => {
      const table = this.dialect.workTable(APART);
      // The user's lines keep their numbers.
      const fill = `create temporary table ${table} on commit drop as select ${columns} from (${apart.sql}\n) opportune_query ${apartRows}`;
      await this.#session.ask({ sql: fill, params: apart.params }, "users", apart.sql);
      try {
        return await this.#session.ask(statement, "ours");
      } catch (error) {
        // A line of the statement isn't one of the user's.
        throw error instanceof WarehouseError ? new WarehouseError(error.reason, null, statement.sql, error) : error;
      }
    });
  }

  /** Not from inside `transaction`: a fetch is one of its own, as outcomes are committed in between. */
  async *stream(statement: Statement, batchSize: number): AsyncIterable<Row[]> {
    this.#refuseInside("stream");
    // Named as nobody else's: a backend may hold those of an earlier run.
    const cursor = `opportune_cursor_${this.#session.opening}_${String(++this.#cursors)}`;
    const path = pathOf(statement);
    const ask = (sql: string, params = [] as Statement["params"], shown = sql): Promise<Row[]> =>
      this.#session.transaction(path, async () => rowsOf(await this.#session.ask({ sql, params }, path, shown)));
    this.usage.statements += 1;
    await ask(`declare ${cursor} no scroll cursor with hold for ${statement.sql}`, statement.params, statement.sql);
    try {
      for (;;) {
        const rows = await ask(`fetch forward ${String(batchSize)} from ${cursor}`);
        if (rows.length > 0) yield rows;
        if (rows.length < batchSize) return;
      }
    } finally {
      await ask(`close ${cursor}`).catch(() => undefined);
    }
  }

  async append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    this.usage.statements += 1;
    await this.#alone("users", () => this.#append(table, columns, "users"));
  }

  async #append(table: string, columns: readonly AppendColumn[], path: Path): Promise<void> {
    const names = columns.map(({ name }) => this.dialect.quote(name)).join(", ");
    const arrays = columns.map(({ kind }, i) => `pg_catalog.unnest($${String(i + 1)}::${ARRAY_TYPES[kind]})`).join(", ");
    const params = columns.map(({ kind, values }) =>
      arrayText(kind === "timestamp" ? values.map((at) => (at === null ? null : new Date(at).toISOString())) : values),
    );
    await this.#session.ask({ sql: `insert into ${table} (${names}) select * from rows from (${arrays}) appended`, params }, path);
  }

  async script({ work = [], fill, statements }: Script): Promise<Row[]> {
    this.#refuseInside("script");
    this.usage.statements += 1;
    const first = work[0] ?? statements[0];
    const path = first === undefined ? "ours" : pathOf(first);
    return this.#session.transaction(path, async () => {
      for (const statement of work) await this.#session.ask(statement, pathOf(statement));
      if (fill !== undefined) {
        await this.#session.ask({ sql: `delete from ${fill.table}`, params: [] }, path);
        await this.#append(fill.table, fill.columns, path);
      }
      let rows: Row[] = [];
      for (const [i, statement] of statements.entries()) {
        const result = await this.#session.ask(statement, pathOf(statement));
        if (statement.mustChange !== undefined && result.rowCount !== statement.mustChange) throw new UnmetError(statement.sql, i);
        rows = rowsOf(result);
      }
      return rows;
    });
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseInside("transaction");
    this.usage.statements += 2;
    return this.#session.transaction("users", () => this.#inside.run(true, work));
  }

  /** What is a transaction of its own would wait for ever for the end of the one it is called in. */
  #refuseInside(what: string): void {
    if (this.#inside.getStore() === true) throw new Error(`Postgres: \`${what}\` can't be called within a transaction, as it is one of its own.`);
  }

  /** A transaction of its own, or part of the one it is called in. */
  #alone<T>(path: Path, work: () => Promise<T>): Promise<T> {
    return this.#inside.getStore() === true ? work() : this.#session.transaction(path, work);
  }

  readonly beside = async (statement: Statement): Promise<number> => {
    // Between two heartbeats the server may have ended it, as idle for too long.
    if ((await this.#second?.catch(() => null))?.lost === true) this.#second = null;
    this.#second ??= this.#openAside();
    const second = this.#second;
    try {
      const session = await second;
      return (await session.transaction("ours", () => session.ask(statement, "ours"))).rowCount ?? 0;
    } catch (error) {
      this.#second = null;
      void second.then((session) => session.disconnect()).catch(() => undefined);
      throw error;
    }
  };

  identity(): Promise<string> {
    return databaseId((statement) => this.#read(statement));
  }

  async cancel(): Promise<void> {
    const { underWay } = this.#session;
    if (underWay === null) return;
    const ended = this.beside({ sql: CANCEL, params: [underWay.pid, underWay.began] });
    // Where that fails the server ends them at their statement_timeout.
    await within(ended, CANCEL_MS, () => new Error("no answer")).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.cancel();
    const leftovers = `drop table if exists ${WORK_TABLES.map((table) => this.dialect.workTable(table)).join(", ")}`;
    await within(this.#session.end(leftovers), CANCEL_MS, () => new Error("no answer")).catch(() => this.#session.disconnect());
    await this.#second?.then((session) => session.disconnect()).catch(() => undefined);
  }
}

function pathOf({ ours }: Statement): Path {
  return ours === true ? "ours" : "users";
}
