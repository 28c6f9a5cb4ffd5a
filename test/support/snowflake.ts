/** Databases of the tests' Snowflake: an emulator, or a real account. */
import { randomBytes } from "node:crypto";
import { parse } from "yaml";
import type { SnowflakeConnection } from "../../src/project/targets/snowflake.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import { connectionOf } from "./targets.js";

/** Set by test/emulators/start.ts before any test runs. */
export const SNOWFLAKE_URL_VARIABLE = "OPPORTUNE_TEST_SNOWFLAKE";

/**
 * The keys of a target (as opportune.yml has them, in YAML) of a real account: account, user, private_key_path, role, warehouse.
 * The role must be allowed to create databases. Set by whoever runs the tests.
 */
export const SNOWFLAKE_TARGET_VARIABLE = "OPPORTUNE_TEST_SNOWFLAKE_TARGET";

/** Of a database of one test's own; in the emulator it springs up when somebody connects to it. */
export function newDatabaseName(): string {
  return `TEST_${randomBytes(6).toString("hex").toUpperCase()}`;
}

/** How to connect to the emulator. */
export function emulatorConnection(database = newDatabaseName()): SnowflakeConnection {
  const url = process.env[SNOWFLAKE_URL_VARIABLE];
  if (url === undefined) throw new Error(`${SNOWFLAKE_URL_VARIABLE} is not set: run the tests with npm run test:warehouses, which starts an emulator`);
  return {
    type: "snowflake",
    account: "fakesnow",
    user: "test",
    signIn: { kind: "password", password: "test" },
    role: null,
    warehouse: null,
    database,
    sessionSchema: "PUBLIC",
    queryTag: "opportune-test",
    statementTimeoutSeconds: 60,
    url,
  };
}

/** A database of one test's own, on the account that a variable names or else in the emulator, which keeps what was in it. */
export async function createSnowflakeDatabase(): Promise<{ target: Record<string, unknown>; drop: () => Promise<void> }> {
  const database = newDatabaseName();
  const account = process.env[SNOWFLAKE_TARGET_VARIABLE];
  if (account === undefined) {
    const { signIn: _, url, account: name } = emulatorConnection(database);
    return {
      target: { type: "snowflake", account: name, user: "test", password: "test", url, database, session_schema: "PUBLIC" },
      drop: () => Promise.resolve(),
    };
  }
  const keys = parse(account) as Record<string, unknown>;
  const inAccount = async (sql: string): Promise<void> => {
    const warehouse = await openWarehouse(connectionOf({ type: "snowflake", ...keys }), { root: "." });
    await warehouse.execute({ sql, params: [] }).finally(() => warehouse.close());
  };
  await inAccount(`create database ${database}`);
  return { target: { ...keys, type: "snowflake", database, session_schema: "PUBLIC" }, drop: () => inAccount(`drop database ${database}`) };
}
