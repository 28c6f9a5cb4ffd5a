import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import type { FieldDef, QueryArrayResult } from "pg";
import { within } from "../core/within.js";
import type { PostgresConnection } from "../project/types.js";
import { withOwnWorkTables, WORK_TABLES, type Dialect } from "./dialect.js";
import { postgresDialect } from "./postgres-dialect.js";
import { UnmetError, WarehouseError } from "./error.js";
import { PostgresSession, type Values } from "./postgres-session.js";
import { kindOf } from "./postgres-values.js";
import { inInformationSchema } from "./sql.js";
import type { AppendColumn, Column, Row, Script, Statement, Warehouse } from "./types.js";

/** How long to wait for the server's word that statements are cancelled, or work tables dropped, ms. */
const CANCEL_MS = 5_000;

const ARRAY_TYPES = { text: "text[]", integer: "bigint[]", timestamp: "timestamptz[]" } as const;

/** Columns of a described query, with the names of their types as Postgres writes them. */
const TYPE_NAMES = `select format_type(c.oid, c.modifier) as name, t.typname, t.typcategory
from unnest($1::oid[], $2::int[]) with ordinality as c(oid, modifier, place)
join pg_catalog.pg_type t on t.oid = c.oid
order by c.place`;

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
  /** For statements beside those under way; opened with the first, anew if it was lost. */
  #second: Promise<PostgresSession> | null = null;

  constructor(session: PostgresSession, openAside: () => Promise<PostgresSession>) {
    this.#session = session;
    this.#openAside = openAside;
    this.dialect = withOwnWorkTables(postgresDialect, session.opening);
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

  describe(statement: Statement): Promise<Column[]> {
    // In parentheses nothing but a query is grammatical, and nothing of it is executed. The user's lines keep their numbers.
    const asked = { sql: `select * from (${statement.sql}\n) opportune_query limit 0`, params: statement.params };
    return this.#alone(async () => {
      const { fields } = await this.#session.ask(asked, statement.sql);
      const numbers = (of: (field: FieldDef) => number): string => arrayText(fields.map(of));
      const params = [numbers(({ dataTypeID }) => dataTypeID), numbers(({ dataTypeModifier }) => dataTypeModifier)];
      const types = rowsOf(await this.#session.ask({ sql: TYPE_NAMES, params }));
      return fields.map(({ name }, i) => {
        const type = types[i];
        return { name, type: String(type?.["name"]), kind: kindOf(String(type?.["typname"]), String(type?.["typcategory"])) };
      });
    });
  }

  async query(statement: Statement): Promise<Row[]> {
    this.usage.statements += 1;
    return this.#read(statement);
  }

  async #read(statement: Statement): Promise<Row[]> {
    return rowsOf(await this.#alone(() => this.#session.ask(statement)));
  }

  async execute(statement: Statement): Promise<number> {
    this.usage.statements += 1;
    return (await this.#alone(() => this.#session.ask(statement))).rowCount ?? 0;
  }

  /** Not from inside `transaction`: a fetch is one of its own, as outcomes are committed in between. */
  async *stream(statement: Statement, batchSize: number): AsyncIterable<Row[]> {
    this.#refuseInside("stream");
    // Named as nobody else's: a backend may hold those of an earlier run.
    const cursor = `opportune_cursor_${this.#session.opening}_${String(++this.#cursors)}`;
    const ask = (sql: string, params = [] as Statement["params"], shown = sql): Promise<Row[]> =>
      this.#session.transaction(async () => rowsOf(await this.#session.ask({ sql, params }, shown)));
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
    await this.#alone(() => this.#append(table, columns));
  }

  async #append(table: string, columns: readonly AppendColumn[]): Promise<void> {
    const names = columns.map(({ name }) => this.dialect.quote(name)).join(", ");
    const arrays = columns.map(({ kind }, i) => `$${String(i + 1)}::${ARRAY_TYPES[kind]}`).join(", ");
    const params = columns.map(({ kind, values }) =>
      arrayText(kind === "timestamp" ? values.map((at) => (at === null ? null : new Date(at).toISOString())) : values),
    );
    await this.#session.ask({ sql: `insert into ${table} (${names}) select * from unnest(${arrays})`, params });
  }

  async script({ work = [], fill, statements }: Script): Promise<Row[]> {
    this.#refuseInside("script");
    this.usage.statements += 1;
    return this.#session.transaction(async () => {
      for (const statement of work) await this.#session.ask(statement);
      if (fill !== undefined) {
        await this.#session.ask({ sql: `delete from ${fill.table}`, params: [] });
        await this.#append(fill.table, fill.columns);
      }
      let rows: Row[] = [];
      for (const [i, statement] of statements.entries()) {
        const result = await this.#session.ask(statement);
        if (statement.mustChange !== undefined && result.rowCount !== statement.mustChange) throw new UnmetError(statement.sql, i);
        rows = rowsOf(result);
      }
      return rows;
    });
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseInside("transaction");
    this.usage.statements += 2;
    return this.#session.transaction(() => this.#inside.run(true, work));
  }

  /** What is a transaction of its own would wait for ever for the end of the one it is called in. */
  #refuseInside(what: string): void {
    if (this.#inside.getStore() === true) throw new Error(`Postgres: \`${what}\` can't be called within a transaction, as it is one of its own.`);
  }

  /** A transaction of its own, or part of the one it is called in. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#inside.getStore() === true ? work() : this.#session.transaction(work);
  }

  readonly beside = async (statement: Statement): Promise<number> => {
    this.#second ??= this.#openAside();
    const second = this.#second;
    try {
      const session = await second;
      return (await session.transaction(() => session.ask(statement))).rowCount ?? 0;
    } catch (error) {
      this.#second = null;
      void second.then((session) => session.disconnect()).catch(() => undefined);
      throw error;
    }
  };

  /**
   * A dump restored elsewhere is another database, of another cluster as a rule. Managed services may hide the cluster's
   * identifier, and a copy of a whole cluster (a snapshot, a replica) has the same as its original.
   */
  async identity(): Promise<string | null> {
    const [database] = await this.#read({ sql: "select oid from pg_catalog.pg_database where datname = current_database()", params: [] });
    const cluster = await this.#read({ sql: "select system_identifier from pg_catalog.pg_control_system()", params: [] }).catch((error: unknown) => {
      // Refused to most users of managed services.
      if (error instanceof WarehouseError) return [];
      throw error;
    });
    return createHash("sha256")
      .update(`postgres ${String(cluster[0]?.["system_identifier"] ?? "")} ${String(database?.["oid"])}`)
      .digest("hex");
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
