/** Warehouses of a test, closed after it. */
import { onTestFinished } from "vitest";
import type { DuckDbConnection } from "../../src/project/targets/duckdb.js";
import { openDuckDb, type OpenOptions } from "../../src/warehouse/duckdb/open.js";
import type { Row, Statement, Warehouse } from "../../src/warehouse/types.js";

const opened = new Set<Warehouse>();

/** A DuckDB warehouse, in memory unless a path is given. */
export async function open(connection: Partial<DuckDbConnection> = {}, options: Partial<OpenOptions> = {}): Promise<Warehouse> {
  const warehouse = await openDuckDb(
    { type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1, ...connection },
    { root: ".", ...options },
  );
  return onClose(warehouse);
}

/** Has a warehouse closed after the test. Not a hook of this file: test files share a process, and it with them. */
export function onClose(warehouse: Warehouse): Warehouse {
  opened.add(warehouse);
  onTestFinished(async () => {
    if (opened.delete(warehouse)) await warehouse.close();
  });
  return warehouse;
}

/** Closes it now instead of after the test. */
export async function close(warehouse: Warehouse): Promise<void> {
  opened.delete(warehouse);
  await warehouse.close();
}

export function plain(sql: string): Statement {
  return { sql, params: [] };
}

/** All that a query streams, batch by batch. */
export async function batches(warehouse: Warehouse, sql: string, size: number): Promise<Row[][]> {
  const all: Row[][] = [];
  for await (const batch of warehouse.stream(plain(sql), size)) all.push(batch);
  return all;
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
