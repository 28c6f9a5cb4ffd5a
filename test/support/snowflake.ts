/** Databases of the tests' Snowflake: an emulator, or a real account. */
import { randomBytes } from "node:crypto";
import type { SnowflakeConnection } from "../../src/project/types.js";
import { openSnowflake } from "../../src/warehouse/snowflake.js";
import type { Warehouse } from "../../src/warehouse/types.js";

/** Set by test/emulators/start.ts before any test runs. */
export const SNOWFLAKE_URL_VARIABLE = "OPPORTUNE_TEST_SNOWFLAKE";

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

export function openNewSnowflake(): Promise<Warehouse> {
  return openSnowflake(emulatorConnection(), { root: "." });
}
