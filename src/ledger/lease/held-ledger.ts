import { hostClock, instant } from "../../core/clock.js";
import { UncertainAppendError } from "../../core/errors.js";
import { renderSqlFile, timestampLiteral } from "../../warehouse/sql.js";
import { WarehouseError } from "../../warehouse/error.js";
import type { AppendColumn, Row, Script, Statement, Warehouse } from "../../warehouse/types.js";
import { readFacts, factsStatement, type Facts, type FactsAsked } from "../facts.js";
import { Lease } from "./lease.js";
import { pauseQuery, pauses, standingPauses, type StandingPause } from "../pauses.js";
import { requireLedger, requireVersion } from "../install/install.js";
import { ledgerQueries, statement, type SegmentRunsTable } from "../tables.js";

/** Numbers within one lease: `seq = fence × 10⁹ + n`, which stays exact in a JS number up to fence 9,007,199. */
const SEQ_PER_FENCE = 1_000_000_000;

/** More than there are claims: numbers reserved for a statement that finds out itself how many it needs. */
export const MOST_CLAIMS = 500_000_000;

/** A run, as its rows name it. */
export interface RunKey {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  trial: boolean;
}

/** What became of a claim, or that it is about to be handed over. */
export interface ClaimEvent {
  messageId: string;
  /** The claim's place among the run's decisions. */
  place: number;
  event: "sending" | "accepted" | "failed" | "in_doubt" | "released";
  reason: string;
  /** It failed before anything was asked of the provider. */
  unposted?: true;
  /** JSON, or null. */
  detail: string | null;
  providerId: string | null;
  /** Wall clock, ms since 1970 UTC. */
  at: number;
}

/** A template as it was when a run used it first. */
export interface SentTemplate {
  version: string;
  text: string;
}

/** The sent ledger in the hands of the one process that may write to it. */
export class Ledger {
  readonly warehouse: Warehouse;
  readonly schema: string;
  /** As they stood when the lease was taken. */
  readonly facts: Facts;
  readonly #lease: Lease;
  #seq = 0;

  private constructor(warehouse: Warehouse, schema: string, lease: Lease, facts: Facts) {
    this.warehouse = warehouse;
    this.schema = schema;
    this.facts = facts;
    this.#lease = lease;
  }

