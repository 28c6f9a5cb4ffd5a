import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { instant } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";
import { isoText, renderSqlFile, timestampLiteral } from "../warehouse/sql.js";
import type { AppendColumn, Row, Warehouse } from "../warehouse/types.js";
import { requireLedger } from "./schema.js";
import { ledgerQueries, statement } from "./tables.js";

/** Numbers within one lease: `seq = fence × 10⁹ + n`, which stays exact in a JS number up to fence 9,007,199. */
const SEQ_PER_FENCE = 1_000_000_000;

/** How long a lease holds without being renewed, ms. Every fenced transaction renews it. */
export const LEASE_MS = 600_000;

/** What became of a claim, or that it is about to be handed over. */
export interface ClaimEvent {
  messageId: string;
  event: "sending" | "accepted" | "failed" | "in_doubt" | "released";
  reason: string;
  /** JSON, or null. */
  detail: string | null;
  providerId: string | null;
  /** Wall clock, ms since 1970 UTC. */
  at: number;
}

export interface Pause {
  scope: "project" | "segment" | "channel";
  /** Segment id or channel name, '' for the project. */
  name: string;
}

/** The last successful run of a segment. */
export interface PreviousSegmentRun {
  segment: string;
  asOf: string;
  shape: string;
  activatedAt: string | null;
  /** JSON of the steps and since when they are active. */
  steps: string;
}

/**
 * One process's hold on the ledger. Everything it writes goes through a transaction that renews its lease row and rolls back
 * when another process holds it: a claim can't be written by two.
 */
export class Ledger {
  readonly warehouse: Warehouse;
  readonly schema: string;
  readonly fence: number;
  readonly salt: string;
  readonly #holder: string;
  #seq = 0;

  private constructor(warehouse: Warehouse, schema: string, holder: string, fence: number, salt: string) {
    this.warehouse = warehouse;
    this.schema = schema;
    this.#holder = holder;
    this.fence = fence;
    this.salt = salt;
  }

  /**
   * Checks the ledger's version and takes the lease, or, to `read`, leaves it alone.
   * @throws OpportuneError naming the holder when another run has the lease
   */
  static async open(warehouse: Warehouse, schema: string, now: () => number, mode: "lease" | "read" = "lease"): Promise<Ledger> {
    await requireLedger(warehouse, schema);
    const queries = ledgerQueries(schema);
    const holder = `${String(process.pid)}-${randomUUID().slice(0, 8)}`;
    const free = sql<boolean>`(holder is null or expires_at < cast(${instant(now())} as ${sql.raw(warehouse.dialect.types.timestamp)}))`;
    const take = queries
      .updateTable("leases")
      .set({ holder, fence: sql`fence + 1`, expires_at: instant(now() + LEASE_MS) })
      .where("name", "=", "run")
      .where(free);
    const taken = mode === "read" || (await warehouse.execute(statement(take))) === 1;
    const until = sql<string>`${sql.raw(warehouse.dialect.utcText("expires_at"))}`.as("until");
    const lease = (await warehouse.query(statement(queries.selectFrom("leases").select(["holder", "fence", until]).where("name", "=", "run"))))[0];
    if (!taken) {
      throw new OpportuneError({
        code: "ledger/lease",
        message: `Another run holds the ledger (process ${String(lease?.["holder"]).split("-")[0] ?? "?"}, until ${String(lease?.["until"])} UTC).`,
        hint: "Wait for it to end. If that process died, its hold ends by itself at that time.",
      });
    }
    const meta = await warehouse.query(statement(queries.selectFrom("meta").select("content").where("name", "=", "salt")));
    return new Ledger(warehouse, schema, holder, Number(lease?.["fence"]), String(meta[0]?.["content"]));
  }

