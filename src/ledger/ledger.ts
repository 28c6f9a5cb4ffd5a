/** The ledger of one target, as everybody may read it. The README beside this file has the design. */
import type { Compilable, Kysely } from "kysely";
import type { Dialect } from "../warehouse/dialect.js";
import { Binder, ledgerTable, renderSqlFile } from "../warehouse/sql.js";
import type { Row, Statement, Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement, type LedgerTables } from "./tables.js";

/** Where the ledger is, and how statements about it are made. HeldLedger adds what only the holder of the lease may do. */
export class Ledger {
  readonly warehouse: Warehouse;
  readonly dialect: Dialect;
  readonly schema: string;
  /** Wall clock, ms since 1970 UTC: `recorded_at` of what is written, and the time as of which pauses end. */
  readonly now: () => number;
  /** Statements about one table, typed by its columns. */
  readonly tables: Kysely<LedgerTables>;

  constructor(warehouse: Warehouse, schema: string, now: () => number = Date.now) {
    this.warehouse = warehouse;
    this.dialect = warehouse.dialect;
    this.schema = schema;
    this.now = now;
    this.tables = ledgerQueries(this.dialect, schema);
  }

  /** The name of a table or view of the ledger, in SQL. */
  table(name: string): string {
    return ledgerTable(this.dialect, this.schema, name);
  }

  /** Fills one of the package's SQL files. `context` values are SQL; `binder` has what they bind. */
  file(name: string, context: Record<string, unknown> = {}, binder = new Binder(this.dialect)): Statement {
    return renderSqlFile(name, this.dialect, this.schema, context, binder);
  }

  /** For small results only. */
  query(asked: Compilable | Statement): Promise<Row[]> {
    return this.warehouse.query(asStatement(asked));
  }

  /** Runs one statement without the lease, and gives the number of rows it changed: for what no run writes. */
  execute(asked: Compilable | Statement): Promise<number> {
    return this.warehouse.execute(asStatement(asked));
  }
}

function asStatement(asked: Compilable | Statement): Statement {
  return "compile" in asked ? statement(asked) : asked;
}
