/** Runs through a pooler in transaction mode, beside a neighbour that is busy on the same pool. */
import { Client } from "pg";
import { OpportuneError } from "../../src/core/errors.js";
import { loadProject } from "../../src/project/load.js";
import type { PostgresConnection } from "../../src/project/types.js";
import { run } from "../../src/run.js";
import { openPostgres } from "../../src/warehouse/postgres.js";
import { CountingProvider } from "../chaos/support/provider.js";
import { startPgbouncer } from "./pgbouncer.js";
import { QUIET_RUN } from "./quiet-run.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";

/** People who qualify before each run. */
const NEWCOMERS = 3;
/** Transactions after which the neighbour stops by itself. */
const MOST_TRANSACTIONS = 500_000;

export interface PoolerStory {
  /** How each run ended: `clean`, or the error's code. */
  endings: Record<string, number>;
  people: number;
  /** Addresses that were written to more than once, and how often. */
  twice: Record<string, number>;
  /** People who were written to at least once, among all. */
  reached: number;
}

/** So many runs through PgBouncer, each with new people, beside `neighbours` that are busy; then one run without a pooler. */
export async function poolerStory(path: string, mode: "session" | "transaction", runs: number, neighbours = 1): Promise<PoolerStory> {
  const provider = await CountingProvider.start();
  const shop = await Shop.sending([], { on: "postgres", endpoint: provider.url });
  // The clock of the token bucket stands still: it must never be empty.
  shop.edit("opportune.yml", "in_flight: 1}", "in_flight: 8, rate: 1000000}");
  const project = loadProject(shop.root, { env: {} });
  const { connection } = project.target;
  if (connection.type !== "postgres") throw new Error("not on Postgres");
  const pooler = await startPgbouncer(path, connection, mode);
  const busy = await Promise.all(Array.from({ length: neighbours }, () => startNeighbour(pooler.connection)));
  const endings: Record<string, number> = {};
  const once = async (at: number, through: PostgresConnection): Promise<string> => {
    try {
      const warehouse = await openPostgres(through, { root: shop.root });
      try {
        const { problems } = await run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => at });
        return problems.length === 0 ? "clean" : problems.map(({ code }) => code).join(", ");
      } finally {
        await warehouse.close();
      }
    } catch (error) {
      return error instanceof OpportuneError ? error.problems.map(({ code }) => code).join(", ") : String(error);
    }
  };
  try {
    for (let n = 0; n < runs; n++) {
      await shop.carts(
        Array.from({ length: NEWCOMERS }, (_, i) => `u${String(n * NEWCOMERS + i)}`),
        30,
      );
      const ending = await once(T0 + n * MINUTE, pooler.connection);
      endings[ending] = (endings[ending] ?? 0) + 1;
    }
    await Promise.all(busy.map((neighbour) => neighbour.stop()));
    const last = await once(T0 + runs * MINUTE, connection);
    if (last !== "clean") throw new Error(`The run without a pooler ended as ${last}.`);
  } finally {
    await Promise.all(busy.map((neighbour) => neighbour.stop()));
    await pooler.stop();
    await provider.close();
  }
  const counts = new Map<string, number>();
  for (const { address } of provider.received) counts.set(address, (counts.get(address) ?? 0) + 1);
  return { endings, people: runs * NEWCOMERS, twice: Object.fromEntries([...counts].filter(([, n]) => n > 1)), reached: counts.size };
}

/** Short transactions one after another, on a connection of its own. */
async function startNeighbour({ host, port, database, user }: PostgresConnection): Promise<{ stop(): Promise<void> }> {
  const client = new Client({ host, port, database: database ?? "", user: user ?? "" });
  await client.connect();
  let going = true;
  const loop = (async () => {
    for (let n = 0; going && n < MOST_TRANSACTIONS; n++) await client.query("begin; select count(*) from pg_class; commit");
  })();
  return {
    async stop() {
      if (!going) return;
      going = false;
      await loop;
      await client.end();
    },
  };
}
