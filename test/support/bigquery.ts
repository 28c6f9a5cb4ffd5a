/** Datasets of the tests' BigQuery: an emulator, or a real project. */
import { randomBytes } from "node:crypto";
import type { BigQueryConnection } from "../../src/project/types.js";
import { openBigQuery } from "../../src/warehouse/bigquery.js";
import type { Warehouse } from "../../src/warehouse/types.js";

/** Set by test/emulators/start.ts before any test runs. */
export const BIGQUERY_URL_VARIABLE = "OPPORTUNE_TEST_BIGQUERY";

/** How to connect to the emulator, with a dataset of its own for what the test makes. */
export function bigQueryConnection(dataset = `test_${randomBytes(6).toString("hex")}`): BigQueryConnection {
  const url = process.env[BIGQUERY_URL_VARIABLE];
  if (url === undefined) throw new Error(`${BIGQUERY_URL_VARIABLE} is not set: run the tests with npm run test:warehouses, which starts an emulator`);
  return {
    type: "bigquery",
    project: "test-project",
    billingProject: null,
    location: null,
    dataset,
    signIn: { kind: "default" },
    impersonate: null,
    statementTimeoutSeconds: 60,
    url,
  };
}

/** An empty dataset, in which tables without one are looked up. */
export async function openNewBigQuery(): Promise<Warehouse> {
  const connection = bigQueryConnection();
  const maker = await openBigQuery({ ...connection, dataset: null }, { root: "." });
  await maker.execute({ sql: `create schema \`${String(connection.dataset)}\``, params: [] });
  await maker.close();
  return openBigQuery(connection, { root: "." });
}
