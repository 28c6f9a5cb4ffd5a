/** Datasets of the tests' BigQuery: an emulator, or a real project. */
import { randomBytes } from "node:crypto";
import type { BigQueryConnection } from "../../src/project/types.js";
import { openBigQuery } from "../../src/warehouse/bigquery.js";
import type { Warehouse } from "../../src/warehouse/types.js";

/** Set by test/emulators/start.ts before any test runs. */
export const BIGQUERY_URL_VARIABLE = "OPPORTUNE_TEST_BIGQUERY";

/** The dataset in which the tests' tables without one are looked up. */
const DATASET = "shop";

/** How to connect to the emulator, with a project of its own, which springs up. */
export function bigQueryConnection(project = `test-${randomBytes(6).toString("hex")}`): BigQueryConnection {
  const url = process.env[BIGQUERY_URL_VARIABLE];
  if (url === undefined) throw new Error(`${BIGQUERY_URL_VARIABLE} is not set: run the tests with npm run test:warehouses, which starts an emulator`);
  return {
    type: "bigquery",
    project,
    billingProject: null,
    location: null,
    dataset: DATASET,
    signIn: { kind: "default" },
    impersonate: null,
    statementTimeoutSeconds: 60,
    url,
  };
}

/** An empty project, but for the dataset in which tables without one are looked up. */
export async function openNewBigQuery(): Promise<Warehouse> {
  const warehouse = await openBigQuery(bigQueryConnection(), { root: "." });
  await warehouse.beside?.({ sql: `create schema ${DATASET}`, params: [] });
  return warehouse;
}
