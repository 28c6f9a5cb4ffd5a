import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { hostClock } from "../../core/clock.js";
import { OpportuneError } from "../../core/errors.js";
import { UnmetError } from "../../warehouse/error.js";
import type { Row, Script, Statement } from "../../warehouse/types.js";
import { readFacts, factsStatement, type Facts, type FactsAsked } from "../facts.js";
import type { Ledger } from "../ledger.js";
import { statement } from "../tables.js";

/** How long a lease holds beyond the longest answer of a provider, without being renewed, ms. Every commit renews it. */
export const SENDING_MS = 120_000;
/** What a request may take beyond its timeout until it has ended for certain, and what clocks may differ in speed, ms. */
const SLACK_MS = 10_000;
/** How often the lease is renewed beside whatever is under way, ms: three may be missed. */
const HEARTBEAT_MS = 30_000;

/** This process among all that ever held a lease. */
const PROCESS = `${String(process.pid)}-${randomUUID().slice(0, 8)}`;
let leases = 0;

/**
 * One process's hold on the ledger: a row with holder and fence, kept by the warehouse's clock, which is the same for all.
 * Every write goes through a transaction that renews the row, and rolls back when another process holds it.
 *
 * A provider can't be fenced, so nothing is posted in the lease's last part, which is as long as the longest answer takes:
 * the run that takes over an expired lease finds every request of the holder before ended.
 */
export class Lease {
  readonly fence: number;
  readonly #ledger: Ledger;
  readonly #holder: string;
  readonly #length: number;
  /** When the renewal that holds was asked for: by a clock that nobody sets, and by the host's, as the first stands still in a suspended machine. */
  #renewed: Moment;
  #lost = false;
  #released = false;
  #heart: NodeJS.Timeout | null = null;

  private constructor(ledger: Ledger, holder: string, fence: number, length: number, taken: Moment) {
    this.#ledger = ledger;
    this.#holder = holder;
    this.fence = fence;
    this.#length = length;
    this.#renewed = taken;
  }

  /**
   * Takes the lease if it is free or expired, and reads the ledger's facts with it, in one request. `longestAnswerMs` is how long a
   * request to a provider may be under way.
   * @throws OpportuneError `ledger/lease` naming the holder when another process has it
   */
  static async take(ledger: Ledger, longestAnswerMs: number, asked?: FactsAsked): Promise<{ lease: Lease; facts: Facts }> {
    const { warehouse, dialect, tables } = ledger;
    leases += 1;
    const holder = `${PROCESS}-${String(leases)}`;
    const length = SENDING_MS + longestAnswerMs + SLACK_MS;
    const taken = moment();
    const begun = hostClock();
    // Where one process at a time can have the warehouse open, another's lease is that of a process which has ended.
    const free = dialect.oneProcess
      ? sql<boolean>`(holder is null or expires_at < ${sql.raw(dialect.clock)} or holder not like ${`${PROCESS}-%`})`
      : sql<boolean>`(holder is null or expires_at < ${sql.raw(dialect.clock)})`;
    const take = tables
      .updateTable("leases")
      .set({ holder, fence: sql`fence + 1`, expires_at: expiry(ledger, length) })
      .where("name", "=", "run")
      .where(free);
    const script = { statements: [statement(take), factsStatement(ledger, asked)] };
    const rows = await warehouse.script(script).catch(async (error: unknown) => {
      // It may be taken all the same: an answer can be lost, and a commit that ends with an error can stand.
      await giveBack(ledger, holder);
      throw error;
    });
    const facts = readFacts(rows, begun);
    if (facts.lease.holder !== holder) {
      const { holder: other, until } = facts.lease;
      // Null: it was given back since.
      const by = other === null ? "" : ` (process ${other.split("-")[0] ?? "?"}, until ${String(until).slice(0, 19).replace("T", " ")} UTC)`;
      throw new OpportuneError({
        code: "ledger/lease",
        message: `Another run holds the ledger${by}.`,
        hint: "Wait for it to end. If that process died, its hold ends by itself at that time.",
      });
    }
    const lease = new Lease(ledger, holder, facts.lease.fence, length, taken);
    lease.#beat();
    return { lease, facts };
  }

