/** Messages in doubt that nobody has settled yet: in sight until somebody does. */
import { instant } from "../../core/clock.js";
import { renderSqlFile, timestampLiteral } from "../../warehouse/sql.js";
import type { Warehouse } from "../../warehouse/types.js";
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
export async function standingDoubts(warehouse: Warehouse, schema: string, trial: boolean, from: string | null): Promise<StandingDoubts[]> {
  const { dialect } = warehouse;
  const rows = await warehouse.query(
    renderSqlFile("standing_doubts.sql", dialect, schema, {
      from: from === null ? "1 = 1" : `decided_at >= ${timestampLiteral(instant(Date.parse(from)), dialect)}`,
      of_kind: ofKindSql(trial),
    }),
  );
  return rows.map((row) => ({
    runId: String(row["run_id"]),
    channel: String(row["channel"]),
    messages: Number(row["messages"]),
    since: String(row["since_text"]),
  }));
}
