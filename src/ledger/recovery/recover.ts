import { sql } from "kysely";
import { instant } from "../../core/clock.js";
import { literal } from "../../warehouse/dialect.js";
import { renderSqlFile, timestampLiteral } from "../../warehouse/sql.js";
import type { Row } from "../../warehouse/types.js";
import { MOST_CLAIMS, type Ledger } from "../lease/held-ledger.js";
import { ledgerQueries, statement } from "../tables.js";
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
export async function recover(ledger: Ledger, resendChannels: readonly string[], now: number): Promise<Recovered> {
  const { warehouse, schema } = ledger;
  const queries = ledgerQueries(warehouse.dialect, schema);
  const base = ledger.reserve(MOST_CLAIMS);
  const statements = renderSqlFile("recover.sql", warehouse.dialect, schema, {
    seq: String(base),
    recorded_at: timestampLiteral(instant(now), warehouse.dialect),
    resends: resendChannels.length === 0 ? "1 = 0" : `c.channel in (${resendChannels.map(literal).join(", ")})`,
  });
  const interrupted = queries
    .updateTable("runs")
    .set({ status: "interrupted", finished_at: instant(now) })
    .where("status", "=", "running");
  const counted = queries
    .selectFrom("sent_ledger")
    .select(["event", sql<number>`count(*)`.as("n"), sql<number>`count(case when ${ofKind(false)} then 1 end)`.as("live")])
    .where("seq", ">", base)
    .groupBy("event");
  const counts = await ledger.commit({ statements: [statements, statement(interrupted), statement(counted)] });
  const count = (event: string, of: "n" | "live"): number => Number(counts.find((row: Row) => row["event"] === event)?.[of] ?? 0);
  return { released: count("released", "n"), inDoubt: count("in_doubt", "n"), liveInDoubt: count("in_doubt", "live") };
}
