/** What target/opportune/ holds after `compile` and `run`: documents for machines, and the SQL as it was sent. */
import type { Place, RunResult } from "../run/types.js";
import type { Failures } from "../core/failures.js";
import type { Problem } from "../core/errors.js";
import type { StopKind } from "../delivery/types.js";
import type { Project, Segment } from "../project/types.js";
import type { Statement } from "../warehouse/types.js";
import { bytesRead, type Period } from "./bytes.js";
import { listingDocument } from "./listing.js";

/** Raised when a field of these documents changes its meaning or goes away; new fields leave it as it is. */
export const SCHEMA_VERSION = 1;

/** Values that no file may hold, each with what stands there instead. */
export type Secrets = ReadonlyMap<string, string>;

/** run_results.json, and what `run --output json` prints. Times are ISO 8601 UTC, durations ms. */
export interface RunDocument {
  schema_version: typeof SCHEMA_VERSION;
  opportune_version: string;
  project: string;
  target: string;
  /** `error`: something failed and was handled, exit code 1; see `problems`. */
  status: "success" | "error";
  run_id: string;
  /** What the decisions are as of. */
  as_of: string;
  /** The target isn't live, or --as-of was given: no live run reads what this one wrote. */
  trial: boolean;
  dry_run: boolean;
  /** Claims of an earlier run that never ended: released are decided again, in doubt are held. */
  recovered: { released: number; in_doubt: number };
  segments: {
    segment: string;
    /** Rows that the query returned; null if it failed. */
    returned: number | null;
    /** Rows without a candidate, by why: null_user, duplicate, same_occurrence … */
    dropped: Readonly<Record<string, number>>;
    /** Candidates by reason, unchanged answers included. */
    decisions: Readonly<Record<string, number>>;
    duration_ms: number;
    /** What its query read; null where the warehouse doesn't say. */
    bytes_scanned: number | null;
    problem: Problem | null;
  }[];
  audiences: { audience: string; duration_ms: number; bytes_scanned: number | null }[];
  failed_audiences: { audience: string; problem: Problem }[];
  /** Time zones in the rows that don't exist. */
  unknown_zones: readonly string[];
  /** All audiences and segments. */
  staging_ms: number;
  arbitration_ms: number;
  /** Rows appended by the decisions; in a dry run: that would have been. */
  ledger_rows: number;
  /** Null in a dry run. */
  delivery: {
    claims: number;
    accepted: number;
    /** Accepted ones by where they went; outbox: files. */
    went: Readonly<Record<Place, number>>;
    failed: Readonly<Record<string, number>>;
    in_doubt: number;
    released: Readonly<Record<string, number>>;
    posts: number;
    /** By name; `pause_ms`: how long the channel is better left alone. */
    stopped_channels: Readonly<Record<string, { kind: StopKind; reason: string; accepted: number; in_doubt: number; released: number; pause_ms: number }>>;
    /** Why messages failed, the commonest reason first; one for each channel and outcome, those alike counted together. */
    reasons: readonly Failures[];
    duration_ms: number;
  } | null;
  /** Messages in doubt that nobody has settled, of all runs so far; `since`: the oldest. */
  in_doubt: { messages: number; since: string | null };
  /** Dry run: claims that can't be rendered, by reason. */
  unrenderable: Readonly<Record<string, number>>;
  /** A signal ended the run early: what was not handed over was released. */
  stopped: boolean;
  problems: readonly Problem[];
  /** Queries, statements and scripts that the warehouse was asked to carry out; see docs/cost.md. */
  statements: number;
  /** What all of them read; null where the warehouse doesn't say. */
  bytes_scanned: number | null;
  /** The same in a day at the schedule; null where the warehouse doesn't say. */
  bytes_per_day: number | null;
  duration_ms: number;
}

