import { createHash } from "node:crypto";
import type { Client, FieldDef, QueryArrayConfig, QueryArrayResult } from "pg";
import { within } from "../core/within.js";
import type { PostgresConnection } from "../project/types.js";
import { postgresDialect } from "./postgres-dialect.js";
import { connectionLost, connectPostgres, statementError } from "./postgres-connect.js";
import { UnmetError, WarehouseError } from "./error.js";
import { kindOf, readValue } from "./postgres-values.js";
import { inInformationSchema } from "./sql.js";
import type { AppendColumn, Column, Row, Script, Statement, Warehouse } from "./types.js";

/** How long to wait for the server's word that statements are cancelled, ms. */
const CANCEL_MS = 5_000;

type Connected = Awaited<ReturnType<typeof connectPostgres>>;
type Values = (string | number | boolean | null)[];

const ARRAY_TYPES = { text: "text[]", integer: "bigint[]", timestamp: "timestamptz[]" } as const;

/** Columns of a described query, with the names of their types as Postgres writes them. */
const TYPE_NAMES = `select format_type(c.oid, c.modifier) as name, t.typname, t.typcategory
from unnest($1::oid[], $2::int[]) with ordinality as c(oid, modifier, place)
join pg_catalog.pg_type t on t.oid = c.oid
order by c.place`;

/**
 * Connects to Postgres for this run: one connection, its session in UTC.
 * @param root project root, to which `ssl.ca` is relative
 * @throws OpportuneError naming host, port and database, with the way out
 */
export async function openPostgres(connection: PostgresConnection, { root }: { root: string }): Promise<Warehouse> {
  const connect = (): Promise<Connected> => connectPostgres(connection, root);
  return new PostgresWarehouse(await connect(), connection, connect);
}

/**
 * All statements share one connection, as temporary tables belong to it. Claims are streamed from a cursor WITH HOLD, which
 * the server keeps beyond the transaction that opened it, so that outcomes are committed in between: no second connection,
 * no tables that a crash leaves behind.
 */
class PostgresWarehouse implements Warehouse {
  readonly dialect = postgresDialect;
  readonly usage = { statements: 0, bytes: null };
  readonly #client: Client;
  /** What the server knows the connection's own process by. */
  readonly #pid: number | null;
  readonly #connection: PostgresConnection;
  #cursors = 0;
  /** Statements under way. */
  #running = 0;
  /** Ends when the transaction or fetch under way does. */
  #turn: Promise<unknown> = Promise.resolve();
  #lost: Error | null = null;
  readonly #connect: () => Promise<Connected>;
  /** For statements beside those under way; opened with the first, anew if it was lost. */
  #second: Promise<Client> | null = null;

  constructor({ client, pid }: Connected, connection: PostgresConnection, connect: () => Promise<Connected>) {
    this.#client = client;
    this.#pid = pid;
    this.#connection = connection;
    this.#connect = connect;
    // Without a listener a server that goes away between two statements ends the process.
    client.on("error", (error) => (this.#lost ??= error));
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
    // In parentheses nothing but a query is grammatical, and nothing of it is executed. The user's lines keep their numbers.
    const asked = { sql: `select * from (${statement.sql}\n) opportune_query limit 0`, params: statement.params };
    const { fields } = await this.#ask(asked, statement.sql);
    const types = await this.#read({
      sql: TYPE_NAMES,
      params: [arrayText(fields.map(({ dataTypeID }) => dataTypeID)), arrayText(fields.map(({ dataTypeModifier }) => dataTypeModifier))],
    });
    return fields.map(({ name }, i) => {
      const type = types[i];
      return { name, type: String(type?.["name"]), kind: kindOf(String(type?.["typname"]), String(type?.["typcategory"])) };
    });
  }

  async query(statement: Statement): Promise<Row[]> {
    this.usage.statements += 1;
    return this.#read(statement);
  }

  async #read(statement: Statement): Promise<Row[]> {
    return rowsOf(await this.#ask(statement));
  }

  async execute(statement: Statement): Promise<number> {
    return (await this.#run(statement)).rowCount ?? 0;
  }

  /** Not to be read from inside a transaction: a fetch waits until one that is under way has ended. */
  async *stream(statement: Statement, batchSize: number): AsyncIterable<Row[]> {
    const cursor = `opportune_cursor_${String(++this.#cursors)}`;
    await this.#inTurn(() => this.#run({ sql: `declare ${cursor} no scroll cursor with hold for ${statement.sql}`, params: statement.params }, statement.sql));
    try {
      for (;;) {
        const rows = await this.#inTurn(() => this.#read({ sql: `fetch forward ${String(batchSize)} from ${cursor}`, params: [] }));
        if (rows.length > 0) yield rows;
        if (rows.length < batchSize) return;
      }
    } finally {
      await this.#ask({ sql: `close ${cursor}`, params: [] }).catch(() => undefined);
    }
  }

  async append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    this.usage.statements += 1;
    await this.#append(table, columns);
  }

