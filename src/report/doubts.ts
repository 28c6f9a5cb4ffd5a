/** What `opportune doubts`, `doubts settle` and `retry` print. */
import type { Doubt, Settled, Verdict } from "../ledger/recovery/settle.js";
import type { Paint } from "./paint.js";
import { counted, table } from "./tables.js";

export function doubtLines(doubts: readonly Doubt[], addresses: boolean, target: string, paint: Paint): string[] {
  if (doubts.length === 0) return ["No message is in doubt."];
  const rows = doubts.map((doubt) => [
    doubt.messageId,
    doubt.userId,
    ...(addresses ? [doubt.address] : []),
    `${doubt.segment} ${doubt.step}${doubt.key === "" ? "" : ` ${doubt.key}`}`,
    doubt.channel,
    doubt.since.replace("T", " ").replace("Z", ""),
    whyOf(doubt),
  ]);
  return [
    table(["message", "user", ...(addresses ? ["address"] : []), "segment and step", "channel", "since (UTC)", "why"], rows, paint),
    "",
    `${counted(doubts.length, "message")} in doubt. The provider's own records know these by message_id; then say so: \`opportune doubts settle${target} --all --sent\`, \`--not-sent\` or \`--resend\`; ids in place of \`--all\` settle some.`,
  ];
}

/** `doubts --output json`. */
export function doubtsDocument(doubts: readonly Doubt[], addresses: boolean): unknown {
  return {
    schema_version: 1,
    doubts: doubts.map((doubt) => ({
      message_id: doubt.messageId,
      user_id: doubt.userId,
      ...(addresses ? { address: doubt.address } : {}),
      segment: doubt.segment,
      step: doubt.step,
      key: doubt.key,
      channel: doubt.channel,
      run_id: doubt.runId,
      since: doubt.since,
      reason: doubt.reason,
      because: doubt.because,
    })),
  };
}

function whyOf({ reason, because }: Doubt): string {
  const words = reason === "interrupted" ? "the run was cut off" : "no answer came";
  return because === null ? words : `${words}: ${because}`;
}

/** `now`: ms since 1970 UTC. */
export function settledLines(verdict: Verdict, settled: readonly Settled[], now: number): string[] {
  const messages = counted(settled.length, "message");
  if (verdict === "sent") return [`${messages} settled as sent.`];
  if (verdict === "not_sent") return [`${messages} settled as not sent. Caps forget them; their users do not hear of this behaviour.`];
  const late = settled.filter(({ expiresAt }) => expiresAt <= now).length;
  return [
    `${messages} offered again. The next run decides afresh: a message goes if its segment still returns the user, its window is open and no rule stops it.`,
    ...(late === 0 ? [] : [`The window of ${counted(late, "message")} of these is over: they will not be sent.`]),
  ];
}

/** `doubts settle` and `retry` with `--output json`; `others` were named and nothing was to be done about them. */
export function settledDocument(verdict: Verdict, settled: readonly Settled[], others: readonly string[]): unknown {
  return { schema_version: 1, verdict, changed: settled.length, message_ids: settled.map(({ messageId }) => messageId), unchanged: others };
}
