/** Runs through a pooler in transaction mode, beside a neighbour that is busy on the same pool. */
import { Client } from "pg";
import { OpportuneError } from "../../src/core/errors.js";
import { loadProject } from "../../src/project/build/load.js";
import type { PostgresConnection } from "../../src/project/targets/postgres.js";
import { run } from "../../src/run/run.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import { CountingProvider } from "../chaos/support/provider.js";
import { startPgbouncer, type PoolMode } from "./pgbouncer.js";
import { QUIET_RUN } from "./quiet-run.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";

/** People who qualify before each run. */
const NEWCOMERS = 3;
/** Transactions after which the neighbour rests by itself. */
const MOST_TRANSACTIONS = 100_000;

/** When the neighbour gets busy, by turns: before the run, once it has decided, at its first message, not at all. */
const BUSY = ["before", "decided", "sending", "never"] as const;

export interface PoolerStory {
  /** `when the neighbour got busy: how the run ended`, with how often: `clean`, or the error's code. */
  endings: Record<string, number>;
  people: number;
  /** People who were written to at least once. */
  reached: number;
  /** Addresses that were written to more than once, and how often. */
  twice: Record<string, number>;
}

/**
 * So many runs through PgBouncer, each with new people, beside a neighbour that is busy; then runs without a pooler and without the
 * leases of those that were cut off, until nobody is left.
 */
export async function poolerStory(path: string, mode: PoolMode, runs: number): Promise<PoolerStory> {
  const provider = await CountingProvider.start();
  const shop = await Shop.sending([], { on: "postgres", endpoint: provider.url });
  // The clock of the token bucket stands still: it must never be empty.
  shop.edit("opportune.yml", "in_flight: 1}", "in_flight: 4, rate: 1000000}");
  const project = loadProject(shop.root, { env: {} });
  const { connection } = project.target;
  if (connection.type !== "postgres") throw new Error("not on Postgres");
  const pooler = await startPgbouncer(path, connection, mode);
  const neighbour = await Neighbour.connect(pooler.connection);
  const endings: Record<string, number> = {};
  const once = async (at: number, through: PostgresConnection, onDecided: () => void = () => undefined): Promise<string> => {
    try {
      const warehouse = await openPostgres(through, { root: shop.root });
      try {
        const { problems } = await run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => at, onDecided });
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
      const newcomers = Array.from({ length: NEWCOMERS }, (_, i) => `u${String(n * NEWCOMERS + i)}`);
      await shop.carts(newcomers, 30);
      const when = BUSY[n % BUSY.length] ?? "never";
      if (when === "before") neighbour.go();
      provider.hooks = { taken: () => (when === "sending" ? neighbour.go() : undefined) };
      const ending = await once(T0 + n * MINUTE, pooler.connection, () => (when === "decided" ? neighbour.go() : undefined));
      await neighbour.rest();
      const told = `${when}: ${ending}`;
      endings[told] = (endings[told] ?? 0) + 1;
    }
    provider.hooks = {};
    for (const n of [0, 1, 2]) {
      const ending = await once(T0 + (runs + n) * MINUTE, connection);
      if (ending !== "clean") throw new Error(`A run without a pooler ended as ${ending}.`);
    }
  } finally {
    await neighbour.leave();
    await pooler.stop();
    await provider.close();
  }
  const counts = new Map<string, number>();
  for (const { address } of provider.received) counts.set(address, (counts.get(address) ?? 0) + 1);
  return { endings, people: runs * NEWCOMERS, reached: counts.size, twice: Object.fromEntries([...counts].filter(([, n]) => n > 1)) };
}

/** Short transactions one after another, while it is busy. */
class Neighbour {
  readonly #client: Client;
  #busy = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(client: Client) {
    this.#client = client;
  }

  static async connect({ host, port, database, user }: PostgresConnection): Promise<Neighbour> {
    const client = new Client({ host, port, database: database ?? "", user: user ?? "" });
    await client.connect();
    return new Neighbour(client);
  }

  go(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#loop = this.#work();
  }

  async #work(): Promise<void> {
    for (let n = 0; this.#busy && n < MOST_TRANSACTIONS; n++) await this.#client.query("begin; select count(*) from pg_class; commit");
  }

  async rest(): Promise<void> {
    this.#busy = false;
    await this.#loop;
  }

  async leave(): Promise<void> {
    await this.rest();
    await this.#client.end();
  }
}
