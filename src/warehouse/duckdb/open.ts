import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { OpportuneError } from "../../core/errors.js";
import type { DuckDbConnection } from "../../project/targets/duckdb.js";
import type { Warehouse } from "../types.js";
import { openInstance } from "./connect.js";
import { limitsOf, thisMachine } from "./memory.js";
import { DuckDbWarehouse } from "./warehouse.js";

export interface OpenOptions {
  /** Project root; the path is relative to it. */
  root: string;
  /** Called once if another process holds the file. */
  onWait?: (message: string) => void;
  /** False: a missing file is an error. */
  create?: boolean;
}

/**
 * Opens a DuckDB file (or `:memory:`) for this run. DuckDB lets one process write: waits up to
 * `waitForLockSeconds` for another to close it, then fails naming that process.
 */
export async function openDuckDb(connection: DuckDbConnection, options: OpenOptions): Promise<Warehouse> {
  const path = connection.path === ":memory:" || isAbsolute(connection.path) ? connection.path : join(options.root, connection.path);
  if (path !== ":memory:" && options.create === false && !existsSync(path)) {
    throw new OpportuneError({
      code: "warehouse/missing",
      message: `There is no DuckDB file at ${connection.path}.`,
      hint: "Correct `path` of this target in opportune.yml, or create the file.",
    });
  }
  const limits = limitsOf(connection, thisMachine());
  const instance = await openInstance(path, { memory_limit: limits.memoryLimit, threads: String(limits.threads) }, connection, options.onWait);
  const warehouse = new DuckDbWarehouse(instance, await instance.connect(), path, limits);
  await warehouse.prepare(resolve(options.root));
  return warehouse;
}
