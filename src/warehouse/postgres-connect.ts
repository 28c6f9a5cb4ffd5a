import type { Client, ClientConfig } from "pg";
import { formatDuration } from "../core/durations.js";
import { OpportuneError } from "../core/errors.js";
import type { PostgresConnection } from "../project/types.js";
import { driverMissing } from "./driver.js";
import { WarehouseError } from "./error.js";
import { readNamedFile } from "./named-file.js";

/** A server that doesn't answer within this is not there, ms. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Most memory of each sort and hash of a statement, and of temporary tables, until it goes to disk. */
const WORK_MEM = "64MB";

/**
 * A transaction whose process says nothing for so long is ended by the server, ms: a process that was stopped or cut off
 * amid one would else keep the ledger's lease from everybody, expired or not. Ours ask their statements without a pause.
 */
const IDLE_IN_TRANSACTION_MS = 60_000;

const UNREADABLE_CA = { code: "warehouse/ca", hint: "Give the path of the server's CA certificate in PEM, relative to the project." };

/** `shop on db.example.com:5432`. */
export function postgresName({ host, port, database }: PostgresConnection): string {
  return `${database === null ? "" : `${database} on `}${host}:${String(port)}`;
}

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
  const { host, port, user, password, database, ssl, applicationName } = connection;
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
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

/**
 * The statements that begin a transaction, in one request. Its settings are its own: on a backend that others use too they neither
 * get lost nor stay behind. The last one gives `pid`, the backend's, and `began`, in microseconds since 1970 UTC.
 */
export function beginning({ statementTimeoutSeconds, searchPath }: PostgresConnection): string {
  const settings: [string, string][] = [
    ["timezone", "UTC"],
    ["client_min_messages", "warning"],
    ["statement_timeout", String(statementTimeoutSeconds * 1000)],
    ["idle_in_transaction_session_timeout", String(IDLE_IN_TRANSACTION_MS)],
    // Compiling takes longer than what it saves: each statement runs once.
    ["jit", "off"],
    ["work_mem", WORK_MEM],
  ];
  const path = searchPath.map((schema) => `"${schema.replaceAll('"', '""')}"`).join(", ");
  const set = settings.map(([name, value]) => `set_config('${name}', '${value}', true)`);
  // A server that forgets commits when it crashes would forget what was handed over, and send it again.
  set.push("set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)");
  return [
    "begin isolation level read committed",
    // The user's own, whatever another has left.
    `set local search_path to ${searchPath.length === 0 ? "default" : path}`,
    `select ${set.join(", ")}, pg_backend_pid() as pid, cast(cast(extract(epoch from now()) * 1000000 as bigint) as text) as began`,
  ].join("; ");
}

/** Of temporary tables' buffers, which are a session's: a backend that had temporary tables before keeps what it has. */
export const TEMP_BUFFERS = `select set_config('temp_buffers', '${WORK_MEM}', false)`;

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
      message: `Can't connect to Postgres (${postgresName(connection)}): ${message}.`.replace(/\.\.$/, "."),
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
  if (/CERT|SELF_SIGNED|UNABLE_TO|TLS/.test(code)) return "Name the CA's certificate under `ssl: {ca: FILE}` of this target.";
  return "Check `host` and `port` of this target, and that the server runs and is open to this machine.";
}

/** A connection that went away is no fault of the statement: nothing after it can work. */
export function connectionLost(connection: PostgresConnection, cause: unknown): OpportuneError {
  return new OpportuneError(
    {
      code: "warehouse/connection-lost",
      message: `The connection to Postgres (${postgresName(connection)}) was lost: ${read(cause).message}.`.replace(/\.\.$/, "."),
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
      message: `A pooler in transaction mode stands before Postgres (${postgresName(connection)}): ${seen.replace(/\.$/, "")}. A run needs one session.`,
      hint: SESSION_MODE,
    },
    1,
    cause,
  );
}

/** The way out of a pooler in transaction mode. */
export const SESSION_MODE =
  "Connect to Postgres itself, or to the pooler in session mode: often port 5432 in place of 6543, or the host without `-pooler`; PgBouncer: pool_mode = session.";

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
  const timeout = code === "57014" && message.includes("statement timeout");
  const reason = timeout ? `it took longer than ${formatDuration(connection.statementTimeoutSeconds)}, the statement_timeout of this target` : message;
  return new WarehouseError(reason, line, shown, error);
}
