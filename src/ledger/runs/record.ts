/** The row of a run: written as it begins, and as it ends. */
import { sql } from "kysely";
import { instant } from "../../core/clock.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import type { Statement } from "../../warehouse/types.js";
import type { HeldLedger } from "../lease/held-ledger.js";
import type { Ledger } from "../ledger.js";
import { statement, type RunsTable } from "../tables.js";

/** A run, as its rows name it. */
export interface RunKey {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  trial: boolean;
}

export type RunEnd = Omit<RunsTable, "run_id" | "as_of" | "started_at" | "finished_at" | "fence" | "opportune_version" | "status" | "trial"> & {
  status: "success" | "error";
};

/** What a run that failed before it decided anything ends with. */
export const NOTHING_DONE: Omit<RunEnd, "status" | "error"> = {
  candidates: 0,
  claimed: 0,
  accepted: 0,
  failed: 0,
  in_doubt: 0,
  released: 0,
  held: 0,
  lag_p50_ms: null,
  lag_p95_ms: null,
  duration_ms: 0,
};

/** What the row of a run says of no run yet, or of none. */
export const NOTHING_YET = {
  candidates: null,
  claimed: null,
  accepted: null,
  failed: null,
  in_doubt: null,
  released: null,
  held: null,
  lag_p50_ms: null,
  lag_p95_ms: null,
  duration_ms: null,
  error: null,
};

/** How many runs have not ended: at most one is under way, all others were cut off. */
export async function unfinishedRuns(ledger: Ledger): Promise<number> {
  return (await ledger.query(ledger.tables.selectFrom("runs").select("run_id").where("status", "=", "running"))).length;
}

/** `work`: definitions of the run's work tables, made in the same request. */
export async function recordRunStart(ledger: HeldLedger, run: RunKey & { version: string }, work: readonly Statement[] = []): Promise<void> {
  const key = { run_id: run.runId, as_of: run.asOf, trial: run.trial, fence: ledger.fence, opportune_version: run.version };
  const values = { ...key, ...NOTHING_YET, started_at: instant(ledger.now()), finished_at: null, status: "running" as const };
  await ledger.commit({ work, statements: [statement(ledger.tables.insertInto("runs").values(values))] });
}

/**
 * Closes a run that failed before it could deliver, so that the next one has nothing to recover. If claims of it stand all the
 * same, it is left to that one.
 */
export async function recordFailure(ledger: HeldLedger, { runId, asOf }: Pick<RunKey, "runId" | "asOf">, error: string): Promise<void> {
  const claims = ledger.tables
    .selectFrom("sent_ledger")
    .select("seq")
    .where("run_id", "=", runId)
    .where(sql<boolean>`decided_at >= ${sql.raw(timestampLiteral(asOf, ledger.dialect))}`)
    .where("event", "=", "claimed");
  const close = ledger.tables
    .updateTable("runs")
    .set({ ...NOTHING_DONE, status: "error", error, finished_at: instant(ledger.now()) })
    .where("run_id", "=", runId)
    .where(({ not, exists }) => not(exists(claims)));
  await ledger.commit({ statements: [statement(close)] });
}

/** Closes the run, and gives the lease back. */
export async function recordRunEnd(ledger: HeldLedger, runId: string, end: RunEnd): Promise<void> {
  const update = ledger.tables
    .updateTable("runs")
    .set({ ...end, finished_at: instant(ledger.now()) })
    .where("run_id", "=", runId);
  await ledger.commitAndRelease([statement(update)]);
}
