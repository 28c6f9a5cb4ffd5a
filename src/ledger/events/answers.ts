/** What providers answered in earlier runs: the breaker's count goes on from there. */
import { alike } from "../../core/alike.js";
import { instant } from "../../core/clock.js";
import { OUTBOX_ID } from "../../core/outbox-id.js";
import type { Earlier } from "../../delivery/types.js";
import { timestampLiteral } from "../../warehouse/sql.js";
import { RECORD } from "../facts.js";
import type { Ledger } from "../ledger.js";
import type { RunKey } from "../runs/record.js";
import { RECENTLY_MS } from "../runs/segment-runs.js";
import { heededSql } from "../trial.js";

/** Answers read of each channel: more than either count needs. */
const ENOUGH = 20;

/** A provider's answer to one message, or that there was none. */
export interface EarlierAnswer {
  channel: string;
  event: string;
  /** JSON, or null. */
  detail: string | null;
}

/** What the last answers of each channel say of its provider, of the seven days before the run. */
export async function earlierAnswers(ledger: Ledger, { asOf, trial }: Pick<RunKey, "asOf" | "trial">): Promise<Map<string, Earlier>> {
  const context = {
    since: timestampLiteral(instant(Date.parse(asOf) - RECENTLY_MS), ledger.dialect),
    heeded: heededSql(trial),
    record: RECORD,
    outbox: OUTBOX_ID,
    most: String(ENOUGH),
  };
  const rows = await ledger.query(ledger.file("earlier_answers.sql", context));
  return earlierOf(rows.map((row) => ({ channel: String(row["channel"]), event: String(row["event"]), detail: row["detail"] as string | null })));
}

/** `answers`: the newest of each channel first. */
export function earlierOf(answers: readonly EarlierAnswer[]): Map<string, Earlier> {
  const of = new Map<string, { failures: number; rejections: Map<string, number>; answered: boolean; accepted: boolean }>();
  for (const { channel, event, detail } of answers) {
    let found = of.get(channel);
    if (found === undefined) of.set(channel, (found = { failures: 0, rejections: new Map(), answered: false, accepted: false }));
    if (event === "accepted") found.accepted = true;
    if (event === "failed" && !found.accepted) {
      const kind = alike(becauseOf(detail) ?? "");
      found.rejections.set(kind, (found.rejections.get(kind) ?? 0) + 1);
    }
    if (event === "accepted" || event === "failed") found.answered = true;
    else if (!found.answered) found.failures += 1;
  }
  return new Map([...of].map(([channel, { failures, rejections }]) => [channel, { failures, rejections }]));
}

/** The words in a ledger row's detail; null where it has none. */
export function becauseOf(detail: string | null): string | null {
  if (detail === null) return null;
  const { because } = JSON.parse(detail) as { because?: unknown };
  return typeof because === "string" ? because : null;
}
