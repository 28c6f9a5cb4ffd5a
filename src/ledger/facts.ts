/** What a command must know of the ledger before it writes: read in one statement, with the lease where one is taken. */
import { hostClock, instant, skewOf } from "../core/clock.js";
import { Binder, textList, timestampLiteral } from "../warehouse/sql.js";
import type { Row, Statement } from "../warehouse/types.js";
import { HOME } from "./install/home.js";
import { elseRequired, requireVersion } from "./install/versions.js";
import type { Ledger } from "./ledger.js";
import { pausesAt, type StandingPause } from "./pauses.js";
import { lastRunsOf, previousRuns, RECENTLY_MS, REMOVED_LATELY_MS, type PreviousSegmentRun } from "./runs/segment-runs.js";
import { heededSql, ofKindSql } from "./trial.js";

/** The name in `meta` of the time before which answers were deleted. */
export const PRUNED_TO = "pruned_to";

/** What a run asks beside what every command does. */
export interface FactsAsked {
  /** Ids of the segments of this run. */
  segments: readonly string[];
  /** ISO 8601 UTC. */
  asOf: string;
  /** A live run reads nothing that a trial wrote. */
  trial: boolean;
  /** Of segments beside these too: those that have no file any more are among them. */
  whole?: boolean;
  /** Versions of the templates of this run. */
  templates?: readonly string[];
}

/** A run that was taken back. Times are ISO 8601 UTC. */
export interface ForgottenRun {
  runId: string;
  asOf: string;
  /** When it was: what left of it counts from there, under the run `record`. */
  record: string;
  at: string;
}

export interface Facts {
  /** The warehouse's clock as it was asked, ms since 1970 UTC. */
  clock: number;
  /** How far this machine's clock is ahead of it, beyond what asking took, ms; negative: behind. */
  skewMs: number;
  /** `until`: ISO 8601 UTC. */
  lease: { holder: string | null; fence: number; until: string | null };
  /** Of the ledger's tables; 0 if it does not say. */
  version: number;
  /** What hashes and buckets are salted with. */
  salt: string;
  /** Identity of the database that the ledger was made in, or approved for; null: none is known. */
  home: string | null;
  /** Answers before were deleted by `ledger prune`, ISO 8601 UTC; null: none were. */
  prunedTo: string | null;
  /** The latest `as_of` of a run that this one reads of, ISO 8601 UTC; null: there was none. */
  lastAsOf: string | null;
  /** Runs of either kind that were taken back. */
  forgotten: readonly ForgottenRun[];
  /** Runs of either kind that have not ended: beside one's own, all were cut off. */
  unfinished: number;
  /** Whether a message failed, was in doubt or was released in a run of the seven days before this one. */
  troubled: boolean;
  /** `as_of` of the first run of this kind that left a message in doubt, or may have, ISO 8601 UTC; null: none did. */
  doubtedFrom: string | null;
  /** What is paused as of the run. */
  pauses: readonly StandingPause[];
  /** Of the templates asked for, the versions whose text the ledger has. */
  templates: ReadonlySet<string>;
  /** Of the segments asked for, or of all, the last run in which the query worked, if that was lately. */
  previous: ReadonlyMap<string, PreviousSegmentRun>;
}

/** The ledger's facts, without the lease. @throws OpportuneError where there is no ledger, or not the one needed */
export async function ledgerFacts(ledger: Ledger, asked?: FactsAsked): Promise<Facts> {
  const begun = hostClock();
  const rows = await elseRequired(ledger, () => ledger.query(factsStatement(ledger, asked)));
  const facts = readFacts(rows, begun);
  requireVersion(ledger.schema, facts.version);
  return facts;
}

/** Rows of `fact`, `name` and `content`, one for each thing known. */
export function factsStatement(ledger: Ledger, asked?: FactsAsked): Statement {
  const binder = new Binder(ledger.dialect);
  return ledger.file("facts.sql", { clock: ledger.dialect.clock, run: asked === undefined ? null : ofRun(ledger, asked, binder) }, binder);
}

function ofRun(ledger: Ledger, { segments, asOf, trial, whole = false, templates = [] }: FactsAsked, binder: Binder): Record<string, unknown> {
  const before = (ms: number): string => instant(Date.parse(asOf) - ms);
  const lately = whole
    ? lastRunsOf(ledger, { but: [] }, trial, before(REMOVED_LATELY_MS), binder)
    : lastRunsOf(ledger, { of: segments }, trial, before(RECENTLY_MS), binder);
  return {
    heeded: heededSql(trial),
    of_kind: ofKindSql(trial),
    recently: timestampLiteral(before(RECENTLY_MS), ledger.dialect),
    pauses: pausesAt(ledger, trial, asOf),
    templates: templates.length === 0 ? null : textList(templates, binder),
    segments: whole || segments.length > 0 ? lately : null,
  };
}

/** The facts from their rows, which were asked for at `asked` and came just now: this machine's clock, ms since 1970 UTC. */
export function readFacts(rows: readonly Row[], asked: number): Facts {
  const all = (fact: string): Row[] => rows.filter((row) => row["fact"] === fact);
  const one = (fact: string, name?: string): Row | undefined => all(fact).find((row) => name === undefined || row["name"] === name);
  const content = (row: Row | undefined): string | null => (row === undefined || row["content"] === null ? null : String(row["content"]));
  const lease = one("lease");
  const clock = Date.parse(String(one("fence")?.["name"]));
  return {
    clock,
    skewMs: skewOf(clock, asked, hostClock()),
    lease: {
      holder: lease === undefined || lease["name"] === null ? null : String(lease["name"]),
      fence: Number(content(one("fence"))),
      until: content(lease),
    },
    version: Number(content(one("meta", "schema_version")) ?? 0),
    salt: String(content(one("meta", "salt"))),
    home: content(one("meta", HOME)),
    prunedTo: content(one("meta", PRUNED_TO)),
    lastAsOf: content(one("last_as_of")),
    forgotten: forgottenRuns(new Map(all("forgotten").map((row) => [String(row["name"]), String(row["content"])]))),
    unfinished: Number(content(one("unfinished")) ?? 0),
    troubled: Number(content(one("troubled")) ?? 0) > 0,
    doubtedFrom: content(one("doubted_from")),
    pauses: all("pause").map((row) => JSON.parse(String(row["content"])) as StandingPause),
    templates: new Set(all("template").map((row) => String(row["name"]))),
    previous: previousRuns(rows),
  };
}

/** What the id of a run begins with that says that another was taken back. */
export const RECORD = "forget_";

/** The run that says that another was taken back, and holds what had left of it. */
export function recordOf(runId: string): string {
  return `${RECORD}${runId}`;
}

/** From the `as_of` of each run that was taken back, and of each that says so. */
function forgottenRuns(asOf: ReadonlyMap<string, string>): ForgottenRun[] {
  return [...asOf].flatMap(([runId, runAsOf]) => {
    const at = asOf.get(recordOf(runId));
    return at === undefined ? [] : [{ runId, asOf: runAsOf, record: recordOf(runId), at }];
  });
}