  /**
   * Takes the lease and checks the ledger's version. `longestAnswerMs`: the longest a request to a provider may be under way;
   * `asked`: what a run must know beside.
   * @throws OpportuneError naming the holder when another run has the lease
   */
  static async open(warehouse: Warehouse, schema: string, longestAnswerMs = 0, asked?: FactsAsked): Promise<Ledger> {
    const { lease, facts } = await elseRequired(warehouse, schema, () => Lease.take(warehouse, schema, longestAnswerMs, asked));
    try {
      requireVersion(schema, facts.version);
      return new Ledger(warehouse, schema, lease, facts);
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** Grows with every lease: tells whose writes came later. */
  get fence(): number {
    return this.#lease.fence;
  }

  /** Commits a script while this process holds the lease; gives the rows of its last statement. */
  commit(script: Script): Promise<Row[]> {
    return this.#lease.commit(script);
  }

  /** Commits the last of what there is to write, and gives the lease back with it. */
  commitAndRelease(statements: readonly Statement[]): Promise<void> {
    return this.#lease.commitAndRelease(statements);
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

  /** Appends the changed answers among the run's decisions, and what each segment's run was: both or neither, and not one row more or less. `templates`: texts that it hasn't yet. */
  async appendDecisions(
    run: RunKey,
    segmentRuns: readonly SegmentRun[],
    templates: readonly SentTemplate[],
    decided: { rows: number; changed: number },
    now: number,
  ): Promise<void> {
    const { dialect } = this.warehouse;
    const base = this.reserve(decided.rows);
    const append = renderSqlFile("append.sql", dialect, this.schema, {
      seq: String(base),
      run_id: `'${run.runId}'`,
      trial: run.trial,
      as_of: timestampLiteral(run.asOf, dialect),
      recorded_at: timestampLiteral(instant(now), dialect),
    });
    const rows = segmentRuns.map((row) => ({ ...row, run_id: run.runId, as_of: run.asOf, trial: run.trial }));
    const insert = rows.length === 0 ? [] : [statement(ledgerQueries(dialect, this.schema).insertInto("segment_runs").values(rows))];
    const texts = templates.map(({ version, text }) => ({ template_version: version, content: text, recorded_at: instant(now) }));
    const keep = texts.length === 0 ? [] : [statement(ledgerQueries(dialect, this.schema).insertInto("templates_sent").values(texts))];
    await this.#append(run, base, decided.rows, { statements: [...insert, ...keep, { ...append, mustChange: decided.changed }] });
  }

  /** Appends events of claims of this run in one transaction; gives what is paused then, at `now` (ms since 1970 UTC). */
  async appendEvents(run: RunKey, events: readonly ClaimEvent[], now: number): Promise<StandingPause[]> {
    if (events.length === 0) return pauses(this.warehouse, this.schema, run.trial, now);
    const { dialect } = this.warehouse;
    const base = this.reserve(events.length);
    const append = renderSqlFile("outcomes.sql", dialect, this.schema, {
      seq: String(base),
      run_id: `'${run.runId}'`,
      trial: run.trial,
      as_of: timestampLiteral(run.asOf, dialect),
      first: String(events.reduce((first, { place }) => Math.min(first, place), Infinity)),
      last: String(events.reduce((last, { place }) => Math.max(last, place), 0)),
    });
    const rows = await this.#append(run, base, events.length, {
      fill: { table: dialect.workTable("outcomes"), columns: eventColumns(events) },
      statements: [{ ...append, mustChange: events.length }, pauseQuery(dialect, this.schema, run.trial, now)],
    });
    return rows === null ? pauses(this.warehouse, this.schema, run.trial, now) : standingPauses(rows);
  }

  /**
   * Appends rows numbered from `base` on. A commit may have been made although it ended with an error (DuckDB: interrupted, or
   * out of disk in the checkpoint that follows): what stands must neither be taken for undone nor be appended again. Gives the rows
   * of the last statement; null where those are lost although the commit stands.
   * @throws UncertainAppendError where it can't be known whether the commit stands
   */
  async #append({ runId }: RunKey, base: number, count: number, script: Script): Promise<Row[] | null> {
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
export type SegmentRun = Omit<SegmentRunsTable, "run_id" | "as_of" | "trial">;

/** The ledger's facts, without the lease. */
export async function ledgerFacts(warehouse: Warehouse, schema: string, asked?: FactsAsked): Promise<Facts> {
  const begun = hostClock();
  const rows = await elseRequired(warehouse, schema, () => warehouse.query(factsStatement(warehouse.dialect, schema, asked)));
  const facts = readFacts(rows, begun);
  requireVersion(schema, facts.version);
  return facts;
}

/** A ledger that is missing or of another version can't be read as this one: that says more than the warehouse's error does. */
export async function elseRequired<T>(warehouse: Warehouse, schema: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WarehouseError) await requireLedger(warehouse, schema);
    throw error;
  }
}

/** In the order of the work table's columns. */
function eventColumns(events: readonly ClaimEvent[]): AppendColumn[] {
  return [
    { name: "place", kind: "integer", values: events.map((_, i) => i + 1) },
    { name: "message_id", kind: "text", values: events.map((event) => event.messageId) },
    { name: "event", kind: "text", values: events.map((event) => event.event) },
    { name: "reason", kind: "text", values: events.map((event) => event.reason) },
    { name: "rule", kind: "text", values: events.map((event) => (event.unposted === true ? "not_posted" : "")) },
    { name: "detail", kind: "text", values: events.map((event) => event.detail) },
    { name: "provider_id", kind: "text", values: events.map((event) => event.providerId) },
    { name: "recorded_at", kind: "timestamp", values: events.map((event) => event.at) },
  ];
}
