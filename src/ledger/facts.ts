/** What a command must know of the ledger before it writes: read in one statement, with the lease where one is taken. */
import { sql } from "kysely";
import { hostClock, instant, skewOf } from "../core/clock.js";
import { isoText, timestampLiteral } from "../warehouse/sql.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { Row, Statement } from "../warehouse/types.js";
import { standingSql, type StandingPause } from "./pauses.js";
import { lastRuns, previousRuns, RECENTLY_MS, REMOVED_LATELY_MS, TAKEN_BACK, type PreviousSegmentRun } from "./runs/runs.js";
import { ledgerQueries, statement } from "./tables.js";
import { heeded, ofKind } from "./trial.js";

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

const text = (value: string): ReturnType<typeof sql<string | null>> => sql<string | null>`${sql.raw(value)}`;

/** Rows of `fact`, `name` and `content`, one for each thing known. */
export function factsStatement(dialect: Dialect, schema: string, asked?: FactsAsked): Statement {
  const queries = ledgerQueries(dialect, schema);
  const cast = (expression: string): string => `cast(${expression} as ${dialect.types.text})`;
  const fact = (name: string) => text(`'${name}'`).as("fact");
  const always = queries
    .selectFrom("meta")
    .select([fact("meta"), text("name").as("name"), text("content").as("content")])
    .unionAll(
      queries
        .selectFrom("leases")
        .select([fact("lease"), text("holder").as("name"), text(dialect.utcText("expires_at")).as("content")])
        .where("name", "=", "run"),
    )
    .unionAll(
      queries
        .selectFrom("leases")
        .select([fact("fence"), text(dialect.utcText(dialect.clock)).as("name"), text(cast("fence")).as("content")])
        .where("name", "=", "run"),
    );
  if (asked === undefined) return statement(always);
  const columns = ["scope", "name", "kind", "until", "note"].map((column) => [column, column] as const);
  const standing = queries
    .selectFrom(sql`(${sql.raw(standingSql(dialect, schema, asked.trial, asked.asOf))})`.as("p"))
    .select([fact("pause"), text(cast("null")).as("name"), text(dialect.jsonObject(columns)).as("content")]);
  const ofRun = always
    .unionAll(
      queries
        .selectFrom("runs")
        .select([fact("last_as_of"), text(cast("null")).as("name"), text(isoText("max(as_of)", dialect)).as("content")])
        .where("status", "not in", TAKEN_BACK)
        .where(heeded(asked.trial)),
    )
    .unionAll(
      queries
        .selectFrom("runs")
        .select([fact("forgotten"), text("run_id").as("name"), text(isoText("as_of", dialect)).as("content")])
        .where("status", "in", TAKEN_BACK),
    )
    .unionAll(
      queries
        .selectFrom("runs")
        .select([fact("unfinished"), text(cast("null")).as("name"), text(cast("count(*)")).as("content")])
        .where("status", "=", "running"),
    )
    .unionAll(
      queries
        .selectFrom("runs")
        .select([fact("troubled"), text(cast("null")).as("name"), text(cast("count(*)")).as("content")])
        .where(heeded(asked.trial))
        .where(sql<boolean>`as_of >= ${sql.raw(timestampLiteral(instant(Date.parse(asked.asOf) - RECENTLY_MS), dialect))}`)
        // Of a run that was cut off nothing is counted.
        .where(sql<boolean>`coalesce(failed, 1) + coalesce(in_doubt, 1) + coalesce(released, 1) > 0`),
    )
    .unionAll(
      queries
        .selectFrom("runs")
        .select([fact("doubted_from"), text(cast("null")).as("name"), text(isoText("min(as_of)", dialect)).as("content")])
        .where(ofKind(asked.trial))
        .where(sql<boolean>`(in_doubt > 0 or status in ('running', 'interrupted', 'forget'))`),
    )
    .unionAll(standing)
    .$if((asked.templates ?? []).length > 0, (query) =>
      query.unionAll(
        queries
          .selectFrom("templates_sent")
          .select([fact("template"), text("template_version").as("name"), text(cast("null")).as("content")])
          .where("template_version", "in", asked.templates ?? []),
      ),
    );
  const before = (ms: number): string => instant(Date.parse(asked.asOf) - ms);
  if (asked.whole === true) return statement(ofRun.unionAll(lastRuns(dialect, schema, { but: [] }, asked.trial, before(REMOVED_LATELY_MS))));
  if (asked.segments.length === 0) return statement(ofRun);
  return statement(ofRun.unionAll(lastRuns(dialect, schema, { of: asked.segments }, asked.trial, before(RECENTLY_MS))));
}

/** The facts from their rows, which were asked for at `asked` and came just now: this machine's clock, ms since 1970 UTC. */
export function readFacts(rows: readonly Row[], asked: number): Facts {
  const one = (fact: string, name?: string): Row | undefined => rows.find((row) => row["fact"] === fact && (name === undefined || row["name"] === name));
  const content = (row: Row | undefined): string | null => (row === undefined || row["content"] === null ? null : String(row["content"]));
  const lease = one("lease");
  const clock = Date.parse(`${String(one("fence")?.["name"]).replace(" ", "T")}Z`);
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
    home: content(one("meta", "database")),
    prunedTo: content(one("meta", PRUNED_TO)),
    lastAsOf: content(one("last_as_of")),
    forgotten: forgottenRuns(new Map(rows.filter((row) => row["fact"] === "forgotten").map((row) => [String(row["name"]), String(row["content"])]))),
    unfinished: Number(content(one("unfinished")) ?? 0),
    troubled: Number(content(one("troubled")) ?? 0) > 0,
    doubtedFrom: content(one("doubted_from")),
    pauses: rows.filter((row) => row["fact"] === "pause").map((row) => JSON.parse(String(row["content"])) as StandingPause),
    templates: new Set(rows.filter((row) => row["fact"] === "template").map((row) => String(row["name"]))),
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
