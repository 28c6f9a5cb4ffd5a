/** A run's rows of `sent_ledger`: first its decisions, then what becomes of its claims. */
import { instant } from "../../core/clock.js";
import { literal } from "../../warehouse/dialect.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import type { AppendColumn } from "../../warehouse/types.js";
import type { HeldLedger } from "../lease/held-ledger.js";
import { pauseQuery, pauses, standingPauses, type StandingPause } from "../pauses.js";
import type { RunKey } from "../runs/record.js";
import { statement, type SegmentRunsTable } from "../tables.js";

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

/** What a segment's part in a run was. */
export type SegmentRun = Omit<SegmentRunsTable, "run_id" | "as_of" | "trial">;

export interface Decided {
  /** Of the work table `decisions`. */
  rows: number;
  /** Of these, the answers that differ from what the ledger says. */
  changed: number;
  segmentRuns: readonly SegmentRun[];
  /** Texts that the ledger hasn't yet. */
  templates: readonly SentTemplate[];
}

/** Appends the changed answers among the run's decisions, and what each segment's run was: both or neither, and not one row more or less. */
export async function appendDecisions(ledger: HeldLedger, run: RunKey, { rows, changed, segmentRuns, templates }: Decided): Promise<void> {
  const { tables, dialect } = ledger;
  const recordedAt = instant(ledger.now());
  const base = ledger.reserve(rows);
  const append = ledger.file("append.sql", { ...keyOf(ledger, run, base), recorded_at: timestampLiteral(recordedAt, dialect) });
  const parts = segmentRuns.map((row) => ({ ...row, run_id: run.runId, as_of: run.asOf, trial: run.trial }));
  const insert = parts.length === 0 ? [] : [statement(tables.insertInto("segment_runs").values(parts))];
  const texts = templates.map(({ version, text }) => ({ template_version: version, content: text, recorded_at: recordedAt }));
  const keep = texts.length === 0 ? [] : [statement(tables.insertInto("templates_sent").values(texts))];
  await ledger.append(run.runId, base, rows, { statements: [...insert, ...keep, { ...append, mustChange: changed }] });
}

/** Appends events of claims of this run in one transaction; gives what is paused then. */
export async function appendEvents(ledger: HeldLedger, run: RunKey, events: readonly ClaimEvent[]): Promise<StandingPause[]> {
  if (events.length === 0) return pauses(ledger, run.trial);
  const base = ledger.reserve(events.length);
  const append = ledger.file("outcomes.sql", {
    ...keyOf(ledger, run, base),
    first: String(events.reduce((first, { place }) => Math.min(first, place), Infinity)),
    last: String(events.reduce((last, { place }) => Math.max(last, place), 0)),
  });
  const rows = await ledger.append(run.runId, base, events.length, {
    fill: { table: ledger.dialect.workTable("outcomes"), columns: eventColumns(events) },
    statements: [{ ...append, mustChange: events.length }, pauseQuery(ledger, run.trial)],
  });
  return rows === null ? pauses(ledger, run.trial) : standingPauses(rows);
}

function keyOf({ dialect }: HeldLedger, { runId, asOf, trial }: RunKey, base: number): Record<string, unknown> {
  return { seq: String(base), run_id: literal(runId), trial, as_of: timestampLiteral(asOf, dialect) };
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
