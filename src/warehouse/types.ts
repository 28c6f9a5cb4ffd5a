import type { Dialect } from "./dialect.js";
import type { ColumnKind } from "./kinds.js";

/** A value bound to a statement. The job's own SQL binds text and casts it, which ends the trouble with typed nulls. */
export type Param = string | number | boolean | null;

export interface Statement {
  sql: string;
  params: readonly Param[];
  /** The segment or audience whose query it is, on the bill. */
  segment?: string;
  /** Most bytes it may read. Staging asks for the estimate and refuses; a warehouse that charges by them refuses too, before it begins. */
  maxBytes?: number;
  /** Its names are the warehouse's own or have their schema: where a session may look names up, nobody else's are looked at. */
  ours?: boolean;
  /** A user's query, whose rows it reads from the work table APART: where `queriesApart`, or of a segment where `stagesInPages`. */
  apart?: Statement;
  /** Where `stagesInPages`: what is done once it has run over all the rows of APART, some at a time, if the query `where` gives a row. */
  afterPages?: Statement & { where?: Statement };
  /** Where `stagesInPages`: what takes back the pages before one that failed. */
  undoPages?: Statement;
}

/** Statements that stand or fall together, and what they need of work tables: that comes first, and may stay whatever becomes of the rest. */
export interface Script {
  /** Definitions of work tables. */
  work?: readonly Statement[];
  /** Rows for a work table, which is emptied before. */
  fill?: { table: string; columns: readonly AppendColumn[] };
  statements: readonly ScriptStatement[];
}

export interface ScriptStatement extends Statement {
  /** Rows that it must change: otherwise nothing of the script stands. */
  mustChange?: number;
}

/** What was run since the warehouse was opened. */
export interface Usage {
  /**
   * Each query, statement and script that the warehouse was asked to carry out: a script counts as one, however many statements
   * it holds, and so does a query, however many pages its rows come in. What costs nothing is none: descriptions, estimates, the
   * database's identity, and the lease's heartbeat every 30 seconds.
   */
  statements: number;
  /** Bytes that they read; null where the warehouse doesn't say. */
  bytes: number | null;
}

/** What the warehouse's own history and bill name statements by. */
export interface Labels {
  project: string;
  /** Null: outside a run. */
  run: string | null;
}

export interface Column {
  name: string;
  /** As the warehouse calls it, for messages. */
  type: string;
  kind: ColumnKind;
}

/**
 * A row as read: text, finite numbers, booleans and null. Timestamps must be cast to text in SQL, exact numbers arrive as text.
 */
export type Row = Record<string, string | number | boolean | null>;

/** A column's values for a bulk append, all of the length of the others. */
export interface AppendColumn {
  name: string;
  kind: "text" | "integer" | "timestamp";
  /** Text, whole numbers, or timestamps in ms since 1970 UTC. */
  values: readonly (string | number | null)[];
}

/** Bytes of rows held at once, about: each claim becomes a mail in two parts, and two batches are in memory. */
export const BATCH_BYTES = 16 * 2 ** 20;

/**
 * The whole of what the job asks of a warehouse. All methods reject with an OpportuneError whose message is the
 * warehouse's own, with `statementLine` where the warehouse names a line of the statement.
 */
export interface Warehouse {
  readonly dialect: Dialect;
  /** As of now. */
  readonly usage: Readonly<Usage>;
  /** Names the statements from now on, where the warehouse has labels or tags. */
  label(labels: Labels): void;
  /** Whether there is a table of that name in a schema, which need not exist. */
  hasTable(schema: string, table: string): Promise<boolean>;
  /** Bytes that a statement would read, or null where the warehouse doesn't say; runs nothing. */
  estimate(statement: Statement): Promise<number | null>;
  /** The columns that a query would return; runs nothing. */
  describe(statement: Statement): Promise<Column[]>;
  /** Has the warehouse plan a statement of ours, after what it reads apart; runs nothing. The work tables that it names must be there. */
  plan(statement: Statement): Promise<void>;
  /** For small results only. */
  query(statement: Statement): Promise<Row[]>;
  /** Runs one statement and gives the number of rows it changed. */
  execute(statement: Statement): Promise<number>;
  /** For results of any size: reads while other statements run. `batchSize` is the most rows held at once; large ones are fewer. */
  stream(statement: Statement, batchSize: number): AsyncIterable<Row[]>;
  /** The fast way for rows that come from this process. Part of the transaction it is called in. */
  append(table: string, columns: readonly AppendColumn[]): Promise<void>;
  /**
   * Runs statements in one transaction, and in one request where the warehouse takes several. Gives the rows of the last one, if it
   * is a query.
   * @throws UnmetError where a statement changed another number of rows than it must
   */
  script(script: Script): Promise<Row[]>;
  /**
   * All or nothing; rolls back when `work` rejects. Not nested. For the installation of a ledger alone, where a view is replaced and
   * the statement that fails is told by its own words: whatever else is written is a script.
   */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Runs a short statement at once, whatever is under way; gives the rows changed. Null where no other process could come in between. */
  readonly beside: ((statement: Statement) => Promise<number>) | null;
  /** What tells this database from a copy of it; null where nothing does. `make`: gives it such where it has none and can have one. */
  identity(make?: boolean): Promise<string | null>;
  /** What told it in earlier ledgers, where that was something else: an upgrade takes it for once. */
  readonly formerIdentity?: string | null;
  /** Ends statements under way, in the warehouse too; they reject here. Gives up after seconds. */
  cancel(): Promise<void>;
  /** Cancels what is under way. */
  close(): Promise<void>;
}
