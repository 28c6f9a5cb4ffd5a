/** What a run, and deciding in it, take and give. */
import type { Surge } from "../arbitration/surge.js";
import type { Problem } from "../core/errors.js";
import type { DeliveryProgress, DeliveryResult } from "../delivery/deliver.js";
import type { FailedDelivery } from "../delivery/failures.js";
import type { Facts } from "../ledger/facts.js";
import type { HeldLedger } from "../ledger/lease/held-ledger.js";
import type { Ledger } from "../ledger/ledger.js";
import type { StandingPause } from "../ledger/pauses.js";
import type { Recovered } from "../ledger/recovery/recover.js";
import type { StandingDoubts } from "../ledger/recovery/standing-doubts.js";
import type { RunKey } from "../ledger/runs/record.js";
import type { Project, Segment } from "../project/types.js";
import type { Renderer } from "../render/renderer.js";
import type { OnStep } from "../segments/stage.js";
import type { NumberColumns, TemplateCatalog } from "../segments/types.js";
import type { Row, Statement, Usage } from "../warehouse/types.js";

export interface DecideOptions {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  trial: boolean;
  /** Segments of this run, in id order. */
  segments: readonly Segment[];
  /** Of every segment that is due: what waits in segments without a file ends. */
  whole: boolean;
  /** Ids of those whose baseline is lifted. */
  backfill: ReadonlySet<string>;
  /** Ids of those that may offer far more than usual. */
  approved: ReadonlySet<string>;
  /** The ledger in the hands of this run; null: decide, but append nothing. */
  held: HeldLedger | null;
  /** As they stood when the run began. */
  facts: Facts;
  templates: TemplateCatalog;
  /** A user of whose candidates every reason that stops them is asked for too. */
  stopsOf?: string;
  onStep: OnStep;
  /** The statements of a query or of arbitration before they run, for the compiled artefacts; `secrets` are parameters that nobody may be shown. */
  onStatement: (name: string, statements: readonly Statement[], secrets: readonly string[]) => void;
}

export interface SegmentDecisions {
  segment: string;
  /** The ledger has no run of it in which its query worked: those who qualify already are baseline. */
  first: boolean;
  /** Rows that the query returned; null if it failed. */
  returned: number | null;
  /** Rows that made no candidate, by why. */
  dropped: Record<string, number>;
  /** Decisions by reason, unchanged answers included. */
  reasons: Record<string, number>;
  /** Candidates that wait for a paused channel, by its name. */
  channelPaused: Record<string, number>;
  /** Candidates that no run had offered before, or that waited for approval. */
  offered: number;
  /** Set: held back, as it offers far more than usual. */
  surge: Surge | null;
  problem: Problem | null;
  /** Everything waits: a source is older than its `stale_after`, or can't be read. */
  tooOld: boolean;
  ms: number;
  /** What its query read; null where the warehouse doesn't say. */
  bytes: number | null;
}

export interface Decisions {
  segments: SegmentDecisions[];
  failedAudiences: { audience: string; problem: Problem }[];
  /** Every audience asked, with the duration of its query, ms, and what it read, where the warehouse says. */
  audiences: { audience: string; ms: number; bytes: number | null }[];
  /** In a dry run: audiences not one of whose users is in a row of any segment, though there are many of both. */
  unsharedAudiences: string[];
  /** Time zones in the rows that don't exist; the project's was used. */
  unknownZones: string[];
  /** From the first audience's query to the last segment's, ms. */
  stagingMs: number;
  /** Duration of arbitration, ms. */
  arbitrationMs: number;
  /** Rows appended to the ledger (in a dry run: that would have been). */
  changed: number;
  numbers: NumberColumns;
  /** See `stopsOf`. */
  stops: Row[];
}

/** What `compile` asks for: the same statements, none of them run. */
export type CompileOptions = Pick<DecideOptions, "asOf" | "trial" | "segments" | "backfill" | "templates" | "facts" | "onStatement"> & {
  /** Audiences to compile although no segment uses them. */
  audiences?: readonly string[];
};

export interface RunOptions extends Pick<DecideOptions, "onStep" | "onStatement"> {
  segments: readonly Segment[];
  /** Nothing of the project was left out by name: --select, --exclude. */
  whole: boolean;
  backfill: ReadonlySet<string>;
  approved: ReadonlySet<string>;
  dryRun: boolean;
  /** ISO 8601 UTC, given on the command line: decide as of then, and deliver to sandbox or outbox alone. */
  asOf: string | null;
  /** Any message that failed makes the run fail. */
  strict?: boolean;
  /** Wall clock, ms since 1970 UTC. */
  now: () => number;
  /** Resolves after `ms` milliseconds, or as soon as the signal fires. Default: a timer. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the run early: what is under way is finished, the rest is released. */
  stop?: AbortSignal;
  /** Gives up answers that are still awaited: those messages are in doubt. Fire `stop` first. */
  abandon?: AbortSignal;
  onProgress: (progress: DeliveryProgress) => void;
  /** Once, when the decisions stand. */
  onDecided: (decisions: Decisions) => void;
}

/** Where a message went: to the channel's provider, to `opportune sandbox`, or into a file. */
export type Place = "provider" | "sandbox" | "outbox";

export interface RunResult {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  /** A live run reads nothing of what this one wrote. */
  trial: boolean;
  dryRun: boolean;
  /** A dry run as of a time to come: that time, ISO 8601 UTC. */
  ahead: string | null;
  /** What was paused by command, or by a breaker, as the run began. */
  pauses: readonly StandingPause[];
  /** What an earlier run had left behind. */
  recovered: Recovered;
  decisions: Decisions;
  /** Null in a dry run. */
  delivery: DeliveryResult | null;
  /** Accepted messages by where they went. */
  went: Readonly<Record<Place, number>>;
  /** Dry run: claims that the renderer finds invalid, by reason. */
  unrenderable: Record<string, number>;
  /** Channels whose delivery failed without stopping them. */
  failures: readonly FailedDelivery[];
  /** Messages in doubt that nobody has settled, of every run of this kind so far; the oldest first. */
  doubts: readonly StandingDoubts[];
  /** What failed and was handled: the exit code is 1 if there is any. */
  problems: Problem[];
  /** From the first claim read to the last outcome written. */
  deliveryMs: number;
  ms: number;
  /** What the run asked of the warehouse. */
  usage: Usage;
}

/** What the parts of a run share. */
export interface Job {
  project: Project;
  ledger: Ledger;
  /** The same in the hands of this run; null in a dry run. */
  held: HeldLedger | null;
  facts: Facts;
  renderer: Renderer;
  run: RunKey;
  options: RunOptions;
}
