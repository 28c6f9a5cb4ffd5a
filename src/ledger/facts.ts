/** What a command must know of the ledger before it writes: read in one statement, with the lease where one is taken. */
import { sql } from "kysely";
import { instant } from "../core/clock.js";
import { isoText, timestampLiteral } from "../warehouse/sql.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { Row, Statement } from "../warehouse/types.js";
import type { Pause } from "./pauses.js";
import { lastRuns, previousRuns, RECENTLY_MS, type PreviousSegmentRun } from "./runs.js";
import { ledgerQueries, statement } from "./tables.js";
import { heeded, ofKind } from "./trial.js";

/** What a run asks beside what every command does. */
export interface FactsAsked {
  /** Ids of the segments of this run. */
  segments: readonly string[];
  /** ISO 8601 UTC. */
  asOf: string;
  /** A live run reads nothing that a trial wrote. */
  trial: boolean;
}

export interface Facts {
  lease: { holder: string | null; fence: number; until: string | null };
  /** Of the ledger's tables; 0 if it does not say. */
  version: number;
  /** What hashes and buckets are salted with. */
  salt: string;
  /** Identity of the database that the ledger was made in, or approved for; null: none is known. */
  home: string | null;
  /** The latest `as_of` of a run that this one reads of, ISO 8601 UTC; null: there was none. */
  lastAsOf: string | null;
  /** Runs of either kind that have not ended: beside one's own, all were cut off. */
  unfinished: number;
  /** Whether a message failed, was in doubt or was released in a run of the seven days before this one. */
  troubled: boolean;
  /** `as_of` of the first run of this kind that left a message in doubt, or may have, ISO 8601 UTC; null: none did. */
  doubtedFrom: string | null;
  /** What is paused as of the run. */
  pauses: readonly Pause[];
  /** Of the segments asked for, the last run in which the query worked, if that was lately. */
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
        .select([fact("fence"), text(cast("null")).as("name"), text(cast("fence")).as("content")])
        .where("name", "=", "run"),
    );
  if (asked === undefined) return statement(always);
  const latest = queries
    .selectFrom("pauses")
    .select(["scope", "name", "paused", "until", sql<number>`row_number() over (partition by scope, name order by seq desc)`.as("newest")])
    .where(heeded(asked.trial));
  const standing = queries
    .selectFrom(latest.as("p"))
    .select([fact("pause"), text("scope").as("name"), text("name").as("content")])
    .where("newest", "=", 1)
    .where("paused", "=", true)
    .where(sql<boolean>`(until is null or until > ${sql.raw(timestampLiteral(asked.asOf, dialect))})`);
  const ofRun = always
    .unionAll(
      queries
        .selectFrom("runs")
        .select([fact("last_as_of"), text(cast("null")).as("name"), text(isoText("max(as_of)", dialect)).as("content")])
        .where(heeded(asked.trial)),
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
        .where(sql<boolean>`(in_doubt > 0 or status in ('running', 'interrupted'))`),
    )
    .unionAll(standing);
  if (asked.segments.length === 0) return statement(ofRun);
  return statement(ofRun.unionAll(lastRuns(dialect, schema, { of: asked.segments }, asked.trial, instant(Date.parse(asked.asOf) - RECENTLY_MS))));
}

/** The facts from their rows. */
export function readFacts(rows: readonly Row[]): Facts {
  const one = (fact: string, name?: string): Row | undefined => rows.find((row) => row["fact"] === fact && (name === undefined || row["name"] === name));
  const content = (row: Row | undefined): string | null => (row === undefined || row["content"] === null ? null : String(row["content"]));
  const lease = one("lease");
  return {
    lease: {
      holder: lease === undefined || lease["name"] === null ? null : String(lease["name"]),
      fence: Number(content(one("fence"))),
      until: content(lease),
    },
    version: Number(content(one("meta", "schema_version")) ?? 0),
    salt: String(content(one("meta", "salt"))),
    home: content(one("meta", "database")),
    lastAsOf: content(one("last_as_of")),
    unfinished: Number(content(one("unfinished")) ?? 0),
    troubled: Number(content(one("troubled")) ?? 0) > 0,
    doubtedFrom: content(one("doubted_from")),
    pauses: rows.filter((row) => row["fact"] === "pause").map((row) => ({ scope: String(row["name"]) as Pause["scope"], name: String(row["content"]) })),
    previous: previousRuns(rows),
  };
}
