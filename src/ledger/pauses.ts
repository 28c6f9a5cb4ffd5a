/** What is paused, by whom and until when. Written without the lease, so that a run under way can be paused. */
import { sql } from "kysely";
import { instant } from "../core/clock.js";
import { Binder, timestampLiteral } from "../warehouse/sql.js";
import type { Row, Statement } from "../warehouse/types.js";
import type { Ledger } from "./ledger.js";
import { statement } from "./tables.js";
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

/** What is paused now, for live runs or for trials. */
export async function pauses(ledger: Ledger, trial: boolean): Promise<StandingPause[]> {
  return standingPauses(await ledger.query(pauseQuery(ledger, trial)));
}

/** The statement that asks it. Nothing to bind: it goes with every step of a delivery. */
export function pauseQuery(ledger: Ledger, trial: boolean): Statement {
  return ledger.file("partials/standing_pauses.sql", pausesAt(ledger, trial, instant(ledger.now())));
}

/** What the SQL of standing pauses must know. `at`: ISO 8601 UTC. */
export function pausesAt({ dialect }: Ledger, trial: boolean, at: string): { heeded: string; at: string } {
  return { heeded: heededSql(trial), at: timestampLiteral(at, dialect) };
}

/** Its answer. */
export function standingPauses(rows: readonly Row[]): StandingPause[] {
  return rows as unknown as StandingPause[];
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
export function endPauses(ledger: Ledger, pause: Pause, trial: boolean): Promise<void> {
  const end = { ...pause, paused: false, until: null, note: null, trial };
  return write(ledger, [
    { ...end, kind: "operator" },
    { ...end, kind: "breaker" },
  ]);
}

/** Says something of a pause; holds from the next batch on. */
export function setPause(ledger: Ledger, word: PauseWord): Promise<void> {
  return write(ledger, [word]);
}

/** Takes the next number of `pauses`, a counter in a row of `leases`: its update makes two that pause at once take turns. */
export function nextPause({ tables }: Ledger): Statement {
  return statement(
    tables
      .updateTable("leases")
      .set({ fence: sql`fence + 1` })
      .where("name", "=", "pauses"),
  );
}

async function write(ledger: Ledger, words: readonly PauseWord[]): Promise<void> {
  await ledger.warehouse.script({ statements: words.flatMap((word) => [nextPause(ledger), insertOf(word, ledger)]) });
}

function insertOf({ scope, name, kind, paused, until, note, trial }: PauseWord, ledger: Ledger): Statement {
  const binder = new Binder(ledger.dialect);
  const context = {
    scope: binder.bind(scope),
    name: binder.bind(name),
    kind: binder.bind(kind),
    paused: binder.bind(String(paused), "boolean"),
    until: binder.bind(until === null ? null : instant(until), "timestamp"),
    note: binder.bind(note),
    recorded_at: binder.bind(instant(ledger.now()), "timestamp"),
    trial: binder.bind(String(trial), "boolean"),
  };
  return ledger.file("pause.sql", context, binder);
}
