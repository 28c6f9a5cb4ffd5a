import { parseFragment } from "parse5";
import type { Claim } from "../run/claims.js";
import type { OutgoingMessage, SendOutcome } from "../delivery/types.js";
import type { Paint } from "./paint.js";
import { visible } from "./tables.js";

/** What became of `--send-to`: through which lane, and what was answered. */
export type Sent = { lane: string; outcome: SendOutcome } | null;

/** The hidden first line that a mail program shows after the subject, where rendering puts it. */
const PREHEADER = /<div data-preheader\b[^>]*>[\s\S]*?<\/div>/;

/** A rendered message for the terminal. */
export function previewLines(claim: Claim, message: OutgoingMessage, files: readonly string[], sent: Sent, paint: Paint): string[] {
  const field = (name: string, value: string | null): string[] => (value === null || value === "" ? [] : [`${paint.bold(name.padEnd(11))}${visible(value)}`]);
  return [
    ...field("segment", `${claim.segment}, step ${claim.step}${claim.variant === "" ? "" : `, variant ${claim.variant}`}, template ${claim.template}`),
    ...field("user", `${claim.userId}${claim.key === "" ? "" : `, key ${claim.key}`}, behaviour of ${claim.occurredAt}`),
    ...field("to", message.address),
    ...field("from", message.from),
    ...field("reply to", message.replyTo),
    ...field("subject", message.subject),
    ...field("preheader", preheaderOf(message)),
    ...files.flatMap((file) => field("file", file)),
    "",
    ...(message.text ?? "").split("\n").map(visible),
    ...(sent === null ? [] : ["", sentLine(message.address, sent)]),
  ];
}

/** `preview --output json`. */
export function previewDocument(claim: Claim, message: OutgoingMessage, files: readonly string[], sent: Sent): unknown {
  const { segment, step, variant, channel, address, from, replyTo, subject, html, text, headers } = message;
  return {
    schema_version: 1,
    segment,
    step,
    variant,
    channel,
    template: claim.template,
    user_id: claim.userId,
    key: claim.key,
    to: address,
    from,
    reply_to: replyTo,
    subject,
    preheader: preheaderOf(message),
    html,
    text,
    headers,
    files,
    sent: sent === null ? null : { through: sent.lane, provider_id: sent.outcome.kind === "accepted" ? sent.outcome.providerId : null },
  };
}

function sentLine(address: string, { lane }: NonNullable<Sent>): string {
  if (lane !== "outbox") return `Sent to ${visible(address)} through channel ${lane}.`;
  return `Written to the outbox, not sent to ${visible(address)}: the target is not live and the address not on its \`allow\` list, or the channel's provider is outbox.`;
}

function preheaderOf({ html }: OutgoingMessage): string | null {
  const [element] = parseFragment(PREHEADER.exec(html ?? "")?.[0] ?? "").childNodes;
  const text = element !== undefined && "childNodes" in element ? element.childNodes.map((node) => ("value" in node ? node.value : "")).join("") : "";
  // Without the invisible characters that keep the body's first words away.
  const shown = text.replaceAll(/[\p{Cf}\u034f\u00a0\u2007]/gu, " ").trim();
  return shown === "" ? null : shown;
}
