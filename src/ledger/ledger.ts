import { instant } from "../core/clock.js";
import { renderSqlFile, timestampLiteral } from "../warehouse/sql.js";
import type { AppendColumn, Warehouse } from "../warehouse/types.js";
import { Lease } from "./lease.js";
import { requireLedger } from "./schema.js";
import { ledgerQueries, statement, type SegmentRunsTable } from "./tables.js";

/** Numbers within one lease: `seq = fence × 10⁹ + n`, which stays exact in a JS number up to fence 9,007,199. */
const SEQ_PER_FENCE = 1_000_000_000;

/** More than there are claims: numbers reserved for a statement that finds out itself how many it needs. */
export const MOST_CLAIMS = 500_000_000;

/** What became of a claim, or that it is about to be handed over. */
export interface ClaimEvent {
  messageId: string;
  /** The claim's place among the run's decisions. */
  place: number;
  event: "sending" | "accepted" | "failed" | "in_doubt" | "released";
  reason: string;
  /** JSON, or null. */
  detail: string | null;
  providerId: string | null;
  /** Wall clock, ms since 1970 UTC. */
  at: number;
}

/** The sent ledger in the hands of the one process that may write to it. */
export class Ledger {
  readonly warehouse: Warehouse;
  readonly schema: string;
  readonly #lease: Lease;
  #seq = 0;

  private constructor(warehouse: Warehouse, schema: string, lease: Lease) {
    this.warehouse = warehouse;
    this.schema = schema;
    this.#lease = lease;
  }

  /**
   * Checks the ledger's version and takes the lease. `longestAnswerMs`: the longest a request to a provider may be under way.
   * @throws OpportuneError naming the holder when another run has the lease
   */
  static async open(warehouse: Warehouse, schema: string, longestAnswerMs = 0): Promise<Ledger> {
    await requireLedger(warehouse, schema);
    const lease = await Lease.take(warehouse, schema, longestAnswerMs);
    try {
      // Once more: a newer Opportune may have brought the ledger forward just before the lease was free.
      await requireLedger(warehouse, schema);
      return new Ledger(warehouse, schema, lease);
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** Grows with every lease: tells whose writes came later. */
  get fence(): number {
    return this.#lease.fence;
  }

  /** Runs `work` in a transaction that commits only while this process holds the lease. */
  fenced<T>(work: () => Promise<T>): Promise<T> {
    return this.#lease.fenced(work);
  }

  /** For how long a request to a provider may still be begun, ms; 0 or less: no more. */
  sendingLeftMs(): number {
    return this.#lease.sendingLeftMs();
  }

  release(): Promise<void> {
    return this.#lease.release();
  }

  /** Reserves the next `count` sequence numbers and gives the one before them. */
  reserve(count: number): number {
    const base = this.fence * SEQ_PER_FENCE + this.#seq;
    this.#seq += count;
    return base;
  }

  /** Appends the changed answers of the run's decisions together with what each segment's run was: both or neither. */
  async appendDecisions(run: { runId: string; asOf: string }, segmentRuns: readonly SegmentRun[], decisions: number, now: number): Promise<number> {
    const { dialect } = this.warehouse;
    const base = this.reserve(decisions);
    const append = renderSqlFile("append.sql", dialect, this.schema, {
      seq: String(base),
      run_id: `'${run.runId}'`,
      as_of: timestampLiteral(run.asOf, dialect),
      recorded_at: timestampLiteral(instant(now), dialect),
    });
    let appended = 0;
    await this.#append(base, decisions, async () => {
      const rows = segmentRuns.map((row) => ({ ...row, run_id: run.runId, as_of: run.asOf, bytes_scanned: null }));
      if (rows.length > 0) await this.warehouse.execute(statement(ledgerQueries(this.warehouse.dialect, this.schema).insertInto("segment_runs").values(rows)));
      appended = await this.warehouse.execute(append);
    });
    return appended;
  }

  /** Appends events of claims of this run in one transaction. */
  async appendEvents(run: { runId: string; asOf: string }, events: readonly ClaimEvent[]): Promise<void> {
    if (events.length === 0) return;
    const { dialect } = this.warehouse;
    const base = this.reserve(events.length);
    const outcomes = dialect.workTable("outcomes");
    // Not part of the fenced transaction: work tables live in another database on DuckDB, and one transaction writes to one.
    await this.warehouse.execute({ sql: `delete from ${outcomes} where true`, params: [] });
    await this.warehouse.append(outcomes, eventColumns(events));
    const append = renderSqlFile("outcomes.sql", dialect, this.schema, {
      seq: String(base),
      run_id: `'${run.runId}'`,
      as_of: timestampLiteral(run.asOf, dialect),
      first: String(events.reduce((first, { place }) => Math.min(first, place), Infinity)),
      last: String(events.reduce((last, { place }) => Math.max(last, place), 0)),
    });
    await this.#append(base, events.length, () => this.warehouse.execute(append));
  }

  /**
   * Appends rows numbered from `base` on. A commit may have been made although it ended with an error (DuckDB: interrupted, or
   * out of disk in the checkpoint that follows): what stands must neither be taken for undone nor be appended again.
   */
  async #append(base: number, count: number, work: () => Promise<unknown>): Promise<void> {
    try {
      await this.fenced(work);
    } catch (error) {
      if (!(await this.#stands(base, count).catch(() => false))) throw error;
    }
  }

  async #stands(base: number, count: number): Promise<boolean> {
    const row = ledgerQueries(this.warehouse.dialect, this.schema)
      .selectFrom("sent_ledger")
      .select("seq")
      .where("seq", ">", base)
      .where("seq", "<=", base + count)
      .limit(1);
    return (await this.warehouse.query(statement(row))).length > 0;
  }
}

/** What a segment's part in a run was. */
export type SegmentRun = Omit<SegmentRunsTable, "run_id" | "as_of" | "bytes_scanned">;

/** What hashes and buckets are salted with. */
export async function saltOf(warehouse: Warehouse, schema: string): Promise<string> {
  const meta = await warehouse.query(statement(ledgerQueries(warehouse.dialect, schema).selectFrom("meta").select("content").where("name", "=", "salt")));
  return String(meta[0]?.["content"]);
}

/** In the order of the work table's columns. */
function eventColumns(events: readonly ClaimEvent[]): AppendColumn[] {
  return [
    { name: "place", kind: "integer", values: events.map((_, i) => i + 1) },
    { name: "message_id", kind: "text", values: events.map((event) => event.messageId) },
    { name: "event", kind: "text", values: events.map((event) => event.event) },
    { name: "reason", kind: "text", values: events.map((event) => event.reason) },
    { name: "rule", kind: "text", values: events.map(() => "") },
    { name: "detail", kind: "text", values: events.map((event) => event.detail) },
    { name: "provider_id", kind: "text", values: events.map((event) => event.providerId) },
    { name: "recorded_at", kind: "timestamp", values: events.map((event) => event.at) },
  ];
}