  get #queries(): ReturnType<typeof ledgerQueries> {
    return ledgerQueries(this.schema);
  }

  /** Runs `work` in a transaction that commits only while this process holds the lease. */
  async fenced<T>(now: number, work: () => Promise<T>): Promise<T> {
    return this.warehouse.transaction(async () => {
      const held = await this.warehouse.execute(
        statement(
          this.#queries
            .updateTable("leases")
            .set({ expires_at: instant(now + LEASE_MS) })
            .where("name", "=", "run")
            .where("holder", "=", this.#holder)
            .where("fence", "=", this.fence),
        ),
      );
      if (held !== 1)
        throw new OpportuneError({
          code: "ledger/lease-lost",
          message: "Another run has taken over the ledger; this one stops without writing.",
          hint: "The other run goes on with what is left.",
        });
      return work();
    });
  }

  async release(): Promise<void> {
    await this.warehouse.execute(
      statement(this.#queries.updateTable("leases").set({ holder: null, expires_at: null }).where("name", "=", "run").where("holder", "=", this.#holder)),
    );
  }

  /** Reserves the next `count` sequence numbers and gives the one before them. */
  #reserve(count: number): number {
    const base = this.fence * SEQ_PER_FENCE + this.#seq;
    this.#seq += count;
    return base;
  }

  /** Text of a timestamp column as ISO 8601. */
  #iso(column: string): ReturnType<typeof sql<string>> {
    return sql<string>`${sql.raw(isoText(column, this.warehouse.dialect))}`;
  }

  /** The latest `as_of` of any run, ISO 8601 UTC. */
  async lastAsOf(): Promise<string | null> {
    const rows = await this.warehouse.query(
      statement(this.#queries.selectFrom("runs").select(this.#iso("as_of").as("as_of")).orderBy("runs.as_of", "desc").limit(1)),
    );
    return (rows[0]?.["as_of"] as string | undefined) ?? null;
  }

  /** Each segment's last run in which its query worked. */
  async previousSegmentRuns(): Promise<Map<string, PreviousSegmentRun>> {
    const latest = this.#queries
      .selectFrom("segment_runs")
      .innerJoin("runs", "runs.run_id", "segment_runs.run_id")
      .select(["segment", "shape", "steps", this.#iso("segment_runs.as_of").as("as_of_text"), this.#iso("activated_at").as("activated_text")])
      .select(sql<number>`row_number() over (partition by segment order by segment_runs.as_of desc, fence desc)`.as("newest"))
      .where("succeeded", "=", 1);
    const rows = await this.warehouse.query(statement(this.#queries.selectFrom(latest.as("r")).selectAll().where("newest", "=", 1)));
    return new Map(
      rows.map((row) => [
        String(row["segment"]),
        {
          segment: String(row["segment"]),
          asOf: String(row["as_of_text"]),
          shape: String(row["shape"]),
          activatedAt: row["activated_text"] as string | null,
          steps: String(row["steps"]),
        },
      ]),
    );
  }

  /** What is paused now. */
  async pauses(): Promise<Pause[]> {
    const latest = this.#queries
      .selectFrom("pauses")
      .select(["scope", "name", "paused", sql<number>`row_number() over (partition by scope, name order by seq desc)`.as("newest")]);
    const rows = await this.warehouse.query(
      statement(this.#queries.selectFrom(latest.as("p")).select(["scope", "name"]).where("newest", "=", 1).where("paused", "=", true)),
    );
    return rows as unknown as Pause[];
  }

  /**
   * Pauses or resumes; holds from the next batch on. Needs no lease, so that a run under way can be paused: pauses have a
   * counter of their own, in a row of `leases` whose update makes two that pause at once take turns.
   */
  async setPause(pause: Pause, paused: boolean, now: number): Promise<void> {
    const counter = this.#queries
      .updateTable("leases")
      .set({ fence: sql`fence + 1` })
      .where("name", "=", "pauses");
    await this.warehouse.transaction(async () => {
      await this.warehouse.execute(statement(counter));
      const [row] = await this.warehouse.query(statement(this.#queries.selectFrom("leases").select("fence").where("name", "=", "pauses")));
      await this.warehouse.execute(
        statement(this.#queries.insertInto("pauses").values({ ...pause, paused, recorded_at: instant(now), seq: Number(row?.["fence"]), note: null })),
      );
    });
  }

  async recordRunStart(run: { runId: string; asOf: string; version: string }, now: number): Promise<void> {
    await this.fenced(now, () =>
      this.warehouse.execute(
        statement(
          this.#queries.insertInto("runs").values({
            run_id: run.runId,
            as_of: run.asOf,
            started_at: instant(now),
            finished_at: null,
            status: "running",
            fence: this.fence,
            opportune_version: run.version,
            candidates: null,
            claimed: null,
            accepted: null,
            failed: null,
            in_doubt: null,
            released: null,
            duration_ms: null,
            error: null,
          }),
        ),
      ),
    );
  }

  async recordRunEnd(
    runId: string,
    end: {
      status: "success" | "error";
      candidates: number;
      claimed: number;
      accepted: number;
      failed: number;
      in_doubt: number;
      released: number;
      duration_ms: number;
      error: string | null;
    },
    now: number,
  ): Promise<void> {
    await this.fenced(now, () =>
      this.warehouse.execute(
        statement(
          this.#queries
            .updateTable("runs")
            .set({ ...end, finished_at: instant(now) })
            .where("run_id", "=", runId),
        ),
      ),
    );
  }

  /** Appends the changed answers of the run's decisions together with what each segment's run was: both or neither. */
  async appendDecisions(
    run: { runId: string; asOf: string },
    segmentRuns: readonly Omit<SegmentRunRow, "run_id" | "as_of">[],
    decisions: number,
    now: number,
  ): Promise<number> {
    const { dialect } = this.warehouse;
    const base = this.#reserve(decisions);
    const append = renderSqlFile("append.sql", dialect, this.schema, {
      seq: String(base),
      run_id: `'${run.runId}'`,
      as_of: timestampLiteral(run.asOf, dialect),
      recorded_at: timestampLiteral(instant(now), dialect),
    });
    return this.fenced(now, async () => {
      const rows = segmentRuns.map((row) => ({ ...row, run_id: run.runId, as_of: run.asOf, bytes_scanned: null }));
      if (rows.length > 0) await this.warehouse.execute(statement(this.#queries.insertInto("segment_runs").values(rows)));
      return this.warehouse.execute(append);
    });
  }

  /** Appends events of claims of this run in one transaction. */
  async appendEvents(run: { runId: string; asOf: string }, events: readonly ClaimEvent[], now: number): Promise<void> {
    if (events.length === 0) return;
    const { dialect } = this.warehouse;
    const base = this.#reserve(events.length);
    const outcomes = dialect.workTable("outcomes");
    // Not part of the fenced transaction: work tables live in another database on DuckDB, and one transaction writes to one.
    await this.warehouse.execute({ sql: `delete from ${outcomes}`, params: [] });
    await this.warehouse.append(outcomes, eventColumns(events));
    const append = renderSqlFile("outcomes.sql", dialect, this.schema, {
      seq: String(base),
      run_id: `'${run.runId}'`,
      as_of: timestampLiteral(run.asOf, dialect),
    });
    await this.fenced(now, () => this.warehouse.execute(append));
  }

  /** Settles what an earlier run left: claims never handed over are released, those without an answer are in doubt. */
  async recover(now: number): Promise<{ released: number; inDoubt: number }> {
    const { dialect } = this.warehouse;
    const unfinished = await this.warehouse.query(statement(this.#queries.selectFrom("runs").select("run_id").where("status", "=", "running")));
    if (unfinished.length === 0) return { released: 0, inDoubt: 0 };
    const base = this.#reserve(SEQ_PER_FENCE / 2);
    const recover = renderSqlFile("recover.sql", dialect, this.schema, { seq: String(base), recorded_at: timestampLiteral(instant(now), dialect) });
    return this.fenced(now, async () => {
      await this.warehouse.execute(recover);
      const counts = await this.warehouse.query(
        statement(
          this.#queries
            .selectFrom("sent_ledger")
            .select(["event", sql<number>`count(*)`.as("n")])
            .where("seq", ">", base)
            .groupBy("event"),
        ),
      );
      await this.warehouse.execute(
        statement(
          this.#queries
            .updateTable("runs")
            .set({ status: "interrupted", finished_at: instant(now) })
            .where("status", "=", "running"),
        ),
      );
      const count = (event: string): number => Number(counts.find((row: Row) => row["event"] === event)?.["n"] ?? 0);
      return { released: count("released"), inDoubt: count("in_doubt") };
    });
  }
}

export interface SegmentRunRow {
  run_id: string;
  as_of: string;
  segment: string;
  segment_version: string;
  shape: string;
  activated_at: string | null;
  steps: string;
  succeeded: number;
  returned: number | null;
  dropped: string | null;
  decisions: string | null;
  duration_ms: number | null;
  error: string | null;
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
