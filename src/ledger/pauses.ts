import { sql } from "kysely";
import { instant } from "../core/clock.js";
import { Binder, isoText, ledgerTable, timestampLiteral } from "../warehouse/sql.js";
import type { Dialect } from "../warehouse/dialect.js";
import type { Row, Statement, Warehouse } from "../warehouse/types.js";
import { ledgerQueries, statement } from "./tables.js";
import { heeded } from "./trial.js";

export interface Pause {
  scope: "project" | "segment" | "channel";
  /** Segment id or channel name, '' for the project. */
  name: string;
}

/** A pause that holds, with what was said of it. */
export interface StandingPause extends Pause {
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
  const queries = ledgerQueries(dialect, schema);
  const latest = queries
    .selectFrom("pauses")
    .select(["scope", "name", "paused", "until", "note", sql<number>`row_number() over (partition by scope, name order by seq desc)`.as("newest")])
    .where(heeded(trial));
  return statement(
    queries
      .selectFrom(latest.as("p"))
      .select(["scope", "name", sql<string>`${sql.raw(isoText("until", dialect))}`.as("until"), "note"])
      // Nothing to bind: this is asked with every step of a delivery.
      .where(sql<boolean>`newest = 1 and paused = true`)
      .where(sql<boolean>`(until is null or until > ${sql.raw(timestampLiteral(instant(now), dialect))})`),
  );
}

/** Its answer. */
export function standingPauses(rows: readonly Row[]): StandingPause[] {
  return rows as unknown as StandingPause[];
}

/**
 * Pauses or resumes; holds from the next batch on. Needs no lease, so that a run under way can be paused: pauses have a
 * counter of their own, in a row of `leases` whose update makes two that pause at once take turns. `trial`: it was said on a
 * target that isn't live, and no live run heeds it.
 */
export async function setPause(
  warehouse: Warehouse,
  schema: string,
  pause: Pause & { paused: boolean; until?: number; note?: string; trial?: boolean },
  now: number,
): Promise<void> {
  const { scope, name, paused, until, note, trial = false } = pause;
  const queries = ledgerQueries(warehouse.dialect, schema);
  const counter = queries
    .updateTable("leases")
    .set({ fence: sql`fence + 1` })
    .where("name", "=", "pauses");
  const { dialect } = warehouse;
  const binder = new Binder(dialect);
  const table = (of: string): string => ledgerTable(dialect, schema, of);
  const cells = [
    binder.bind(scope),
    binder.bind(name),
    binder.bind(String(paused), "boolean"),
    binder.bind(until === undefined ? null : instant(until), "timestamp"),
    binder.bind(note ?? null),
    binder.bind(instant(now), "timestamp"),
    binder.bind(String(trial), "boolean"),
  ];
  const insert = {
    sql: `insert into ${table("pauses")} (scope, name, paused, until, note, recorded_at, trial, seq) select ${cells.join(", ")}, fence from ${table("leases")} where name = 'pauses'`,
    params: binder.params,
    ours: true,
  };
  await warehouse.script({ statements: [statement(counter), insert] });
}
