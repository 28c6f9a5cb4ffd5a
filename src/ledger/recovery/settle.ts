import { instant } from "../../core/clock.js";
import { literal, type Dialect } from "../../warehouse/dialect.js";
import { Binder, textList, timestampLiteral } from "../../warehouse/sql.js";
import { becauseOf } from "../events/answers.js";
import { MOST_CLAIMS, type HeldLedger } from "../lease/held-ledger.js";
import type { Ledger } from "../ledger.js";
import { ofKindSql } from "../trial.js";

/** What is said of a message in doubt, or of one that failed, and what it does to the ledger's sums. */
const VERDICTS = {
  /** The provider took it. */
  sent: { of: "in_doubt", event: "accepted", reason: "settled", settles: 0, counts: 0 },
  /** It didn't: settled for this behaviour, and caps forget it. */
  not_sent: { of: "in_doubt", event: "failed", reason: "not_sent", settles: 0, counts: -1 },
  /** The user takes the risk of a second one. */
  resend: { of: "in_doubt", event: "released", reason: "resend", settles: -1, counts: -1 },
  /** Caps have forgotten the failed claim already. */
  retry: { of: "failed", event: "released", reason: "retry", settles: -1, counts: 0 },
} as const;

/** The events after which a claim is in doubt, or failed, no more. */
const ENDS = { in_doubt: ["accepted", "failed", "released", "voided"], failed: ["accepted", "released", "voided"] } as const;

export type Verdict = keyof typeof VERDICTS;

/** Which of the messages in doubt, or failed; null: whichever. */
export interface Choice {
  messageIds: readonly string[] | null;
  segment: string | null;
  channel: string | null;
  /** Why it is in doubt or failed. */
  reasons: readonly string[] | null;
  /** Since when at the earliest, ms since 1970 UTC. */
  since: number | null;
  /** Trials' messages, or those of live runs. */
  trial: boolean;
}

/** Every message of a kind. */
export const EVERY: Omit<Choice, "trial"> = { messageIds: null, segment: null, channel: null, reasons: null, since: null };

/** A message in doubt. Times are ISO 8601 UTC. */
export interface Doubt {
  messageId: string;
  userId: string;
  segment: string;
  step: string;
  /** '' without a key. */
  key: string;
  channel: string;
  /** Normalised. */
  address: string;
  runId: string;
  since: string;
  /** `no_answer`: none came in time; `interrupted`: the run was cut off before. */
  reason: string;
  /** What the run noted. */
  because: string | null;
}

/** A message that was settled or offered again. */
export interface Settled {
  messageId: string;
  /** End of its window, ms since 1970 UTC. */
  expiresAt: number;
}

/** The messages in doubt, the oldest first. */
export async function doubts(ledger: Ledger, choice: Choice): Promise<Doubt[]> {
  const binder = new Binder(ledger.dialect);
  const rows = await ledger.query(ledger.file("doubts.sql", openClaims("in_doubt", choice, ledger.dialect, binder), binder));
  return rows.map((row) => ({
    messageId: String(row["message_id"]),
    userId: String(row["user_id"]),
    segment: String(row["segment"]),
    step: String(row["step"]),
    key: String(row["item_key"]),
    channel: String(row["channel"]),
    address: String(row["address"]),
    runId: String(row["run_id"]),
    since: String(row["since"]),
    reason: String(row["why"]),
    because: becauseOf(row["told"] as string | null),
  }));
}

/**
 * Says of the chosen messages what a verdict says, in one statement that asks again whether each is still in doubt, or failed:
 * a second verdict changes nothing. Gives those it changed.
 */
export async function settle(ledger: HeldLedger, verdict: Verdict, choice: Choice): Promise<Settled[]> {
  const { dialect } = ledger;
  const { of, ...row } = VERDICTS[verdict];
  const base = ledger.reserve(MOST_CLAIMS);
  const binder = new Binder(dialect);
  const context = { ...openClaims(of, choice, dialect, binder), ...row, seq: String(base), recorded_at: timestampLiteral(instant(ledger.now()), dialect) };
  const statements = [ledger.file("settle.sql", context, binder), ledger.file("settled.sql", { base: String(base) })];
  const rows = await ledger.commit({ statements });
  return rows.map((each) => ({ messageId: String(each["message_id"]), expiresAt: Date.parse(String(each["expires_at"])) }));
}

function openClaims(state: "in_doubt" | "failed", choice: Choice, dialect: Dialect, binder: Binder): Record<string, string> {
  const among = (column: string, values: readonly string[] | null): string[] => {
    if (values === null) return [];
    return [values.length === 0 ? "1 = 0" : `${column} in ${textList(values, binder)}`];
  };
  const conditions = [
    ofKindSql(choice.trial, "e"),
    ...among("e.message_id", choice.messageIds),
    ...among("e.segment", choice.segment === null ? null : [choice.segment]),
    ...among("e.channel", choice.channel === null ? null : [choice.channel]),
    ...among("c.why", choice.reasons),
    ...(choice.since === null ? [] : [`c.since >= ${timestampLiteral(instant(choice.since), dialect)}`]),
  ];
  return { state, ends: ENDS[state].map(literal).join(", "), conditions: conditions.join(" and ") };
}
