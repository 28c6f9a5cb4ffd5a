import type { PostgresConnection } from "../../project/targets/postgres.js";

/** Most memory of each sort and hash of a statement, and of temporary tables, until it goes to disk. */
const WORK_MEM = "64MB";

/**
 * A transaction whose process says nothing for so long is ended by the server, ms: a process that was stopped or cut off
 * amid one would else keep the ledger's lease from everybody, expired or not. Ours ask their statements without a pause.
 */
const IDLE_IN_TRANSACTION_MS = 60_000;

/**
 * What a run relies on and a role, database or server may set otherwise. Every one of them may be set by any user.
 * `test/warehouse/postgres/settings.long.test.ts` shows what each of them does to a run that leaves it alone.
 */
const RELIED_ON: readonly (readonly [name: string, value: string])[] = [
  // What text a value takes, and what value a text. Of DateStyle the style alone: day before month stays the database's choice.
  ["timezone", "UTC"],
  ["datestyle", "ISO"],
  ["intervalstyle", "postgres"],
  ["extra_float_digits", "1"],
  ["bytea_output", "hex"],
  ["xmloption", "content"],
  ["array_nulls", "on"],
  ["client_encoding", "UTF8"],
  // What a query means.
  ["standard_conforming_strings", "on"],
  ["transform_null_equals", "off"],
  ["restrict_nonsystem_relation_kind", ""],
  ["row_security", "on"],
  // How long a statement, a transaction and a session may take, and what else ends them.
  ["transaction_timeout", "0"],
  ["lock_timeout", "0"],
  ["idle_in_transaction_session_timeout", String(IDLE_IN_TRANSACTION_MS)],
  ["exit_on_error", "off"],
  // Work tables are emptied and filled anew.
  ["default_table_access_method", "heap"],
  ["client_min_messages", "warning"],
  // Each statement runs once: with its values known it is planned better, and compiling takes longer than what it saves.
  ["plan_cache_mode", "auto"],
  ["jit", "off"],
  ["work_mem", WORK_MEM],
];

/**
 * In which schemas names are looked up. `ours`: in Postgres' own alone, so that no function, operator or type of somebody
 * else's runs with our rights. `users`: as in any session of theirs, but never before Postgres' own.
 */
export type Path = "ours" | "users";

const OUR_PATH = "set local search_path to pg_catalog, pg_temp";

/** No schema can have this name. */
const NOWHERE = "pg_nowhere";

/** The statements that set the path, in one request. */
export function pathStatements(path: Path, { searchPath }: PostgresConnection): string {
  if (path === "ours") return OUR_PATH;
  const named = searchPath.map((schema) => `"${schema.replaceAll('"', '""')}"`).join(", ");
  // A schema that isn't named comes first: one that names Postgres' own later would put others before it.
  const first = `pg_catalog.replace(pg_catalog.current_setting('search_path'), 'pg_catalog', '${NOWHERE}')`;
  return `set local search_path to ${searchPath.length === 0 ? "default" : named}; select pg_catalog.set_config('search_path', ${first}, true)`;
}

/**
 * The statements that begin a transaction, in one request. Its settings are its own: on a backend that others use too they neither
 * get lost nor stay behind. The last one gives `pid`, the backend's, and `began`, in microseconds since 1970 UTC.
 */
export function beginning(path: Path, connection: PostgresConnection): string {
  const set = RELIED_ON.map(([name, value]) => `case when pg_catalog.current_setting('${name}', true) is not null then ${setConfig(name, `'${value}'`)} end`);
  // A server that forgets commits when it crashes would forget what was handed over, and send it again.
  set.push(setConfig("synchronous_commit", "pg_catalog.replace(pg_catalog.current_setting('synchronous_commit'), 'off', 'on')"));
  const began = "cast(cast(extract(epoch from pg_catalog.now()) operator(pg_catalog.*) 1000000 as bigint) as text)";
  return [
    "begin isolation level read committed",
    // First, so that a short one doesn't end what follows.
    `set local statement_timeout to ${String(connection.statementTimeoutSeconds * 1000)}`,
    pathStatements(path, connection),
    `select ${set.join(", ")}, pg_catalog.pg_backend_pid() as pid, ${began} as began`,
  ].join("; ");
}

function setConfig(name: string, value: string): string {
  return `pg_catalog.set_config('${name}', ${value}, true)`;
}

/**
 * Settings that act between transactions, and so are a session's: temporary tables' buffers, of which a backend that had
 * temporary tables before keeps what it has, and how long a session may wait for a provider's answers.
 */
export const SESSION_SETTINGS = `select pg_catalog.set_config('idle_session_timeout', '0', false), pg_catalog.set_config('temp_buffers', '${WORK_MEM}', false)`;

/** What takes them back. */
export const SESSION_RESETS = ["reset idle_session_timeout", "reset temp_buffers"];

/**
 * The collation by which letters have small ones in no language: by all of Unicode, the same whatever the database's own is.
 * Servers built without ICU before Postgres 17 have neither, and only their own.
 */
export const UNICODE_COLLATION = `select collname as collation from pg_catalog.pg_collation
where collnamespace = cast('pg_catalog' as regnamespace) and collname in ('und-x-icu', 'pg_c_utf8')
  and collencoding in (-1, pg_char_to_encoding(getdatabaseencoding()))
order by collname desc limit 1`;
