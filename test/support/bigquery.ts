/** Projects of the tests' BigQuery: of an emulator, which has as many as are asked for. */
import { randomBytes } from "node:crypto";
import type { BigQueryConnection } from "../../src/project/types.js";
import { openBigQuery } from "../../src/warehouse/bigquery.js";
import type { Made } from "./databases.js";
import { connectionOf } from "./targets.js";

/** URLs of emulators with a space between, which the processes that run tests share out. Set by test/emulators/start.ts before any test runs. */
export const BIGQUERY_URLS_VARIABLE = "OPPORTUNE_TEST_BIGQUERY";

/** The dataset in which the tests' tables without one are looked up. */
const DATASET = "shop";

/** The keys of a target of the emulator's, with a project of its own, which springs up. */
function newTarget(): Record<string, unknown> {
  const urls = process.env[BIGQUERY_URLS_VARIABLE]?.split(" ") ?? [];
  const url = urls[Number(process.env["VITEST_POOL_ID"] ?? 0) % urls.length];
  if (url === undefined) throw new Error(`${BIGQUERY_URLS_VARIABLE} is not set: run the tests with npm run test:warehouses, which starts an emulator`);
  return { type: "bigquery", project: `test-${randomBytes(6).toString("hex")}`, dataset: DATASET, url };
}

/** As a project has it that names such a target. */
export function bigQueryConnection(target = newTarget()): BigQueryConnection {
  const connection = connectionOf(target);
  if (connection.type !== "bigquery") throw new Error(`The target is of type ${connection.type}`);
  return connection;
}

/** A project with nothing in it but an empty dataset. */
export async function createBigQueryProject(): Promise<Made> {
  const target = newTarget();
  const warehouse = await openBigQuery(bigQueryConnection(target), { root: "." });
  await warehouse.beside?.({ sql: `create schema ${DATASET}`, params: [] });
  await warehouse.close();
  return {
    target,
    async drop() {
      // The emulator's own word for it: it slows down with what it holds.
      const { status } = await fetch(`${String(target["url"])}/emulator/projects/${String(target["project"])}`, { method: "DELETE" });
      if (status !== 200) throw new Error(`the emulator doesn't let go of a project: ${String(status)}`);
    },
  };
}
