/** Which alerts have been given and are not over: kept in the ledger, so that no restart gives them again. */
import type { Ledger } from "./ledger.js";

/** What an alert is about → since when, ISO 8601 UTC. */
export type AlertState = Readonly<Record<string, string>>;

/** Trials have alerts of their own, which neither begin nor end those of live runs. */
function nameOf(trial: boolean): string {
  return trial ? "alerts_of_trials" : "alerts";
}

export async function readAlertState(ledger: Ledger, trial: boolean): Promise<AlertState> {
  const rows = await ledger.query(ledger.tables.selectFrom("alerts").select("content").where("name", "=", nameOf(trial)));
  return JSON.parse(String(rows[0]?.["content"] ?? "{}")) as AlertState;
}

/** The state's one row; of two processes that write it at once the later one's stays. */
export async function writeAlertState(ledger: Ledger, trial: boolean, state: AlertState): Promise<void> {
  await ledger.execute(
    ledger.tables
      .updateTable("alerts")
      .set({ content: JSON.stringify(state) })
      .where("name", "=", nameOf(trial)),
  );
}
