/**
 * What `POST /v3/mail/send` accepts: SendGrid's published description, and the limits that it
 * states only in words.
 */
import { z } from "zod";
import { RESERVED_HEADERS } from "./headers.js";

/** One entry of SendGrid's error answer. */
export interface SendGridError {
  message: string;
  field: string | null;
  help: string | null;
}

const MAX_CUSTOM_ARGS_BYTES = 10_000;
const MAX_RECIPIENTS = 1000;

const address = z.strictObject({
  email: z.string().regex(/^[^\s@<>(),;:"[\]\\]{1,64}@[^\s@<>(),;:"[\]\\]{1,255}$/u, "Does not contain a valid address."),
  name: z.string().optional(),
});
const recipients = z.array(address).min(1, "At least one address is required.").max(MAX_RECIPIENTS);
const headers = z.record(z.string(), z.string()).superRefine((value, context) => {
  for (const name of Object.keys(value)) {
    if (RESERVED_HEADERS.has(name.toLowerCase()))
      context.addIssue({ code: "custom", path: [name], message: `The header ${name} is reserved and can't be set.` });
    else if (!/^[!-9;-~]+$/u.test(name)) context.addIssue({ code: "custom", path: [name], message: "This is not a header name." });
    else if (/\p{Cc}/u.test(value[name] ?? "")) context.addIssue({ code: "custom", path: [name], message: "A header must not hold control characters." });
  }
});
const customArgs = z
  .record(z.string(), z.string())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= MAX_CUSTOM_ARGS_BYTES, `custom_args must not exceed ${MAX_CUSTOM_ARGS_BYTES} bytes.`);
const subject = z
  .string()
  .min(1, "The subject must not be empty.")
  .regex(/^\P{Cc}*$/u, "The subject must not hold control characters.");
const sendAt = z.int();
const switched = z.looseObject({ enable: z.boolean().optional() });

const personalization = z.strictObject({
  to: recipients,
  from: address.optional(),
  cc: recipients.optional(),
  bcc: recipients.optional(),
  subject: subject.optional(),
  headers: headers.optional(),
  substitutions: z.record(z.string(), z.string()).optional(),
  dynamic_template_data: z.record(z.string(), z.unknown()).optional(),
  custom_args: customArgs.optional(),
  send_at: sendAt.optional(),
});

const content = z.strictObject({
  type: z.string().min(1),
  value: z.string().min(1, "Content must be at least one character long."),
});

const mail = z.strictObject({
  personalizations: z
    .array(personalization)
    .min(1, "At least one personalization is required.")
    .max(MAX_RECIPIENTS, `At most ${MAX_RECIPIENTS} personalizations are allowed.`),
  from: address,
  reply_to: address.optional(),
  reply_to_list: z.array(address).max(MAX_RECIPIENTS).optional(),
  subject: subject.optional(),
  content: z.array(content).min(1, "At least one content block is required.").optional(),
  attachments: z
    .array(
      z.strictObject({
        content: z.base64().min(1),
        filename: z.string().min(1),
        type: z.string().min(1).optional(),
        disposition: z.enum(["inline", "attachment"]).optional(),
        content_id: z.string().optional(),
      }),
    )
    .optional(),
  template_id: z.string().optional(),
  headers: headers.optional(),
  categories: z.array(z.string().max(255)).max(10).optional(),
  custom_args: customArgs.optional(),
  send_at: sendAt.optional(),
  batch_id: z.string().optional(),
  asm: z.strictObject({ group_id: z.int(), groups_to_display: z.array(z.int()).max(25).optional() }).optional(),
  ip_pool_name: z.string().min(2).max(64).optional(),
  mail_settings: z
    .strictObject({
      bypass_list_management: switched.optional(),
      bypass_spam_management: switched.optional(),
      bypass_bounce_management: switched.optional(),
      bypass_unsubscribe_management: switched.optional(),
      footer: switched.optional(),
      sandbox_mode: switched.optional(),
    })
    .optional(),
  tracking_settings: z
    .strictObject({
      click_tracking: switched.optional(),
      open_tracking: switched.optional(),
      subscription_tracking: switched.optional(),
      ganalytics: switched.optional(),
    })
    .optional(),
});

/** An accepted body. */
export type Mail = z.infer<typeof mail>;

const whole = mail.superRefine((value, context) => {
  const wrong = (message: string, ...path: (string | number)[]): void => context.addIssue({ code: "custom", path, message });
  if (value.template_id === undefined) {
    if (value.content === undefined) wrong("Without a template, content is required.", "content");
    if (value.subject === undefined && value.personalizations.some((one) => one.subject === undefined)) {
      wrong("Without a template, a subject is required here or in every personalization.", "subject");
    }
  }
  const order = (value.content ?? []).map(({ type }) => ["text/plain", "text/html"].indexOf(type)).map((at) => (at < 0 ? 2 : at));
  if (order.some((at, index) => index > 0 && at < (order[index - 1] ?? 0))) wrong("text/plain must come first, then text/html, then other types.", "content");
  if (new Set(value.categories).size !== (value.categories ?? []).length) wrong("Categories must be unique.", "categories");
  if (value.reply_to !== undefined && value.reply_to_list !== undefined) wrong("Use reply_to or reply_to_list, not both.", "reply_to");
  for (const [at, one] of value.personalizations.entries()) {
    if (one.to.length === 1 && one.cc === undefined && one.bcc === undefined) continue;
    const all = [...one.to, ...(one.cc ?? []), ...(one.bcc ?? [])].map(({ email }) => email.toLowerCase());
    if (new Set(all).size !== all.length) wrong("Each address must be unique within to, cc and bcc.", "personalizations", at);
  }
});

/**
 * The mail in a request's body, or what is wrong with it in SendGrid's form. `text` is the body as
 * received.
 */
export function readMail(text: string): { mail: Mail } | { errors: SendGridError[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { errors: [{ message: "Bad Request: the body is not JSON.", field: null, help: null }] };
  }
  const read = whole.safeParse(value);
  if (read.success) return { mail: read.data };
  return {
    errors: read.error.issues.map((issue) => {
      const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
      return {
        message: unknown.length > 0 ? `Unknown field ${unknown.join(", ")}.` : issue.message,
        field: [...issue.path.map(String), ...unknown.slice(0, 1)].join(".") || null,
        help: null,
      };
    }),
  };
}
