/** Takes a run back: docs/decisions.md has the law, sql/forget.sql what becomes of its rows. */
import { sql } from "kysely";
import { instant } from "../../core/clock.js";
import { literal } from "../../warehouse/dialect.js";
import { isoText, ledgerTable, renderSqlFile, timestampLiteral } from "../../warehouse/sql.js";
import type { Warehouse } from "../../warehouse/types.js";
import { recordOf } from "../facts.js";
import type { Ledger } from "../lease/held-ledger.js";
import { nextPause } from "../pauses.js";
import { NOTHING_YET, TAKEN_BACK } from "../runs/runs.js";
import { ledgerQueries, statement, type RunsTable } from "../tables.js";
import { heeded, ofKind } from "../trial.js";

/** A run as the ledger lists it. */
export interface KnownRun {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  status: RunsTable["status"];
  trial: boolean;
  fence: number;
}

/** What taking a run back did, in messages and decisions. */
export interface Forgotten {
  /** Claims that had not been handed over. */
  released: number;
  /** Decisions that are as if they had not been, those claims apart. */
  voided: number;
  /** Messages that had left, or may have: they count from now on. */
  left: number;
}

/**
 * The latest first: one run by its id; the newest `most` that a run of a kind reads of, of these those as of one time (ISO 8601
 * UTC); or those of its kind after a run. Those taken back only by id.
 */
export async function knownRuns(
  warehouse: Warehouse,
  schema: string,
  of: { runId: string } | { most: number; trial: boolean; asOf?: string } | { after: KnownRun },
): Promise<KnownRun[]> {
  let query = ledgerQueries(warehouse.dialect, schema)
    .selectFrom("runs")
    .select(["run_id", "status", "fence", sql<string>`${sql.raw(isoText("as_of", warehouse.dialect))}`.as("as_of_text")])
    .select(sql<number>`case when coalesce(trial, false) then 1 else 0 end`.as("is_trial"))
    .orderBy("fence", "desc");
  query = "runId" in of ? query.where("run_id", "=", of.runId) : query.where("status", "not in", TAKEN_BACK);
  if ("most" in of) query = query.where(heeded(of.trial)).limit(of.most);
  if ("most" in of && of.asOf !== undefined) query = query.where(sql<boolean>`as_of = ${sql.raw(timestampLiteral(of.asOf, warehouse.dialect))}`);
  if ("after" in of) query = query.where("fence", ">", of.after.fence).where(ofKind(of.after.trial));
  return (await warehouse.query(statement(query))).map((row) => ({
    runId: String(row["run_id"]),
    asOf: String(row["as_of_text"]),
    status: row["status"] as RunsTable["status"],
    trial: Number(row["is_trial"]) === 1,
    fence: Number(row["fence"]),
  }));
}

/**
 * Takes a run back in one script: all of it or nothing. `at`: the warehouse's clock, ms since 1970 UTC, from which what had left
 * counts; `version`: of Opportune.
 */
export async function forgetRun(ledger: Ledger, run: Pick<KnownRun, "runId" | "asOf" | "trial">, at: number, version: string): Promise<Forgotten> {
  const { warehouse, schema } = ledger;
  const { dialect } = warehouse;
  const queries = ledgerQueries(dialect, schema);
  const base = ledger.reserve(0);
  const record = recordOf(run.runId);
  const now = instant(at);
  const words = { run_id: literal(run.runId), at: timestampLiteral(now, dialect) };
  const decisions = renderSqlFile("forget.sql", dialect, schema, {
    ...words,
    record: literal(record),
    seq: String(base),
    as_of: timestampLiteral(run.asOf, dialect),
  });
  const pauses = renderSqlFile("forget_pauses.sql", dialect, schema, { ...words, trial: String(run.trial) });
  const told = { run_id: record, as_of: now, started_at: now, finished_at: now, opportune_version: version, fence: ledger.fence, trial: run.trial };
  const audit = queries.insertInto("runs").values({ ...told, ...NOTHING_YET, status: "forget" });
  const forgotten = queries.updateTable("runs").set({ status: "forgotten" }).where("run_id", "=", run.runId).where("status", "not in", TAKEN_BACK);
  const counted = {
    sql: `select event, count(*) as n from ${ledgerTable(dialect, schema, "sent_ledger")} where seq > ${String(base)} group by event`,
    params: [],
    ours: true,
  };
  const rows = await ledger.commit({
    statements: [statement(audit), decisions, nextPause(dialect, schema), pauses, { ...statement(forgotten), mustChange: 1 }, counted],
  });
  // As many as were written: several runs are taken back under one fence, which has numbers for a thousand million rows.
  ledger.reserve(rows.reduce((sum, row) => sum + Number(row["n"]), 0));
  const count = (event: string): number => Number(rows.find((row) => row["event"] === event)?.["n"] ?? 0);
  const left = count("claimed");
  return { released: count("released"), voided: count("voided") - left, left };
}
