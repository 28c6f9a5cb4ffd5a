/** What opportune.yml may hold. How keys must fit together is in rules.ts, names of other files in references.ts. */
import * as z from "zod";
import { anyChannel, SECRET_KEYS } from "../../delivery/providers/registry.js";
import { column, duration, insteadOfType, locale, name, nameOf, percent, text, timeOfDay, timezone, url, whole, writtenDuration } from "./fields.js";
import { silences } from "./lint-rules.js";
import { targetSchema } from "../targets/targets.js";

const CAP_NAME = "a name of letters, digits, spaces and . _ -";

const cap = z.strictObject({
  max: whole(1).describe("Most marketing messages in the window."),
  per: writtenDuration.describe("The rolling window."),
  channel: nameOf("a channel").optional().describe("Only of this channel."),
  topic: name.optional().describe("Only of this topic."),
  name: z
    .string({ error: CAP_NAME })
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9])?$/, { error: CAP_NAME })
    .optional()
    .describe("As the ledger names it; defaults to e.g. `2 per 48 hours on sms`."),
});

const SURGE = "false, or a mapping with multiple and at_least";

const policy = z.strictObject({
  timezone: timezone.default("UTC").describe("For users without a known zone."),
  locale: locale.default("en").describe("For users without a known locale: how dates and amounts are written, and an email's language."),
  quiet_hours: z
    .strictObject({ from: timeOfDay.describe("Shut from here on."), to: timeOfDay.describe("Open again.") })
    .optional()
    .describe("Hours of the user's own day in which nothing is sent."),
  caps: z.array(cap).default([]).describe("Most messages in rolling windows."),
  spacing: duration.optional().describe("Least time between two marketing messages."),
  exclude: z.array(nameOf("an audience")).default([]).describe("Audiences that hear nothing."),
  require: z.array(nameOf("an audience")).default([]).describe("Audiences a user must be in to get marketing messages."),
  holdout: percent.default(0).describe("Percent of users kept silent to measure lift."),
  max_per_run: whole(1).optional().describe("Defaults to what the channels' rates can send in one interval."),
  surge: z
    .union(
      [
        z.literal(false),
        z.strictObject(
          {
            multiple: z.number().min(1).default(10).describe("So many times what is usual."),
            at_least: whole(1).default(1000).describe("As many candidates as this are never a surge; more are, until five runs of a segment are known."),
          },
          insteadOfType(SURGE),
        ),
      ],
      { error: SURGE },
    )
    .prefault({})
    .describe("A segment with far more new candidates than usual waits until `run --approve SEGMENT`; false: never."),
});

const SOURCE = "a table's name, or a mapping with table, loaded_at and stale_after";

const source = z.union([
  z.string({ error: SOURCE }).min(1, { error: SOURCE }),
  z.strictObject(
    {
      table: text.describe("As written into the SQL, e.g. shop.carts."),
      loaded_at: text.optional().describe("Column or expression: when the newest data arrived."),
      stale_after: duration.optional().describe("Older data than this makes the segments that read it wait."),
    },
    insteadOfType(SOURCE),
  ),
]);

const links = z.strictObject({
  unsubscribe_url: url.optional().describe("One-click unsubscribe endpoint; ?token= is added."),
  unsubscribe_secret: text.optional().describe("Signs unsubscribe tokens: ${UNSUBSCRIBE_SECRET}."),
  utm: z.record(name, text).default({}).describe('Added to every link of an email, e.g. campaign: "{{segment}}".'),
});

const VARIABLE = "text, a number, true or false, or a list of one of these";
const variable = z.union([z.string(), z.number(), z.boolean()], { error: VARIABLE });

export const projectSchema = z.strictObject({
  name: text.describe("Of the project."),
  target: name.optional().describe("The target used without --target."),
  targets: z
    .record(name, targetSchema)
    .refine((targets) => Object.keys(targets).length > 0, { error: "at least one target" })
    .describe("Where the warehouses are."),
  channels: z.record(name, anyChannel).default({}).describe("How messages travel."),
  policy: policy.prefault({}).describe("The rules for the whole project."),
  sources: z.record(name, source).default({}).describe('Tables, for {{source "x"}}.'),
  vars: z
    .record(column, z.union([variable, z.array(variable).min(1, { error: VARIABLE })], { error: VARIABLE }))
    .default({})
    .describe('Values, for {{var "x"}}; always bound, a list for `in {{var "x"}}`.'),
  interval: duration.prefault("5 minutes").describe("How often the job runs: the ticks of `opportune start`."),
  links: links.prefault({}).describe("Unsubscribing and link parameters."),
  lint: silences.default({}).describe("Rules of `opportune lint` that are silenced throughout, each with the reason."),
});

export type ProjectFile = z.output<typeof projectSchema>;

const SECRET_OF_CHANNEL = [...SECRET_KEYS].join("|");
const SECRET = new RegExp(
  String.raw`^(?:targets(?:\.[^.]+(?:\.(?:password|private_key(?!_path)|token|url|credentials(?!_file)|on_alert\.webhook).*)?)?|channels(?:\.[^.]+(?:\.(?:${SECRET_OF_CHANNEL}).*)?)?|links(?:\.unsubscribe_secret.*)?)$`,
);

/** Where a secret stands, or would by a slip of indentation: what is written there is never shown. */
export function holdsSecret(path: string): boolean {
  return SECRET.test(path);
}
