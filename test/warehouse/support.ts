/** Warehouses of a test file, closed after each test. */
import { afterEach } from "vitest";
import type { DuckDbConnection } from "../../src/project/types.js";
import { openDuckDb, type OpenOptions } from "../../src/warehouse/duckdb.js";
import type { Statement, Warehouse } from "../../src/warehouse/types.js";

const opened: Warehouse[] = [];

afterEach(async () => {
  for (const warehouse of opened.splice(0)) await warehouse.close();
});

/** A DuckDB warehouse, in memory unless a path is given. */
export async function open(connection: Partial<DuckDbConnection> = {}, options: Partial<OpenOptions> = {}): Promise<Warehouse> {
  const warehouse = await openDuckDb(
    { type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1, ...connection },
    { root: ".", ...options },
  );
  opened.push(warehouse);
  return warehouse;
}

/** Has a warehouse closed after the test. */
export function onClose(warehouse: Warehouse): Warehouse {
  opened.push(warehouse);
  return warehouse;
}

/** Closes it now instead of after the test. */
export async function close(warehouse: Warehouse): Promise<void> {
  opened.splice(opened.indexOf(warehouse), 1);
  await warehouse.close();
}

export function plain(sql: string): Statement {
  return { sql, params: [] };
}

/** What a promise is rejected with; fails where it is not, or not with an Error. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error("rejected with no Error", { cause: error });
  }
  throw new Error("it was not rejected");
}
