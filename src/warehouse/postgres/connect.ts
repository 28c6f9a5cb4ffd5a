import { connectionName } from "../../project/targets/targets.js";
import type { Client, ClientConfig } from "pg";
import { formatDuration } from "../../core/durations.js";
import { OpportuneError, type Problem } from "../../core/errors.js";
import { withoutFreeText } from "../../core/values.js";
import type { PostgresConnection } from "../../project/targets/postgres.js";
import { driverMissing } from "../driver.js";
import { WarehouseError } from "../error.js";
import { readNamedFile } from "../named-file.js";

/** A server that doesn't answer within this is not there, ms. */
const CONNECT_TIMEOUT_MS = 10_000;

const UNREADABLE_CA = { code: "warehouse/ca", hint: "Give the path of the server's CA certificate in PEM, relative to the project." };

/** Connects, and no more: each transaction sets itself up (`beginning`). @throws OpportuneError with the way out */
export async function connectPostgres(connection: PostgresConnection, root: string): Promise<Client> {
  const pg = await loadDriver();
  const client = new pg.Client(clientConfig(connection, root));
  // Without a listener a server that goes away between two statements ends the process; the next statement says so.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw unreachable(connection, error);
  }
}

async function loadDriver(): Promise<{ Client: typeof Client }> {
  try {
    return await import("pg");
  } catch (error) {
    throw driverMissing("postgres", error);
  }
}