/** A run's result as a document. */
export function runDocument(result: RunResult, about: { project: string; target: string; version: string; stopped: boolean; period: Period }): RunDocument {
  const { decisions, delivery } = result;
  return {
    schema_version: SCHEMA_VERSION,
    opportune_version: about.version,
    project: about.project,
    target: about.target,
    status: result.problems.length === 0 && !about.stopped ? "success" : "error",
    run_id: result.runId,
    as_of: result.asOf,
    trial: result.trial,
    dry_run: result.dryRun,
    recovered: { released: result.recovered.released, in_doubt: result.recovered.inDoubt },
    segments: decisions.segments.map(({ segment, returned, dropped, reasons, ms, bytes, problem }) => ({
      segment,
      returned,
      dropped,
      decisions: reasons,
      duration_ms: Math.round(ms),
      bytes_scanned: bytes,
      problem,
    })),
    audiences: decisions.audiences.map(({ audience, ms, bytes }) => ({ audience, duration_ms: Math.round(ms), bytes_scanned: bytes })),
    failed_audiences: decisions.failedAudiences,
    unknown_zones: decisions.unknownZones,
    staging_ms: Math.round(decisions.stagingMs),
    arbitration_ms: Math.round(decisions.arbitrationMs),
    ledger_rows: decisions.changed,
    delivery:
      delivery === null
        ? null
        : {
            claims: delivery.claims,
            accepted: delivery.counts.accepted,
            went: result.went,
            failed: delivery.counts.failed,
            in_doubt: delivery.counts.inDoubt,
            released: delivery.counts.released,
            posts: delivery.posts,
            stopped_channels: Object.fromEntries(
              [...delivery.stoppedChannels].map(([name, { kind, reason, accepted, inDoubt, released, pauseMs }]) => [
                name,
                { kind, reason, accepted, in_doubt: inDoubt, released, pause_ms: pauseMs },
              ]),
            ),
            reasons: delivery.reasons,
            duration_ms: Math.round(result.deliveryMs),
          },
    in_doubt: { messages: result.doubts.reduce((sum, { messages }) => sum + messages, 0), since: result.doubts[0]?.since ?? null },
    unrenderable: result.unrenderable,
    stopped: about.stopped,
    problems: result.problems,
    statements: result.usage.statements,
    bytes_scanned: result.usage.bytes,
    bytes_per_day: bytesRead(result, about.period)?.daily ?? null,
    duration_ms: Math.round(result.ms),
  };
}

/** manifest.json: what the project is made of, as this command saw it. Holds no secret. */
export function manifestDocument(project: Project, about: { version: string; generatedAt: string; segments: readonly Segment[] }): unknown {
  const { name, target, policy, intervalSeconds } = project;
  return {
    schema_version: SCHEMA_VERSION,
    opportune_version: about.version,
    generated_at: about.generatedAt,
    project: name,
    target: { name: target.name, type: target.connection.type, schema: target.schema, live: target.live },
    interval_seconds: intervalSeconds,
    policy: {
      timezone: policy.timezone,
      quiet_hours: policy.quietHours,
      caps: policy.caps,
      spacing_seconds: policy.spacingSeconds,
      exclude: policy.exclude,
      require: policy.require,
      holdout: policy.holdout,
      max_per_run: policy.maxPerRun,
    },
    channels: [...project.channels.values()].map(({ name, type, provider }) => ({ channel: name, type, provider })),
    sources: [...project.sources.values()].map(({ name, table, loadedAt, staleAfterSeconds }) => ({
      source: name,
      table,
      loaded_at: loadedAt,
      stale_after_seconds: staleAfterSeconds,
    })),
    selected: about.segments.map(({ id }) => id),
    versions: Object.fromEntries([...project.segments.values(), ...project.audiences.values()].map(({ file, version }) => [file, version])),
    ...listingDocument([...project.segments.values()], [...project.audiences.values()]),
  };
}

/** Statements as a file: their parameters in comments above, then the SQL to the letter, but for secrets; a query that runs apart comes first. */
export function compiledSql(name: string, statements: readonly Statement[], about: { asOf: string; secrets: Secrets; note?: string }): string {
  const head = [`-- ${name}, as of ${about.asOf}`, ...(about.note === undefined ? [] : [`-- ${about.note}`])];
  return `${[...head, statements.map((statement) => fileOf(statement, about.secrets)).join("\n;\n\n")].join("\n")}\n`;
}

function fileOf(statement: Statement, secrets: Secrets): string {
  const { apart, afterPages } = statement;
  const before = apart === undefined ? [] : ["-- The query, which runs first, into a work table.", ...partOf(apart, secrets), "", "-- What reads its rows."];
  const after = afterPages === undefined ? [] : ["", "-- Then, over all of them.", ...partOf(afterPages, secrets)];
  return [...before, ...partOf(statement, secrets), ...after].join("\n");
}

function partOf(statement: Statement, secrets: Secrets): string[] {
  const shown = (value: Statement["params"][number]): string => {
    const label = typeof value === "string" ? secrets.get(value) : undefined;
    return label === undefined ? JSON.stringify(value) : `<${label}>`;
  };
  const parameters = statement.params.map((value, i) => `--   $${String(i + 1)} = ${shown(value)}`);
  let sql = statement.sql.trim();
  for (const [value, label] of secrets) if (value.length >= SHORTEST_SECRET) sql = sql.replaceAll(value, `<${label}>`);
  return [parameters.length === 0 ? "-- No parameters." : "-- Parameters:", ...parameters, "", sql];
}

/** Shorter ones are words of SQL sooner than secrets; as parameters they are hidden whatever their length. */
const SHORTEST_SECRET = 8;
