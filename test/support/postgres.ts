/** Databases of the tests' Postgres, one for each test file or more. */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import type { PostgresConnection } from "../../src/project/targets/postgres.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Warehouse } from "../../src/warehouse/types.js";

/** Set by test/support/postgres-server.ts before any test runs. */
export const POSTGRES_URL_VARIABLE = "OPPORTUNE_TEST_POSTGRES";

/** How to connect to a server, as its superuser; by default the one of all tests. */
export function serverConnection(url = process.env[POSTGRES_URL_VARIABLE]): PostgresConnection {
  if (url === undefined) throw new Error(`${POSTGRES_URL_VARIABLE} is not set: run the tests with vitest, which starts a server`);
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    type: "postgres",
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    ssl: null,
    statementTimeoutSeconds: 60,
    searchPath: [],
    options: null,
    channelBinding: false,
    applicationName: "opportune-test",
  };
}

/**
 * A database of its own, whose language sorts otherwise than bytes do (by default English: a before B), as most in the world.
 * `drop` ends its connections and removes it.
 */
export async function createDatabase(url?: string, locale = "en-US"): Promise<{ connection: PostgresConnection; drop: () => Promise<void> }> {
  const connection = { ...serverConnection(url), database: `test_${randomBytes(6).toString("hex")}` };
  await asSuperuser(`create database ${connection.database} template template0 locale_provider icu icu_locale '${locale}'`, url);
  return { connection, drop: () => asSuperuser(`drop database if exists ${connection.database} with (force)`, url) };
}

/** One statement in the server's own database. */
export async function asSuperuser(sql: string, url?: string): Promise<void> {
  const { host, port, user, password, database } = serverConnection(url);
  const client = new Client({ host, port, user: user ?? "", password: password ?? "", database: database ?? "" });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A connection to a new database, which goes when it is closed. */
export async function openNewDatabase(): Promise<Warehouse> {
  const { connection, drop } = await createDatabase();
  const warehouse = await openPostgres(connection, { root: "." });
  const close = warehouse.close.bind(warehouse);
  warehouse.close = async () => {
    await close();
    await drop();
  };
  return warehouse;
}
