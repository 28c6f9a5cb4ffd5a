/**
 * The world that decisions are tested in: what the segments' queries return, what the audiences hold, and what happens to
 * claims afterwards. The SQL and the slow model both take it, so that one case, or one random story, runs on both.
 */
import type { Project } from "../../src/project/types.js";

/** A segment's returned row. Absent addresses are null. Times are ISO 8601 in UTC, e.g. `2026-03-02T12:00:00Z`. */
export interface WorldRow {
  user_id: string | null;
  /** Value of the segment's key column. */
  key?: string | null;
  occurred_at: string | null;
  email?: string | null;
  phone?: string | null;
  device_token?: string | null;
  timezone?: string | null;
  /** Properties for templates and contract. */
  [property: string]: string | number | boolean | null | undefined;
}

export interface AudienceRow {
  user_id: string;
  /** Absent: an audience without times. */
  occurred_at?: string | null;
}

/** `failed`: the query raises an error. */
export type Staged<T> = readonly T[] | "failed";

export interface Suppression {
  /** In any form, as are address and topic. */
  channel: string;
  address: string;
  topic: string | null;
  reason: string;
  /** It follows from a trial's message: a live run doesn't know it. */
  trial?: boolean;
}

export interface Preference {
  user_id: string;
  channel: string | null;
  topic: string | null;
  /** Null: no word on it. */
  opted_in: boolean | null;
  /** As of a suppression. */
  trial?: boolean;
}

export interface Pause {
  scope: "project" | "segment" | "channel";
  /** Segment id or channel name; `` for the project. */
  name: string;
  paused: boolean;
  /** Absent: an operator's. */
  kind?: "breaker";
  /** When it ends by itself, ISO 8601 UTC. */
  until?: string;
  /** Set by a trial. */
  trial?: boolean;
}

/** What becomes of a claim after the decisions; everything not named is accepted. */
export type ClaimOutcome = "accepted" | "failed" | "invalid" | "in_doubt" | Reopened;

/** Decided again: not sent after all; in doubt and settled so; failed and offered again. */
export type Reopened = "released" | "resent" | "retried";

export function isReopened(outcome: ClaimOutcome | null): outcome is Reopened {
  return outcome === "released" || outcome === "resent" || outcome === "retried";
}

export interface WorldRun {
  /** ISO 8601 UTC. */
  asOf: string;
  /** Absent: a live run. */
  trial?: boolean;
  /** The project as it is written now; a later run may hold an edited one. */
  project: Project;
  rows: Readonly<Record<string, Staged<WorldRow>>>;
  audiences: Readonly<Record<string, Staged<AudienceRow>>>;
  /** Newest data of each source that has a `loaded_at`; absent or null: unknown. */
  loadedAt?: Readonly<Record<string, string | null>>;
  /** Which sources each segment or audience reads, by name. */
  reads?: Readonly<Record<string, readonly string[]>>;
  /** Columns that each template needs not to be null. */
  templateNeeds?: Readonly<Record<string, readonly string[]>>;
  /** Added before this run; all three are append-only and kept for later runs. */
  suppressions?: readonly Suppression[];
  preferences?: readonly Preference[];
  pauses?: readonly Pause[];
  backfill?: readonly string[];
  /** Segments that may offer far more than usual in this run. */
  approve?: readonly string[];
  /** Taken back before this run, at its `asOf`: each names the last run as of then that isn't forgotten yet. */
  forget?: readonly string[];
  /** Pruned before this run: decisions made before that time, ISO 8601 UTC. */
  prune?: string;
  /** What the ledger holds before this run is of a release that knew no factor. */
  beforeFactors?: true;
  /** On a warehouse: pruned as far as the rules of these projects allow, and told to when. */
  pruneAll?: { projects: readonly Project[]; told: (before: string) => void };
  /** Segment ids; absent: all. */
  select?: readonly string[];
  /** Called for each claim of this run. */
  outcome?: (claim: DecidedRow) => ClaimOutcome;
}

/** One appended ledger row, as far as decisions go. */
export interface DecidedRow {
  segment: string;
  step: string;
  user_id: string;
  key: string;
  /** The anchor in a journey, else the row's behaviour time; ISO 8601 UTC with seconds, e.g. `2026-03-02T12:00:00Z`. */
  occurred_at: string;
  event: "claimed" | "held_out" | "waiting" | "denied" | "settled" | "left" | "backfilled";
  reason: string;
  /** `` where the reason has none. */
  rule: string;
  due_at: string;
  /** Only on `claimed` and `held_out`. */
  variant: string;
  /** Only where there is a variant. */
  factor: string;
  channel: string;
  /** Only on `claimed`: until when it may be handed over. */
  send_by: string;
}

/** The ledger's salt in every test, so that buckets and message ids are the same everywhere. */
export const TEST_SALT = "test-salt";

/** Something that decides: the SQL on a warehouse, or the model. Keeps its own ledger between runs, salted with TEST_SALT. */
export interface Decider {
  /** Decides one run, applies the outcomes of its claims, and returns the rows that decisions appended (not the outcomes). */
  run(run: WorldRun): Promise<DecidedRow[]>;
  close(): Promise<void>;
}
