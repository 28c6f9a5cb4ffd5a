import { sql } from "kysely";
import { instant } from "../core/clock.js";
import { literal } from "../warehouse/dialect.js";
import { renderSqlFile, timestampLiteral } from "../warehouse/sql.js";
import type { Row } from "../warehouse/types.js";
import { MOST_CLAIMS, type Ledger } from "./ledger.js";
import { ledgerQueries, statement } from "./tables.js";

export interface Recovered {
  released: number;
  inDoubt: number;
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
    .select(["event", sql<number>`count(*)`.as("n")])
    .where("seq", ">", base)
    .groupBy("event");
  const counts = await ledger.commit({ statements: [statements, statement(interrupted), statement(counted)] });
  const count = (event: string): number => Number(counts.find((row: Row) => row["event"] === event)?.["n"] ?? 0);
  return { released: count("released"), inDoubt: count("in_doubt") };
}
