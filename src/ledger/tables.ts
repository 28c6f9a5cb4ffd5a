/**
 * The ledger's tables, for Kysely. It writes the small statements about one table: their columns are typed, their values bound.
 * What joins, ranks, unites, or needs a dialect's words for more than one value is a file of sql/, filled by Ledger.file.
 */
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, type Compilable } from "kysely";
import type { Dialect } from "../warehouse/dialect.js";
import type { Param, Statement } from "../warehouse/types.js";

/** Timestamps go in as ISO 8601 UTC text; the ledger's own SQL reads them back as text too. */
type Time = string;

export interface RunsTable {
  run_id: string;
  as_of: Time;
  started_at: Time;
  finished_at: Time | null;
  status: "running" | "success" | "error" | "interrupted" | "forgotten" | "forget";
  fence: number;
  opportune_version: string | null;
  /** Null or false: live. */
  trial: boolean | null;
  candidates: number | null;
  claimed: number | null;
  accepted: number | null;
  failed: number | null;
  in_doubt: number | null;
  released: number | null;
  held: number | null;
  lag_p50_ms: number | null;
  lag_p95_ms: number | null;
  duration_ms: number | null;
  error: string | null;
}

export interface SegmentRunsTable {
  run_id: string;
  segment: string;
  as_of: Time;
  segment_version: string;
  shape: string;
  activated_at: Time | null;
  /** JSON of ActiveStep[]. */
  steps: string;
  succeeded: number;
  returned: number | null;
  dropped: string | null;
  decisions: string | null;
  bytes_scanned: number | null;
  /** Null for a run in which a surge held the segment back. */
  offered: number | null;
  duration_ms: number | null;
  error: string | null;
  trial: boolean | null;
}

export interface SentLedgerTable {
  seq: number;
  run_id: string;
  message_id: string;
  segment: string;
  segment_version: string | null;
  step: string;
  variant: string | null;
  user_id: string;
  item_key: string;
  class: string | null;
  channel: string | null;
  topic: string | null;
  template: string | null;
  template_version: string | null;
  occurred_at: Time;
  counts_from: Time;
  due_at: Time | null;
  expires_at: Time | null;
  send_by: Time | null;
  decided_at: Time;
  recorded_at: Time;
  event: string;
  reason: string;
  rule: string;
  detail: string | null;
  settles: number;
  counts: number;
  address: string | null;
  properties: string | null;
  provider_id: string | null;
  trial: boolean | null;
}

/** The ledger's tables as Kysely sees them, without what nothing asks for yet; sql/ledger/ creates them. */
export interface LedgerTables {
  sent_ledger: SentLedgerTable;
  runs: RunsTable;
  segment_runs: SegmentRunsTable;
  suppressions: { channel: string; address: string; topic: string | null; reason: string; recorded_at: Time; trial: boolean | null };
  preferences: {
    user_id: string;
    channel: string | null;
    topic: string | null;
    opted_in: boolean | null;
    recorded_at: Time;
    seq: number;
    trial: boolean | null;
  };
  pauses: {
    scope: "project" | "segment" | "channel";
    name: string;
    paused: boolean;
    recorded_at: Time;
    seq: number;
    note: string | null;
    until: Time | null;
    trial: boolean | null;
  };
  templates_sent: { template_version: string; content: string; recorded_at: Time };
  leases: { name: string; holder: string | null; fence: number; expires_at: Time | null };
  meta: { name: string; content: string };
  alerts: { name: string; content: string };
}

/** Kysely writes and types the SQL; statements run on the job's own warehouse, never on a second set of drivers. */
export function ledgerQueries(dialect: Dialect, schema: string): Kysely<LedgerTables> {
  const kysely = new Kysely<LedgerTables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => dialect.queryCompiler(),
    },
  });
  return kysely.withSchema(schema);
}

/** A Kysely query as a statement for the warehouse. */
export function statement(query: Compilable): Statement {
  const { sql, parameters } = query.compile();
  return { sql, params: parameters as readonly Param[], ours: true };
}
