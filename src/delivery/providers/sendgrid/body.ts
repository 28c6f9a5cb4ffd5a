/**
 * One message as the body of `POST /v3/mail/send`, checked against the limits that SendGrid states,
 * so that a message which can't be accepted costs no request.
 */
import { isAddress } from "../../../core/address.js";
import { RESERVED_HEADERS } from "./headers.js";
import { parseMailbox, type Mailbox } from "../mailbox.js";
import type { OutgoingMessage } from "../../types.js";

/** SendGrid: "the total size of your email must be less than 30 MB". */
export const LARGEST_BODY_BYTES = 30 * 1024 * 1024;
/** SendGrid: custom_args "may not exceed 10,000 bytes". */
export const LARGEST_CUSTOM_ARGS_BYTES = 10_000;
/** SendGrid: "a category name cannot exceed 255 characters". */
export const LONGEST_CATEGORY = 255;
/** The body of one request: one message to one person. */
export interface SendGridBody {
  personalizations: [
    {
      to: [Mailbox];
      headers?: Readonly<Record<string, string>>;
      custom_args: { message_id: string; run_id: string };
    },
  ];
  from: Mailbox;
  reply_to?: Mailbox;
  subject: string;
  content: { type: "text/plain" | "text/html"; value: string }[];
  categories: [string];
}

/**
 * The body for a message, or why SendGrid would refuse it. custom_args carries the ids and
 * categories the segment: SendGrid does not treat either as personal data, so nothing that
 * identifies a person goes into them.
 */
export function toSendGrid(message: OutgoingMessage): SendGridBody | { refused: string } {
  if (!isAddress(message.address)) return { refused: "the recipient's address is not one email address" };
  const from = mailbox(message.from);
  if (from === null)
    return {
      refused: `from must be an address or \`Name <address>\`, not ${shown(message.from)}; set it in the template or the channel`,
    };
  const replyTo = message.replyTo === null ? undefined : mailbox(message.replyTo);
  if (replyTo === null) return { refused: `reply-to must be an address or \`Name <address>\`, not ${shown(message.replyTo)}` };
  const subject = message.subject ?? "";
  if (subject.trim() === "") return { refused: "the subject is empty" };
  if (CONTROL.test(subject)) return { refused: "the subject holds a control character" };
  if (message.name !== undefined && CONTROL.test(message.name)) return { refused: "the recipient's name holds a control character" };
  const content = contentOf(message);
  if (content.length === 0) return { refused: "the message has neither text nor HTML" };
  const wrongHeader = headerProblem(message.headers);
  if (wrongHeader !== null) return { refused: wrongHeader };
  if (message.segment.length > LONGEST_CATEGORY) return { refused: `the segment id, sent as category, is longer than ${LONGEST_CATEGORY} characters` };
  const customArgs = { message_id: message.messageId, run_id: message.runId };
  if (isTooLong(customArgs)) return { refused: `custom_args would exceed ${LARGEST_CUSTOM_ARGS_BYTES} bytes` };

  const to: Mailbox = message.name === undefined || message.name === "" ? { email: message.address } : { email: message.address, name: message.name };
  return {
    personalizations: [{ to: [to], ...(Object.keys(message.headers).length > 0 ? { headers: message.headers } : {}), custom_args: customArgs }],
    from,
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    subject,
    content,
    categories: [message.segment],
  };
}

const CONTROL = /\p{Cc}/u;

/** Senders are few and the same for thousands of messages. */
const parsed = new Map<string, Mailbox | null>();

function mailbox(text: string | null): Mailbox | null {
  if (text === null) return null;
  let found = parsed.get(text);
  if (found === undefined) {
    if (parsed.size > 1000) parsed.clear();
    found = CONTROL.test(text) ? null : parseMailbox(text);
    parsed.set(text, found);
  }
  return found;
}

/** SendGrid wants text/plain first, then text/html, and no empty value. */
function contentOf(message: OutgoingMessage): SendGridBody["content"] {
  const content: SendGridBody["content"] = [];
  if (message.text !== null && message.text !== "") content.push({ type: "text/plain", value: message.text });
  if (message.html !== null && message.html !== "") content.push({ type: "text/html", value: message.html });
  return content;
}

function headerProblem(headers: Readonly<Record<string, string>>): string | null {
  for (const name in headers) {
    if (!/^[!-9;-~]+$/u.test(name)) return `${shown(name)} is not a header name`;
    if (RESERVED_HEADERS.has(name.toLowerCase())) return `the header ${name} is reserved by SendGrid`;
    if (CONTROL.test(headers[name] ?? "")) return `the header ${name} holds a control character`;
  }
  return null;
}

function isTooLong(customArgs: { message_id: string; run_id: string }): boolean {
  // JSON takes at most 6 bytes for a UTF-16 unit; only what might be too long is worth measuring.
  if ((customArgs.message_id.length + customArgs.run_id.length) * 6 + 64 < LARGEST_CUSTOM_ARGS_BYTES) return false;
  return Buffer.byteLength(JSON.stringify(customArgs)) > LARGEST_CUSTOM_ARGS_BYTES;
}

function shown(value: string | null): string {
  return value === null ? "nothing" : JSON.stringify(value);
}
