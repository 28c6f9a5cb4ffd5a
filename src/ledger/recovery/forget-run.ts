/** Takes a run back: docs/decisions.md has the law, sql/forget.sql what becomes of its rows. */
import { sql } from "kysely";
import { instant } from "../../core/clock.js";
import { literal } from "../../warehouse/dialect.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import { recordOf } from "../facts.js";
import type { HeldLedger } from "../lease/held-ledger.js";
import { nextPause } from "../pauses.js";
import { TAKEN_BACK } from "../runs/known-runs.js";
import { NOTHING_YET, type RunKey } from "../runs/record.js";
import { statement } from "../tables.js";

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
 * Takes a run back in one script: all of it or nothing. `at`: the warehouse's clock, ms since 1970 UTC, from which what had left
 * counts; `version`: of Opportune.
 */
export async function forgetRun(ledger: HeldLedger, run: RunKey, at: number, version: string): Promise<Forgotten> {
  const { dialect, tables } = ledger;
  const base = ledger.reserve(0);
  const record = recordOf(run.runId);
  const now = instant(at);
  const words = { run_id: literal(run.runId), at: timestampLiteral(now, dialect) };
  const decisions = ledger.file("forget.sql", {
    ...words,
    record: literal(record),
    seq: String(base),
    as_of: timestampLiteral(run.asOf, dialect),
  });
  const pauses = ledger.file("forget_pauses.sql", { ...words, trial: String(run.trial) });
  const told = { run_id: record, as_of: now, started_at: now, finished_at: now, opportune_version: version, fence: ledger.fence, trial: run.trial };
  const audit = tables.insertInto("runs").values({ ...told, ...NOTHING_YET, status: "forget" });
  const forgotten = tables.updateTable("runs").set({ status: "forgotten" }).where("run_id", "=", run.runId).where("status", "not in", TAKEN_BACK);
  const counted = tables
    .selectFrom("sent_ledger")
    .select(["event", sql<number>`count(*)`.as("n")])
    .where("seq", ">", base)
    .groupBy("event");
  const rows = await ledger.commit({
    statements: [statement(audit), decisions, nextPause(ledger), pauses, { ...statement(forgotten), mustChange: 1 }, statement(counted)],
  });
  // As many as were written: several runs are taken back under one fence, which has numbers for a thousand million rows.
  ledger.reserve(rows.reduce((sum, row) => sum + Number(row["n"]), 0));
  const count = (event: string): number => Number(rows.find((row) => row["event"] === event)?.["n"] ?? 0);
  const left = count("claimed");
  return { released: count("released"), voided: count("voided") - left, left };
}
