import { createHash } from "node:crypto";
import { WarehouseError } from "../error.js";
import type { Row, Statement } from "../types.js";

/**
 * A dump restored elsewhere is another database, of another cluster as a rule. Managed services may hide the cluster's
 * identifier, and a copy of a whole cluster (a snapshot, a replica) has the same as its original.
 */
export async function databaseId(read: (statement: Statement) => Promise<Row[]>): Promise<string> {
  const [database] = await read({ sql: "select oid from pg_catalog.pg_database where datname = current_database()", params: [], ours: true });
  const cluster = await read({ sql: "select system_identifier from pg_catalog.pg_control_system()", params: [], ours: true }).catch((error: unknown) => {
    // Refused to most users of managed services.
    if (error instanceof WarehouseError) return [];
    throw error;
  });
  return createHash("sha256")
    .update(`postgres ${String(cluster[0]?.["system_identifier"] ?? "")} ${String(database?.["oid"])}`)
    .digest("hex");
}
