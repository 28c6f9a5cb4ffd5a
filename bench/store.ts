/** The two warehouses of the benchmark, each in a temporary place that goes away. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import type { DuckDbConnection } from "../src/project/targets/duckdb.js";
import type { PostgresConnection } from "../src/project/targets/postgres.js";
import { openWarehouse } from "../src/warehouse/open.js";
import type { Warehouse } from "../src/warehouse/types.js";
import { around } from "../test/support/around.js";
import { startPostgres } from "../test/support/postgres-server.js";

export type Kind = "duckdb" | "postgres";

export interface Store {
  kind: Kind;
  /** How it is set, in words. */
  settings: string;
  /** The target's keys, as YAML in one line. */
  target: string;
  connection: DuckDbConnection | PostgresConnection;
  /** To fill it, and to look: the runs connect by themselves. */
  open(): Promise<Warehouse>;
  stop(): Promise<void>;
}

/** As a modest production server has them; the rest as Postgres ships. Commits wait for the disk. */
const POSTGRES_SETTINGS = [
  "shared_buffers=1GB",
  "effective_cache_size=3GB",
  "maintenance_work_mem=256MB",
  "max_wal_size=4GB",
  "checkpoint_timeout=15min",
  "random_page_cost=1.1",
];

const DUCKDB_MEMORY = "200MB";
const DUCKDB_THREADS = 2;

export async function openStore(kind: Kind, root: string): Promise<Store> {
  return kind === "duckdb" ? duckdbStore(root) : postgresStore(root);
}

function duckdbStore(root: string): Store {
  const path = join(root, "bench.duckdb");
  const connection: DuckDbConnection = { type: "duckdb", path, waitForLockSeconds: 0, memoryLimit: DUCKDB_MEMORY, threads: DUCKDB_THREADS };
  return {
    kind: "duckdb",
    settings: `memory_limit ${DUCKDB_MEMORY}, threads ${String(DUCKDB_THREADS)}`,
    target: `type: duckdb, path: bench.duckdb, memory_limit: ${DUCKDB_MEMORY}, threads: ${String(DUCKDB_THREADS)}`,
    connection,
    open: () => openWarehouse({ ...connection, memoryLimit: "4GB" }, { root }),
    stop: () => {
      for (const file of [path, `${path}.wal`]) rmSync(file, { force: true });
      return Promise.resolve();
    },
  };
}

async function postgresStore(root: string): Promise<Store> {
  const server = await startPostgres(POSTGRES_SETTINGS);
  const { hostname, port, username, password, pathname } = new URL(server.url);
  const connection: PostgresConnection = {
    type: "postgres",
    host: hostname,
    port: Number(port),
    user: username,
    password,
    database: pathname.slice(1),
    ssl: null,
    statementTimeoutSeconds: 3600,
    searchPath: [],
    options: null,
    channelBinding: false,
    applicationName: "opportune-bench",
  };
  return {
    kind: "postgres",
    settings: POSTGRES_SETTINGS.join(", "),
    target: `type: postgres, url: "${server.url}"`,
    connection,
    open: async () => {
      const warehouse = await openWarehouse(connection, { root });
      // Every statement of a run is part of a transaction, which vacuum refuses.
      return around(warehouse, {
        execute: (statement) => (statement.sql.startsWith("vacuum") ? vacuum(server.url, statement.sql) : warehouse.execute(statement)),
      });
    },
    stop: () => server.dispose(),
  };
}

async function vacuum(url: string, sql: string): Promise<number> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
    return 0;
  } finally {
    await client.end();
  }
}
