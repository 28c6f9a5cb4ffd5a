import type { Client } from "pg";
import { OpportuneError } from "../../core/errors.js";
import { within } from "../../core/within.js";
import type { PostgresConnection } from "../../project/targets/postgres.js";
import { connectPostgres, poolerBetween } from "./connect.js";

/** Transactions that are open at once, beside a session that rests. */
export const LOAD = 8;

/** A server or pool that has no connection left lets wait for one, ms. */
const PATIENCE_MS = 3_000;

const BACKEND = "select pg_backend_pid() as pid";

/**
 * Looks for a pooler in transaction mode. A quiet one gives every transaction the same backend, so the load is its own: a session
 * rests, and others hold transactions open beside it. Gives the error if one of them gets its backend, or it gets another; null
 * where it keeps its own.
 * @param root project root, to which `ssl.ca` is relative
 * @throws OpportuneError where the server can't be reached at all
 */
export async function findPooler(connection: PostgresConnection, root: string): Promise<OpportuneError | null> {
  const clients: Client[] = [];
  const connect = async (): Promise<Client> => {
    const client = await connectPostgres(connection, root);
    clients.push(client);
    return client;
  };
  const shared = (pid: number): OpportuneError => poolerBetween(connection, `backend ${String(pid)} was given to two sessions at once`);
  try {
    const resting = await connect();
    const own = await backendOf(resting);
    if (own === null) return null;
    for (let n = 0; n < LOAD; n++) {
      // Without a free connection there is as much load as there can be.
      const other = await connect().catch((error: unknown) => (error instanceof OpportuneError ? null : Promise.reject(error as Error)));
      if (other === null) break;
      const pid = (await answered(other.query("begin"))) === null ? null : await backendOf(other);
      if (pid === null) break;
      if (pid === own) return shared(pid);
    }
    const now = await backendOf(resting);
    return now === null || now === own ? null : poolerBetween(connection, `a session was on backend ${String(own)} and is now on ${String(now)}`);
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

async function backendOf(client: Client): Promise<number | null> {
  return (await answered(client.query<{ pid: number }>(BACKEND)))?.rows[0]?.pid ?? null;
}

/** Null where it is refused, or takes too long. */
async function answered<T>(work: Promise<T>): Promise<T | null> {
  return within(work, PATIENCE_MS, () => new Error("no answer")).catch(() => null);
}
