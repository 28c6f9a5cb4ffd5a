/** Projects of the tests' BigQuery: of an emulator, which has as many as are asked for, or a real one, which is empty between tests. */
import { randomBytes } from "node:crypto";
import type { Dataset } from "@google-cloud/bigquery";
import { parse } from "yaml";
import type { BigQueryConnection } from "../../src/project/targets/bigquery.js";
import { connectBigQuery } from "../../src/warehouse/bigquery/connect.js";
import { openBigQuery } from "../../src/warehouse/bigquery/warehouse.js";
import type { Made } from "./databases.js";
import { connectionOf } from "./targets.js";

/** URLs of emulators with a space between, which the processes that run tests share out. Set by test/emulators/start.ts before any test runs. */
export const BIGQUERY_URLS_VARIABLE = "OPPORTUNE_TEST_BIGQUERY";

/**
 * The keys of a target (as opportune.yml has them, in YAML) of a real project: project, location, credentials_file. It must hold no
 * dataset: a test drops all that it finds when it ends. Set by whoever runs the tests, one file after another.
 */
export const BIGQUERY_TARGET_VARIABLE = "OPPORTUNE_TEST_BIGQUERY_TARGET";

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

/** A project with nothing in it but an empty dataset: the one that a variable names, or else one of the emulator's. */
export async function createBigQueryProject(): Promise<Made> {
  const account = process.env[BIGQUERY_TARGET_VARIABLE];
  if (account === undefined) return createDataset(newTarget(), forgetProject);
  const target: Record<string, unknown> = { ...(parse(account) as Record<string, unknown>), type: "bigquery", dataset: DATASET };
  const found = await datasetsOf(target);
  if (found.length > 0) {
    const names = found.map(({ id }) => id).join(", ");
    throw new Error(
      `The project ${String(target["project"])} holds ${names}: the tests need one without datasets, one file after another. Drop them if they are a test's.`,
    );
  }
  return createDataset(target, async () => {
    for (const dataset of await datasetsOf(target)) await dataset.delete({ force: true });
  });
}

async function createDataset(target: Record<string, unknown>, drop: (target: Record<string, unknown>) => Promise<void>): Promise<Made> {
  const warehouse = await openBigQuery(bigQueryConnection(target), { root: "." });
  await warehouse.beside?.({ sql: `create schema ${DATASET}`, params: [] });
  await warehouse.close();
  return { target, drop: () => drop(target) };
}

async function datasetsOf(target: Record<string, unknown>): Promise<Dataset[]> {
  const connection = bigQueryConnection(target);
  const [datasets] = await (await connectBigQuery(connection, ".")).getDatasets({ projectId: connection.project });
  return datasets;
}

/** The emulator's own word for it: it slows down with what it holds. */
async function forgetProject({ url, project }: Record<string, unknown>): Promise<void> {
  const { status } = await fetch(`${String(url)}/emulator/projects/${String(project)}`, { method: "DELETE" });
  if (status !== 200) throw new Error(`the emulator doesn't let go of a project: ${String(status)}`);
}