  async #append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    const names = columns.map(({ name }) => this.dialect.quote(name)).join(", ");
    const arrays = columns.map(({ kind }, i) => `$${String(i + 1)}::${ARRAY_TYPES[kind]}`).join(", ");
    const params = columns.map(({ kind, values }) =>
      arrayText(kind === "timestamp" ? values.map((at) => (at === null ? null : new Date(at).toISOString())) : values),
    );
    await this.#ask({ sql: `insert into ${table} (${names}) select * from unnest(${arrays})`, params });
  }

  script({ work = [], fill, statements }: Script): Promise<Row[]> {
    this.usage.statements += 1;
    return this.#atomically(async () => {
      for (const statement of work) await this.#ask(statement);
      if (fill !== undefined) {
        await this.#ask({ sql: `delete from ${fill.table}`, params: [] });
        await this.#append(fill.table, fill.columns);
      }
      let rows: Row[] = [];
      for (const statement of statements) {
        const result = await this.#ask(statement);
        if (statement.mustChange !== undefined && result.rowCount !== statement.mustChange) throw new UnmetError(statement.sql);
        rows = rowsOf(result);
      }
      return rows;
    });
  }

  transaction<T>(work: () => Promise<T>): Promise<T> {
    this.usage.statements += 2;
    return this.#atomically(work);
  }

  #atomically<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#ask({ sql: "begin", params: [] });
      try {
        const result = await work();
        // Where a statement of it failed, Postgres answers a commit with a rollback and no error.
        const { command } = await this.#ask({ sql: "commit", params: [] });
        if (command !== "COMMIT") throw new WarehouseError("The transaction was rolled back: one of its statements had failed.", null, "commit");
        return result;
      } catch (error) {
        // Where the commit failed or the connection is gone there is nothing left to roll back.
        await this.#ask({ sql: "rollback", params: [] }).catch(() => undefined);
        throw error;
      }
    });
  }

  readonly beside = async (statement: Statement): Promise<number> => {
    // Without a listener a server that goes away ends the process; the next statement then says so.
    this.#second ??= this.#connect().then(({ client }) => client.on("error", () => undefined));
    const second = this.#second;
    try {
      return (await (await second).query(statement.sql, [...statement.params])).rowCount ?? 0;
    } catch (error) {
      this.#second = null;
      void second.then((client) => client.end()).catch(() => undefined);
      throw statementError(error, statement.sql, statement.sql, this.#connection);
    }
  };

  /**
   * A dump restored elsewhere is another database, of another cluster as a rule. Managed services may hide the cluster's
   * identifier, and a copy of a whole cluster (a snapshot, a replica) has the same as its original.
   */
  async identity(): Promise<string | null> {
    const [database] = await this.#read({ sql: "select oid from pg_catalog.pg_database where datname = current_database()", params: [] });
    const cluster = await this.#read({ sql: "select system_identifier from pg_catalog.pg_control_system()", params: [] }).catch(() => []);
    return createHash("sha256")
      .update(`postgres ${String(cluster[0]?.["system_identifier"] ?? "")} ${String(database?.["oid"])}`)
      .digest("hex");
  }

  async cancel(): Promise<void> {
    if (this.#running === 0) return;
    const ended = this.beside({ sql: "select pg_cancel_backend($1)", params: [this.#pid] });
    // Where that fails the server ends them at their statement_timeout.
    await within(ended, CANCEL_MS, () => new Error("no answer")).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.cancel();
    // A connection that is gone is closed.
    await this.#client.end().catch(() => undefined);
    await this.#second?.then((client) => client.end()).catch(() => undefined);
  }

  /** One after another: a fetch amid a transaction that has failed would fail with it. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #run(statement: Statement, shown = statement.sql): Promise<QueryArrayResult<Values>> {
    this.usage.statements += 1;
    return this.#ask(statement, shown);
  }

  /** `shown`: the statement whose lines an error is about, where ours begins with something else on its first line. */
  async #ask({ sql, params }: Statement, shown = sql): Promise<QueryArrayResult<Values>> {
    if (this.#lost !== null) throw connectionLost(this.#connection, this.#lost);
    // The extended protocol takes one statement and no more, whatever a user's file holds.
    const asked: QueryArrayConfig & { queryMode: "extended" } = {
      text: sql,
      values: params.map((value) => (typeof value === "string" ? storable(value) : value)),
      rowMode: "array",
      queryMode: "extended",
      types: { getTypeParser: readValue },
    };
    this.#running += 1;
    try {
      return await this.#client.query<Values>(asked);
    } catch (error) {
      throw statementError(error, sql, shown, this.#connection);
    } finally {
      this.#running -= 1;
    }
  }
}

function rowsOf({ rows, fields }: QueryArrayResult<Values>): Row[] {
  return rows.map((values) => toRow(fields, values));
}

function toRow(fields: readonly FieldDef[], values: Values): Row {
  const row: Row = {};
  for (let i = 0; i < fields.length; i++) row[fields[i]?.name ?? ""] = values[i] ?? null;
  return row;
}

/** An array as Postgres reads it from text. */
function arrayText(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => (value === null ? "null" : typeof value === "number" ? String(value) : `"${value.replaceAll(/["\\]/g, "\\$&")}"`)).join(",")}}`;
}

/** Postgres has no U+0000 in text; one in an answer of a provider must not cost the outcomes that travel with it. */
function storable(text: string): string {
  return text.includes("\u0000") ? text.replaceAll("\u0000", "\ufffd") : text;
}
