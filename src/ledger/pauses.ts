import { sql } from "kysely";
import { instant } from "../core/clock.js";
import { Binder, isoText, ledgerTable, timestampLiteral } from "../warehouse/sql.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { Row, Statement, Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement } from "./tables.js";
import { heededSql } from "./trial.js";

export interface Pause {
  scope: "project" | "segment" | "channel";
  /** Segment id or channel name, '' for the project. */
  name: string;
}

/** Who paused: somebody by command, or the breaker of a channel that stopped. Neither overwrites nor hides the other. */
export type PauseKind = "operator" | "breaker";

/** A pause that holds, with what was said of it. */
export interface StandingPause extends Pause {
  kind: PauseKind;
  /** ISO 8601 UTC: when it ends by itself; null: when somebody resumes. */
  until: string | null;
  note: string | null;
}

/** What is paused at `now` (ms since 1970 UTC), for live runs or for trials. */
export async function pauses(warehouse: Warehouse, schema: string, trial: boolean, now: number): Promise<StandingPause[]> {
  return standingPauses(await warehouse.query(pauseQuery(warehouse.dialect, schema, trial, now)));
}

/** The statement that asks it. */
export function pauseQuery(dialect: Dialect, schema: string, trial: boolean, now: number): Statement {
  return { sql: standingSql(dialect, schema, trial, instant(now)), params: [], ours: true };
}

/** Its answer. */
export function standingPauses(rows: readonly Row[]): StandingPause[] {
  return rows as unknown as StandingPause[];
}

/** SQL of what is paused as of `asOf` (ISO 8601 UTC). Nothing to bind: this is asked with every step of a delivery. */
export function standingSql(dialect: Dialect, schema: string, trial: boolean, asOf: string): string {
  // A row of no kind is an older one, from before there were two.
  return `select scope, name, kind, ${isoText("until", dialect)} as until, note
  from (
    select scope, name, kind, paused, until, note, row_number() over (partition by scope, name, kind order by seq desc) as newest
    from (
      select scope, name, coalesce(kind, 'operator') as kind, paused, until, note, seq
      from ${ledgerTable(dialect, schema, "pauses")}
      where ${heededSql(trial)}
    ) words
  ) latest
  where newest = 1 and paused = true and (until is null or until > ${timestampLiteral(asOf, dialect)})`;
}

/** What is said of a pause, or of its end. `trial`: it was said on a target that isn't live, and no live run heeds it. */
export interface PauseWord extends Pause {
  kind: PauseKind;
  paused: boolean;
  /** Ms since 1970 UTC; null: until somebody resumes. */
  until: number | null;
  note: string | null;
  trial: boolean;
}

/** Ends the pauses of both kinds. A breaker pauses again if its channel still fails. */
export function endPauses(warehouse: Warehouse, schema: string, pause: Pause, trial: boolean, now: number): Promise<void> {
  const end = { ...pause, paused: false, until: null, note: null, trial };
  return write(
    warehouse,
    schema,
    [
      { ...end, kind: "operator" },
      { ...end, kind: "breaker" },
    ],
    now,
  );
}

/** Says something of a pause; holds from the next batch on. */
export function setPause(warehouse: Warehouse, schema: string, word: PauseWord, now: number): Promise<void> {
  return write(warehouse, schema, [word], now);
}

/** Takes the next number of `pauses`, a counter in a row of `leases`: its update makes two that pause at once take turns. */
export function nextPause(dialect: Dialect, schema: string): Statement {
  return statement(
    ledgerQueries(dialect, schema)
      .updateTable("leases")
      .set({ fence: sql`fence + 1` })
      .where("name", "=", "pauses"),
  );
}

/** Needs no lease, so that a run under way can be paused. */
async function write(warehouse: Warehouse, schema: string, words: readonly PauseWord[], now: number): Promise<void> {
  const { dialect } = warehouse;
  await warehouse.script({ statements: words.flatMap((word) => [nextPause(dialect, schema), insertOf(word, dialect, schema, now)]) });
}

function insertOf({ scope, name, kind, paused, until, note, trial }: PauseWord, dialect: Dialect, schema: string, now: number): Statement {
  const binder = new Binder(dialect);
  const table = (of: string): string => ledgerTable(dialect, schema, of);
  const cells = [
    binder.bind(scope),
    binder.bind(name),
    binder.bind(kind),
    binder.bind(String(paused), "boolean"),
    binder.bind(until === null ? null : instant(until), "timestamp"),
    binder.bind(note),
    binder.bind(instant(now), "timestamp"),
    binder.bind(String(trial), "boolean"),
  ];
  return {
    sql: `insert into ${table("pauses")} (scope, name, kind, paused, until, note, recorded_at, trial, seq) select ${cells.join(", ")}, fence from ${table("leases")} where name = 'pauses'`,
    params: binder.params,
    ours: true,
  };
}
