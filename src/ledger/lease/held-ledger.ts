/** The ledger in the hands of the one process that may write to it. */
import { UncertainAppendError } from "../../core/errors.js";
import type { Row, Script, Statement } from "../../warehouse/types.js";
import type { Facts, FactsAsked } from "../facts.js";
import { elseRequired, requireVersion } from "../install/versions.js";
import { Ledger } from "../ledger.js";
import { Lease } from "./lease.js";

/** Numbers within one lease: `seq = fence × 10⁹ + n`, which stays exact in a JS number up to fence 9,007,199. */
const SEQ_PER_FENCE = 1_000_000_000;

/** More than there are claims: numbers reserved for a statement that finds out itself how many it needs. */
export const MOST_CLAIMS = 500_000_000;

export interface Hold {
  /** The longest a request to a provider may be under way, ms; 0: nothing is posted. */
  longestAnswerMs?: number;
  /** What a run must know beside what every command does. */
  asked?: FactsAsked;
}

export class HeldLedger extends Ledger {
  /** As they stood when the lease was taken. */
  readonly facts: Facts;
  readonly #lease: Lease;
  #seq = 0;

  private constructor({ warehouse, schema, now }: Ledger, lease: Lease, facts: Facts) {
    super(warehouse, schema, now);
    this.facts = facts;
    this.#lease = lease;
  }

  /**
   * Takes the lease and checks the ledger's version.
   * @throws OpportuneError `ledger/lease` naming the holder when another run has the lease; where there is no ledger, or not the one needed
   */
  static async take(ledger: Ledger, { longestAnswerMs = 0, asked }: Hold = {}): Promise<HeldLedger> {
    const { lease, facts } = await elseRequired(ledger, () => Lease.take(ledger, longestAnswerMs, asked));
    try {
      requireVersion(ledger.schema, facts.version);
      return new HeldLedger(ledger, lease, facts);
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** Grows with every lease: tells whose writes came later. */
  get fence(): number {
    return this.#lease.fence;
  }

  /** For how long a request to a provider may still be begun, ms; 0 or less: no more. */
  sendingLeftMs(): number {
    return this.#lease.sendingLeftMs();
  }

  /** Reserves the next `count` sequence numbers and gives the one before them. */
  reserve(count: number): number {
    const base = this.fence * SEQ_PER_FENCE + this.#seq;
    this.#seq += count;
    return base;
  }

  /** Commits a script while this process holds the lease; gives the rows of its last statement. */
  commit(script: Script): Promise<Row[]> {
    return this.#lease.commit(script);
  }

  /**
   * Commits a script that appends the `count` rows numbered from `base` on for a run. A commit may have been made although it
   * ended with an error (DuckDB: interrupted, or out of disk in the checkpoint that follows): rows that stand must neither be taken
   * for undone nor be appended again. Gives the rows of the last statement; null where those are lost although the commit stands.
   * @throws UncertainAppendError where it can't be known whether the commit stands
   */
  async append(runId: string, base: number, count: number, script: Script): Promise<Row[] | null> {
    try {
      return await this.#lease.commit(script, runId);
    } catch (error) {
      const stands = await this.#stands(base, count).catch(() => {
        throw new UncertainAppendError(error);
      });
      if (!stands) throw error;
      return null;
    }
  }

  /** Commits the last of what there is to write, and gives the lease back with it. */
  commitAndRelease(statements: readonly Statement[]): Promise<void> {
    return this.#lease.commitAndRelease(statements);
  }

  release(): Promise<void> {
    return this.#lease.release();
  }

  async #stands(base: number, count: number): Promise<boolean> {
    const row = this.tables
      .selectFrom("sent_ledger")
      .select("seq")
      .where("seq", ">", base)
      .where("seq", "<=", base + count)
      .limit(1);
    return (await this.query(row)).length > 0;
  }
}

/** Takes the lease for `work`, and gives it back whatever happens. @throws OpportuneError like HeldLedger.take */
export async function holding<T>(ledger: Ledger, hold: Hold, work: (held: HeldLedger) => Promise<T>): Promise<T> {
  const held = await HeldLedger.take(ledger, hold);
  try {
    return await work(held);
  } finally {
    await held.release();
  }
}
