/** Messages in doubt that nobody has settled yet: in sight until somebody does. */
import { instant } from "../../core/clock.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import type { Ledger } from "../ledger.js";
import { ofKindSql } from "../trial.js";

/** Doubts that one run left on one channel. */
export interface StandingDoubts {
  runId: string;
  channel: string;
  messages: number;
  /** Since when the oldest is in doubt, ISO 8601 UTC. */
  since: string;
}

/** The oldest first. `from`: no doubt is of an earlier run (ISO 8601 UTC); null: not known. */
export async function standingDoubts(ledger: Ledger, trial: boolean, from: string | null): Promise<StandingDoubts[]> {
  const since = from === null ? "1 = 1" : `decided_at >= ${timestampLiteral(instant(Date.parse(from)), ledger.dialect)}`;
  const rows = await ledger.query(ledger.file("standing_doubts.sql", { from: since, of_kind: ofKindSql(trial) }));
  return rows.map((row) => ({
    runId: String(row["run_id"]),
    channel: String(row["channel"]),
    messages: Number(row["messages"]),
    since: String(row["since_text"]),
  }));
}
