/** An empty database of each warehouse, as targets name it: what runs on one of them runs on all. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../../src/project/types.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder } from "../commands/support.js";
import { createBigQueryProject } from "./bigquery.js";
import { createDatabase } from "./postgres.js";
import { createSnowflakeDatabase } from "./snowflake.js";
import { connectionOf } from "./targets.js";

export type WarehouseName = Target["connection"]["type"];

/** A database of one test's own. */
export interface Database {
  name: WarehouseName;
  /** The keys of a target in opportune.yml. */
  target: Readonly<Record<string, unknown>>;
  /** Another connection to it, closed with `drop` if not before; further keys of the target where it has them. */
  connect(further?: Readonly<Record<string, unknown>>): Promise<Warehouse>;
  drop(): Promise<void>;
}

/** Where the database is and how it goes; `target` is what a project would write. */
export interface Made {
  target: Readonly<Record<string, unknown>>;
  drop(): Promise<void>;
}

const MAKE: Readonly<Record<WarehouseName, () => Promise<Made>>> = {
  duckdb() {
    const path = join(temporaryFolder(), "test.duckdb");
    const drop = (): Promise<void> => Promise.resolve(rmSync(path, { force: true }));
    return Promise.resolve({ target: { type: "duckdb", path, threads: 1, wait_for_lock: "0 seconds" }, drop });
  },
  async postgres() {
    const { connection, drop } = await createDatabase();
    const { host, port, user, password, database } = connection;
    return { target: { type: "postgres", host, port, user, password, database }, drop };
  },
  snowflake: createSnowflakeDatabase,
  bigquery: createBigQueryProject,
};

/** Makes a database; nothing else has been in it. */
export async function createTestDatabase(name: WarehouseName): Promise<Database> {
  const { target, drop } = await MAKE[name]();
  const opened = new Set<Warehouse>();
  const connect = async (further: Readonly<Record<string, unknown>> = {}): Promise<Warehouse> => {
    const warehouse = await openWarehouse(connectionOf({ ...target, ...further }), { root: "." });
    opened.add(warehouse);
    const close = warehouse.close.bind(warehouse);
    warehouse.close = async () => {
      opened.delete(warehouse);
      await close();
    };
    return warehouse;
  };
  return {
    name,
    target,
    connect,
    async drop() {
      for (const warehouse of [...opened]) await warehouse.close();
      await drop();
    },
  };
}

/** A connection to a new database, which goes when it is closed. */
export async function openEmpty(name: WarehouseName): Promise<Warehouse> {
  const database = await createTestDatabase(name);
  const warehouse = await database.connect();
  const close = warehouse.close.bind(warehouse);
  warehouse.close = async () => {
    await close();
    await database.drop();
  };
  return warehouse;
}
