/** The sandbox's mails as the page shows them. */
import { OpportuneError } from "../core/errors.js";
import type { PageEntry, PageMessage } from "./page.js";
import type { Mail } from "../delivery/providers/sendgrid/sandbox-schema.js";
import type { StoredEntry, StoredMessage } from "./sandbox-store.js";

/** What the list shows of a mail: of several personalizations, all recipients and the first subject. */
export function summaryOf(mail: Mail): { to: string[]; subject: string; segment: string } {
  return {
    to: mail.personalizations.flatMap((one) => [...one.to, ...(one.cc ?? []), ...(one.bcc ?? [])].map(({ email }) => email)),
    subject: mail.personalizations[0]?.subject ?? mail.subject ?? "",
    segment: (mail.categories ?? []).join(", "),
  };
}

export function pageEntry({ order, id, receivedAt, to, subject, segment }: StoredEntry): PageEntry {
  return { id, order, at: receivedAt, to: to.join(", "), subject, segment, step: "" };
}

export function pageMessage(stored: StoredMessage): PageMessage {
  const mail = stored.body as Mail;
  const content = (type: string): string | null => mail.content?.find((each) => each.type === type)?.value ?? null;
  const { to, subject, segment } = summaryOf(mail);
  return {
    ...pageEntry({ ...stored, to, subject, segment }),
    from: mailbox(mail.from),
    html: content("text/html"),
    text: content("text/plain"),
    headers: headersOf(mail),
    request: stored.headers,
    source: mail,
  };
}

/** Asks for the decision behind a mail; throws an OpportuneError where there is nobody or nothing to ask. */
export async function decisionOf(message: PageMessage, ask: ((messageId: string) => Promise<unknown>) | undefined): Promise<unknown> {
  const id = messageIdOf(message.source);
  if (ask !== undefined && id !== null) return ask(id);
  throw new OpportuneError(
    id === null
      ? {
          code: "sandbox/not-ours",
          message: "This email names no message of a ledger.",
          hint: "Opportune writes its message id into `custom_args`; another program sent this one.",
        }
      : {
          code: "sandbox/no-project",
          message: "This sandbox knows no project.",
          hint: "Start `opportune sandbox` in a project's folder or with --project-dir: it then reads the ledger of its target.",
        },
  );
}

/** The ledger's id of a message that Opportune sent. */
function messageIdOf(source: unknown): string | null {
  const mail = source as Mail;
  return mail.personalizations[0]?.custom_args?.["message_id"] ?? mail.custom_args?.["message_id"] ?? null;
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
