import { sql } from "kysely";
import { instant } from "../../core/clock.js";
import { literal } from "../../warehouse/dialect.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import type { Row } from "../../warehouse/types.js";
import { MOST_CLAIMS, type HeldLedger } from "../lease/held-ledger.js";
import { statement } from "../tables.js";
import { ofKind } from "../trial.js";

export interface Recovered {
  released: number;
  inDoubt: number;
  /** Of those in doubt, the ones of live runs. */
  liveInDoubt: number;
}

/**
 * Settles what an earlier run left: claims never handed over are released; those without an answer are in doubt, or, on
 * channels that resend, released as well. Under the lease every run without an end is over.
 */
export async function recover(ledger: HeldLedger, resendChannels: readonly string[]): Promise<Recovered> {
  const { tables, dialect } = ledger;
  const now = instant(ledger.now());
  const base = ledger.reserve(MOST_CLAIMS);
  const statements = ledger.file("recover.sql", {
    seq: String(base),
    recorded_at: timestampLiteral(now, dialect),
    resends: resendChannels.length === 0 ? "1 = 0" : `c.channel in (${resendChannels.map(literal).join(", ")})`,
  });
  const interrupted = tables.updateTable("runs").set({ status: "interrupted", finished_at: now }).where("status", "=", "running");
  const counted = tables
    .selectFrom("sent_ledger")
    .select(["event", sql<number>`count(*)`.as("n"), sql<number>`count(case when ${ofKind(false)} then 1 end)`.as("live")])
    .where("seq", ">", base)
    .groupBy("event");
  const counts = await ledger.commit({ statements: [statements, statement(interrupted), statement(counted)] });
  const count = (event: string, of: "n" | "live"): number => Number(counts.find((row: Row) => row["event"] === event)?.[of] ?? 0);
  return { released: count("released", "n"), inDoubt: count("in_doubt", "n"), liveInDoubt: count("in_doubt", "live") };
}
