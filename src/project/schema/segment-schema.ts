/** What the front matter of segments and audiences may hold. The rest of the checks are in rules.ts and references.ts. */
import * as z from "zod";
import { column, delay, duration, insteadOfType, name, nameOf, NAME, NAME_PATTERN, percent, repeat, size, template, text, whole } from "./fields.js";
import { silences } from "./lint-rules.js";

const GOAL = "an audience's name, or a mapping with audience and within";

const fields = {
  after: delay.describe("How long after the behaviour the message is due."),
  within: duration.describe("How long it stays due."),
  channel: nameOf("a channel").describe("One of the project's channels."),
  template: template.describe("Path under templates/ without .hbs."),
};

const variant = z.strictObject({
  weight: z.number().positive().default(1).describe("Share of the users, relative to the other variants."),
  after: fields.after.optional(),
  within: fields.within.optional(),
  channel: fields.channel.optional(),
  template: fields.template.optional(),
});

const step = z.strictObject({
  name: name.describe("Part of the message's identity: it is never sent twice, whatever else changes."),
  after: fields.after.prefault("0 seconds"),
  within: fields.within.prefault("24 hours"),
  channel: fields.channel,
  template: fields.template,
  variants: z
    .record(name, variant)
    .refine((variants) => Object.keys(variants).length >= 2, { error: "two or more variants" })
    .optional()
    .describe("Versions under test; what one doesn't name is the step's."),
  factor: name.optional().describe("What the variants are drawn by; steps of one factor share the variant. Defaults to the step's name."),
});

const columnRule = z.strictObject({
  required: z.boolean().default(false).describe("Whether it must not be null."),
  accepted_values: z
    .array(z.union([z.string(), z.number(), z.boolean()], { error: "text, a number, true or false" }))
    .min(1)
    .optional()
    .describe("What it may hold."),
});

export const segmentSchema = z.strictObject({
  id: name.optional().describe("Identity in the ledger, to keep when the file is renamed; defaults to the file's name."),
  description: text.optional().describe("What the behaviour is, for colleagues."),
  because: text.optional().describe('The footer\'s "why am I getting this"; Handlebars.'),
  status: z.enum(["draft", "live", "paused"]).default("draft").describe("Drafts are compiled and previewed, never sent."),
  signal: z.enum(["recency", "frequency", "intent", "inactivity"]).optional().describe("The kind of behaviour."),
  class: z.enum(["marketing", "transactional"]).default("marketing").describe("Transactional skips caps and quiet hours."),
  priority: z.int({ error: "a whole number" }).default(50).describe("Higher goes first."),
  topic: name.optional().describe("The message type that a user can opt out of."),
  key: column.optional().describe("Column that tells journeys of one user apart, e.g. cart_id."),
  repeat: repeat.prefault("never").describe("never, each_occurrence, or every 30 days."),
  goal: z
    .union([
      z.string({ error: GOAL }).regex(NAME_PATTERN, { error: NAME }),
      z.strictObject(
        {
          audience: nameOf("an audience").describe("Reaching it ends the journey."),
          within: duration.optional().describe("For reports to come, how long a conversion is attributed to the message; decides nothing yet."),
        },
        insteadOfType(GOAL),
      ),
    ])
    .optional()
    .describe("What the messages are for; reaching it ends them."),
  exclude: z.array(nameOf("an audience")).default([]).describe("Audiences that hear nothing."),
  require: z.array(nameOf("an audience")).default([]).describe("Audiences a user must be in."),
  holdout: percent.default(0).describe("Percent of users kept silent to measure lift."),
  max_per_run: whole(1).optional().describe("Most messages of this segment in one run."),
  first_run: z
    .enum(["baseline", "send"])
    .default("baseline")
    .describe("What happens to those who qualify already; counts only while the ledger has no run of the segment."),
  every: duration.optional().describe("Least time between two runs that ask it, by `start` or `run --due`; defaults to every run."),
  max_bytes_billed: size
    .optional()
    .describe("Most that its query may read on BigQuery or Snowflake, e.g. 10 GB; above it, or the target's, it fails before it runs."),
  steps: z.array(step).min(1).optional().describe("The messages."),
  columns: z.record(column, columnRule).default({}).describe("The contract of the query's columns."),
  keep_properties: z.array(column).default([]).describe("Columns whose values the ledger keeps."),
  lint: silences.default({}).describe("Rules of `opportune lint` that are silenced for this segment, each with the reason."),
  after: fields.after.optional(),
  within: fields.within.optional(),
  channel: fields.channel.optional(),
  template: fields.template.optional(),
});

/** The keys that stand for a single step called `message` where there is no `steps`. */
export const SHORT_FORM = ["after", "within", "channel", "template"] as const;

export const audienceSchema = z.strictObject({
  name: name.optional().describe("Defaults to the file's name."),
  description: text.optional().describe("Who is in it, for colleagues."),
  min_rows: whole(0).default(0).describe("Fewer rows than this counts as failed."),
});

export type SegmentFrontMatter = z.output<typeof segmentSchema>;
export type AudienceFrontMatter = z.output<typeof audienceSchema>;
