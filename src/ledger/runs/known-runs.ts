/** Runs as the ledger lists them. */
import { sql } from "kysely";
import { isoText, timestampLiteral } from "../../warehouse/sql.js";
import type { Ledger } from "../ledger.js";
import type { RunsTable } from "../tables.js";
import { heeded, ofKind } from "../trial.js";

/** Of the rows of `runs`: those of runs that were taken back, and those that say so. Neither is a run that decides. */
export const TAKEN_BACK = ["forgotten", "forget"] as const;

export interface KnownRun {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  status: RunsTable["status"];
  trial: boolean;
  fence: number;
}

/**
 * The latest first: one run by its id; the newest `most` that a run of a kind reads of, of these those as of one time (ISO 8601
 * UTC); or those of its kind after a run. Those taken back only by id.
 */
export async function knownRuns(
  ledger: Ledger,
  of: { runId: string } | { most: number; trial: boolean; asOf?: string } | { after: KnownRun },
): Promise<KnownRun[]> {
  let query = ledger.tables
    .selectFrom("runs")
    .select(["run_id", "status", "fence", sql<string>`${sql.raw(isoText("as_of", ledger.dialect))}`.as("as_of_text")])
    .select(sql<number>`case when coalesce(trial, false) then 1 else 0 end`.as("is_trial"))
    .orderBy("fence", "desc");
  query = "runId" in of ? query.where("run_id", "=", of.runId) : query.where("status", "not in", TAKEN_BACK);
  if ("most" in of) query = query.where(heeded(of.trial)).limit(of.most);
  if ("most" in of && of.asOf !== undefined) query = query.where(sql<boolean>`as_of = ${sql.raw(timestampLiteral(of.asOf, ledger.dialect))}`);
  if ("after" in of) query = query.where("fence", ">", of.after.fence).where(ofKind(of.after.trial));
  return (await ledger.query(query)).map((row) => ({
    runId: String(row["run_id"]),
    asOf: String(row["as_of_text"]),
    status: row["status"] as RunsTable["status"],
    trial: Number(row["is_trial"]) === 1,
    fence: Number(row["fence"]),
  }));
}