  /**
   * Commits a script while this process holds the lease; gives the rows of its last statement. `run`: whose rows it appends.
   * @throws OpportuneError `ledger/lease-lost`, or `ledger/append` where it changes other rows than it must
   */
  async commit({ statements, ...first }: Script, run: string | null = null): Promise<Row[]> {
    const asked = moment();
    const rows = await this.#guarded({ ...first, statements: [{ ...this.#renewal(), mustChange: 1 }, ...statements] }, run);
    this.#renewed = asked;
    return rows;
  }

  /** Commits the last of what there is to write, and gives the lease back with it. */
  async commitAndRelease(statements: readonly Statement[]): Promise<void> {
    await this.#guarded({ statements: [{ ...this.#renewal(), mustChange: 1 }, ...statements, givingBack(this.#ledger, this.#holder)] });
    this.#end();
  }

  async #guarded(script: Script, run: string | null = null): Promise<Row[]> {
    try {
      return await this.#ledger.warehouse.script(script);
    } catch (error) {
      if (!(error instanceof UnmetError)) throw error;
      // The first renews the lease; the others append.
      if (error.statement > 0) throw notThisRuns(run);
      this.#lost = true;
      throw new OpportuneError({
        code: "ledger/lease-lost",
        message: "Another run has taken over the ledger; this one stops without writing.",
        hint: "The other run goes on with what is left.",
      });
    }
  }

  /** For how long a request may still be begun, ms; 0 or less: no more. */
  sendingLeftMs(): number {
    return this.#lost ? 0 : SENDING_MS - elapsed(this.#renewed);
  }

  /** Gives the lease back. Where the warehouse doesn't answer any more it ends by itself. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#end();
    await giveBack(this.#ledger, this.#holder);
  }

  #end(): void {
    if (this.#heart !== null) clearInterval(this.#heart);
    this.#released = true;
    this.#lost = true;
  }

  #renewal(): Statement {
    return statement(
      this.#ledger.tables
        .updateTable("leases")
        .set({ expires_at: expiry(this.#ledger, this.#length) })
        // Nothing to bind: this goes with every step of a delivery.
        .where(sql<boolean>`name = 'run' and holder = ${sql.lit(this.#holder)} and fence = ${sql.lit(this.fence)}`),
    );
  }

  /** Renews beside long statements, where another process could take over meanwhile. */
  #beat(): void {
    const { beside } = this.#ledger.warehouse;
    if (beside === null) return;
    let beating = false;
    this.#heart = setInterval(() => {
      if (beating) return;
      beating = true;
      const asked = moment();
      beside(this.#renewal())
        .then((renewed) => {
          if (renewed === 1) this.#renewed = asked;
          else this.#lost = true;
        })
        // Without an answer the lease simply isn't longer: what it still allows is counted from the last renewal.
        .catch(() => undefined)
        .finally(() => (beating = false));
    }, HEARTBEAT_MS);
    this.#heart.unref();
  }
}

function givingBack({ tables }: Ledger, holder: string): Statement {
  return statement(tables.updateTable("leases").set({ holder: null, expires_at: null }).where("name", "=", "run").where("holder", "=", holder));
}

async function giveBack(ledger: Ledger, holder: string): Promise<void> {
  const { warehouse } = ledger;
  const giving = givingBack(ledger, holder);
  const again = (): Promise<unknown> => (warehouse.beside ?? warehouse.execute.bind(warehouse))(giving);
  // Once more: a statement that was interrupted has left the lease where it was, and this process may want it again. Beside, where
  // that can be: a session that has ended asks nothing more.
  await warehouse
    .execute(giving)
    .catch(again)
    .catch(() => undefined);
}

/** What was decided and what the work tables hold must be the same, row for row, also where others had the session meanwhile. */
function notThisRuns(run: string | null): OpportuneError {
  return new OpportuneError({
    code: "ledger/append",
    message: `The work tables don't hold what ${run === null ? "this run" : `run ${run}`} decided: nothing of this append to the ledger stands.`,
    hint: "Connect to the warehouse itself, not through a pooler or proxy that shares sessions, and run again.",
  });
}

interface Moment {
  steadyMs: number;
  hostMs: number;
}

function moment(): Moment {
  return { steadyMs: performance.now(), hostMs: Date.now() };
}

/** The longer of what both clocks say, ms. */
function elapsed(since: Moment): number {
  return Math.max(performance.now() - since.steadyMs, Date.now() - since.hostMs);
}

function expiry({ dialect }: Ledger, ms: number): ReturnType<typeof sql<string>> {
  return sql<string>`${sql.raw(dialect.plusSeconds(dialect.clock, String(Math.ceil(ms / 1000))))}`;
}
