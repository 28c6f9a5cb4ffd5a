/** `POST /v3/mail/send` as the sandbox answers it: strictly, in SendGrid's words. */
import type { SandboxAnswer, SandboxEntry, SandboxMessage, SandboxProtocol, SandboxWait } from "../sandbox-protocol.js";
import { LARGEST_BODY_BYTES } from "./body.js";
import { readMail, type Mail, type SendGridError } from "./sandbox-schema.js";

export const protocol: SandboxProtocol = {
  path: "/v3/mail/send",
  largestBodyBytes: LARGEST_BODY_BYTES,
  idField: "custom_args",
  unauthorised(authorization, key) {
    const given = /^Bearer (SG\.\S+)$/u.exec(authorization ?? "")?.[1];
    if (given !== undefined && (key === undefined || given === key)) return null;
    return refused(401, "The provided authorization grant is invalid, expired, or revoked");
  },
  refusal: (status, wait, now) => ({ ...refused(status, REFUSALS[status] ?? otherRefusal(status)), headers: waitHeaders(wait, now) }),
  take(contentType, body) {
    if (body === null) return { refused: refused(413, "content too large") };
    if (!/^application\/json\s*(;|$)/iu.test(contentType)) return { refused: refused(415, "Content-Type should be application/json.") };
    const read = readMail(body.toString("utf8"));
    return "errors" in read ? { refused: answerOf(400, read.errors) } : { entry: entryOf(read.mail) };
  },
  accepted: (id) => ({ status: 202, headers: { "X-Message-Id": id }, body: null }),
  message: (body) => messageOf(body as Mail),
};

function answerOf(status: number, errors: readonly SendGridError[]): SandboxAnswer {
  return { status, headers: {}, body: { errors } };
}

function refused(status: number, message: string): SandboxAnswer {
  return answerOf(status, [{ message, field: null, help: null }]);
}

/** What SendGrid says with a status, in short. */
const REFUSALS: Readonly<Record<number, string>> = { 403: "access forbidden", 404: "not found", 413: "content too large", 429: "too many requests" };

function otherRefusal(status: number): string {
  return status >= 500 ? "internal server error" : "invalid request";
}

/** SendGrid gives the reset in whole epoch seconds: the first that is not too early. */
function waitHeaders({ resetInSeconds, retryAfterSeconds }: SandboxWait, now: number): Record<string, string> {
  return {
    ...(resetInSeconds === undefined
      ? {}
      : { "X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": String(Math.ceil(now / 1000 + resetInSeconds)) }),
    ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
  };
}

/**
 * Of several personalizations, all recipients and the first subject. The category is the segment's
 * id where Opportune sends.
 */
function entryOf(mail: Mail): SandboxEntry {
  return {
    to: mail.personalizations.flatMap((one) => [...one.to, ...(one.cc ?? []), ...(one.bcc ?? [])].map(({ email }) => email)),
    subject: mail.personalizations[0]?.subject ?? mail.subject ?? "",
    segment: (mail.categories ?? []).join(", "),
  };
}

function messageOf(mail: Mail): SandboxMessage {
  const content = (type: string): string | null => mail.content?.find((each) => each.type === type)?.value ?? null;
  return {
    ...entryOf(mail),
    from: mailbox(mail.from),
    html: content("text/html"),
    text: content("text/plain"),
    headers: headersOf(mail),
    messageId: mail.personalizations[0]?.custom_args?.["message_id"] ?? mail.custom_args?.["message_id"] ?? null,
  };
}

function headersOf(mail: Mail): [string, string][] {
  const [first] = mail.personalizations;
  const several = (name: string, list: readonly Address[] | undefined): [string, string][] =>
    (list ?? []).length === 0 ? [] : [[name, (list ?? []).map(mailbox).join(", ")]];
  const all = (pick: (one: Mail["personalizations"][number]) => readonly Address[] | undefined): Address[] =>
    mail.personalizations.flatMap((one) => pick(one) ?? []);
  return [
    ["From", mailbox(first?.from ?? mail.from)],
    ...several(
      "To",
      all(({ to }) => to),
    ),
    ...several(
      "Cc",
      all(({ cc }) => cc),
    ),
    ...several(
      "Bcc",
      all(({ bcc }) => bcc),
    ),
    ...several("Reply-To", mail.reply_to === undefined ? mail.reply_to_list : [mail.reply_to]),
    ["Subject", first?.subject ?? mail.subject ?? ""],
    ...Object.entries({ ...mail.headers, ...first?.headers }),
    ...Object.entries({ ...mail.custom_args, ...first?.custom_args }).map(([name, value]): [string, string] => [`custom_args ${name}`, value]),
  ];
}

type Address = Mail["from"];

function mailbox({ email, name }: Address): string {
  return name === undefined || name === "" ? email : `${name} <${email}>`;
}