function clientConfig(connection: PostgresConnection, root: string): ClientConfig {
  const { host, port, user, password, database, ssl, options, channelBinding, applicationName } = connection;
  return {
    host,
    port,
    ...(user === null ? {} : { user }),
    ...(password === null ? {} : { password }),
    ...(database === null ? {} : { database }),
    ssl:
      ssl === null
        ? false
        : { rejectUnauthorized: ssl.rejectUnauthorized, ...(ssl.ca === null ? {} : { ca: readNamedFile(ssl.ca, root, "ssl.ca", UNREADABLE_CA) }) },
    ...(options === null ? {} : { options }),
    enableChannelBinding: channelBinding,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

/** What the driver threw, as far as it says it. */
interface DriverError {
  message: string;
  /** SQLSTATE of the server's errors, e.g. 42P01; a system's or TLS code of the others, e.g. ECONNREFUSED. */
  code: string;
  /** 1-based, in characters of the statement. */
  position: number | null;
  fromServer: boolean;
}

function read(error: unknown): DriverError {
  // A host name with several addresses fails with several errors and no message of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { code, position, severity } = (first ?? {}) as { code?: unknown; position?: unknown; severity?: unknown };
  return {
    message: (first instanceof Error ? first.message : String(first)).split("\n")[0] ?? "",
    code: typeof code === "string" ? code : "",
    position: typeof position === "string" ? Number(position) : null,
    fromServer: typeof severity === "string",
  };
}

export function unreachable(connection: PostgresConnection, error: unknown): OpportuneError {
  if (error instanceof OpportuneError) return error;
  const { message, code } = read(error);
  if (code === "08P01" && message.includes("pooling mode")) return poolerBetween(connection, `it says: ${message}`, error);
  return new OpportuneError(
    {
      code: "warehouse/unreachable",
      message: `Can't connect to Postgres (${connectionName(connection)}): ${message}.`.replace(/\.\.$/, "."),
      hint: wayOut(code, message),
    },
    1,
    error,
  );
}

function wayOut(code: string, message: string): string {
  if (code.startsWith("28")) return "Check `user` and `password` of this target, and that the server lets that user in from here (pg_hba.conf).";
  if (code === "3D000") return "Check `database` of this target, or create it.";
  if (code === "53300") return "The server has no free connection: end others, or raise max_connections.";
  if (code === "42501" || code === "22023") return `The session's settings were refused. ${SESSION_MODE}`;
  if (message.includes("does not support SSL")) return "Turn TLS on at the server, or, on a network you trust, set `ssl: false` of this target.";
  if (/CERT|SELF_SIGNED|UNABLE_TO|TLS/.test(code)) {
    return "Name the CA's certificate, which your host offers (Supabase, RDS), under `ssl: {ca: FILE}` of this target. For a host that has none (Heroku): `ssl: {reject_unauthorized: false}`.";
  }
  return "Check `host` and `port` of this target, and that the server runs and is open to this machine.";
}

/** A connection that went away is no fault of the statement: nothing after it can work. */
export function connectionLost(connection: PostgresConnection, cause: unknown): OpportuneError {
  return new OpportuneError(
    {
      code: "warehouse/connection-lost",
      message: `The connection to Postgres (${connectionName(connection)}) was lost: ${read(cause).message}.`.replace(/\.\.$/, "."),
      hint: "What was committed stands. Run again once the server is there: the next run takes up what this one left.",
    },
    1,
    cause,
  );
}

/**
 * A session that isn't one: work tables, cursors and locks belong to a backend, and this one is handed to others in between.
 * @param seen by what it was found out
 */
export function poolerBetween(connection: PostgresConnection, seen: string, cause?: unknown): OpportuneError {
  return new OpportuneError(
    {
      code: "warehouse/pooler",
      message: `A pooler in transaction mode stands before Postgres (${connectionName(connection)}): ${seen.replace(/\.$/, "")}. A run needs one session.`,
      hint: SESSION_MODE,
    },
    1,
    cause,
  );
}

/** The way out of a pooler in transaction mode. */
export const SESSION_MODE =
  "Connect to Postgres itself, or to the pooler in session mode: often port 5432 in place of 6543, or the host without `-pooler`; PgBouncer: pool_mode = session.";

/** What stands in the way of a whole run, not of one statement; null for anything else. */
function obstacle(code: string, sql: string, message: string, { database, user }: PostgresConnection): Problem | null {
  if (code === "25006") return readOnly(database);
  if (code === "42501" && /^(drop table if exists pg_temp|create temporary)/.test(sql)) return noTemporaryTables(database, user);
  return code === "42501" && DEFINES.test(sql) ? missingRight(message, sql, user) : null;
}

/** What an installation of the ledger defines, after its comments. */
const DEFINES = /^(?:\s*--[^\n]*\n)*\s*(?:do \$\$|create (?!temporary)|alter |drop (?:view|index|function|trigger))/;

/** The right that an installation of the ledger lacks, by the server's words, with the SQL that gives it; null: they name none. */
function missingRight(message: string, sql: string, user: string | null): Problem | null {
  const role = quoted(user);
  const [, kind = "", name = ""] = /^permission denied for (database|schema) (.+)$/.exec(message) ?? /^must be owner of (\w+) (.+)$/.exec(message) ?? [];
  const may = (right: string, hint: string): Problem => ({
    code: "ledger/rights",
    message: `Role ${user ?? "of this target"} ${right}: the ledger can't be installed.`,
    hint,
  });
  switch (kind) {
    case "":
    // A view that can't be replaced has words of its own.
    case "view":
      return null;
    case "database": {
      const schema = /create schema (\S+);/.exec(sql)?.[1] ?? "opportune";
      return may(
        `may not create a schema in database ${name}`,
        `As the database's owner: create schema ${schema} authorization ${role}; or grant create on database ${quoted(name)} to ${role};`,
      );
    }
    case "schema":
      return may(`may not create tables in schema ${name}`, `As the schema's owner: grant usage, create on schema ${quoted(name)} to ${role};`);
    default:
      return may(
        `doesn't own the ${kind} ${name}`,
        `Run \`opportune ledger install\` as its owner; or, as a superuser: alter ${kind} ${name} owner to ${role};`,
      );
  }
}

/** A standby, or a database or role whose transactions are read-only. */
export function readOnly(database: string | null): Problem {
  return {
    code: "warehouse/read-only",
    message: "This Postgres is read-only: it is a standby, or default_transaction_read_only is on. A run writes to the ledger.",
    hint: `Connect to the primary; or, as its owner: alter database ${quoted(database)} reset default_transaction_read_only (or alter role).`,
  };
}

export function noTemporaryTables(database: string | null, user: string | null): Problem {
  return {
    code: "warehouse/temporary-tables",
    message: `Role ${user ?? "of this target"} may not create temporary tables in this database. A run stages its rows in them.`,
    hint: `As the database's owner: grant temporary on database ${quoted(database)} to ${quoted(user)};`,
  };
}

/** The words and the way out where the server had no memory or disk for a statement; null for any other error. */
function noRoom(code: string, message: string): Pick<Problem, "message" | "hint"> | null {
  // Not told by code alone: 53400 has other limits too.
  if (code === "53400" && message.includes("temp_file_limit")) {
    return {
      message: `Postgres ended this statement, whose temporary files are larger than the server's temp_file_limit: ${message}.`,
      hint: "Raise temp_file_limit, as a superuser: alter role ROLE set temp_file_limit = '20GB'; or have the query return fewer rows or narrower columns.",
    };
  }
  if (code === "53100") {
    return {
      message: `The disk of Postgres is full: ${message}.`,
      hint: "Free space on the server's disk, or name a larger one for temporary files and tables under temp_tablespaces.",
    };
  }
  if (code === "53200") {
    return {
      message: `Postgres ran out of memory: ${message}.`,
      hint: "Give the server more memory, or lower its work_mem, which each sort and join of a statement may take.",
    };
  }
  return null;
}

/** A name in a hint's SQL. */
export function quoted(name: string | null): string {
  return name === null ? "NAME" : /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/**
 * The server's complaint about a statement, with the line it points at; or the loss of the connection.
 * @param sql what was run
 * @param shown what its author wrote, beginning on the same line
 */
export function statementError(error: unknown, sql: string, shown: string, connection: PostgresConnection): OpportuneError {
  const { message, code, position, fromServer } = read(error);
  if (error instanceof OpportuneError) return error;
  // Class 08 and 57P01 to 57P05: the server went away, or sends us away.
  if (!fromServer || code.startsWith("08") || code.startsWith("57P")) return connectionLost(connection, error);
  const line = position === null ? null : [...sql].slice(0, position - 1).filter((character) => character === "\n").length + 1;
  const refused = obstacle(code, sql, message, connection);
  if (refused !== null) return new OpportuneError(refused, 1, error);
  const room = noRoom(code, message);
  if (room !== null) return new WarehouseError(room.message, null, shown, error, room.hint);
  const timeout = code === "57014" && message.includes("statement timeout");
  const reason = timeout ? `it took longer than ${formatDuration(connection.statementTimeoutSeconds)}, the statement_timeout of this target` : message;
  return new WarehouseError(timeout || OF_THE_STATEMENT.test(code) ? reason : withoutFreeText(reason, shown), line, shown, error);
}

/** Classes of errors about a statement's words, rights, transactions and the server: all others may hold any text of a row. */
const OF_THE_STATEMENT = /^(?:0A|25|26|28|34|3B|3D|3F|40|42|53|54|55|57|58)/;
