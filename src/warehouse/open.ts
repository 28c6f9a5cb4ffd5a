import type { Connection } from "../project/targets/targets.js";
import type { Warehouse } from "./types.js";

export interface OpenOptions {
  /** Project root: paths of the target are relative to it. */
  root: string;
  /** Called once where there is something to wait for. */
  onWait?: (message: string) => void;
  /** False: a DuckDB file that is missing is an error. */
  create?: boolean;
}

/** Those that this process has open. */
const opened = new Set<Warehouse>();

/** Opens a target's warehouse; its driver is loaded only now. @throws OpportuneError with the way out */
export async function openWarehouse(connection: Connection, options: OpenOptions): Promise<Warehouse> {
  const warehouse = await connect(connection, options);
  const close = warehouse.close.bind(warehouse);
  opened.add(warehouse);
  warehouse.close = () => {
    opened.delete(warehouse);
    return close();
  };
  return warehouse;
}

/** Ends what this process has under way in any warehouse and what would outlive it, before it ends at once; takes seconds at most. */
export async function cancelStatements(): Promise<void> {
  await Promise.allSettled([...opened].map((warehouse) => warehouse.cancel()));
}

async function connect(connection: Connection, options: OpenOptions): Promise<Warehouse> {
  switch (connection.type) {
    case "duckdb":
      return (await import("./duckdb/open.js")).openDuckDb(connection, options);
    case "postgres":
      return (await import("./postgres/warehouse.js")).openPostgres(connection, options);
    case "snowflake":
      return (await import("./snowflake/warehouse.js")).openSnowflake(connection, options);
    case "bigquery":
      return (await import("./bigquery/warehouse.js")).openBigQuery(connection, options);
  }
}
