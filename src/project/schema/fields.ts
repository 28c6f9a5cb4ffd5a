/**
 * The kinds of values that opportune.yml and front matter share. The `error` of a schema is always the phrase after
 * "expected": what is allowed there.
 */
import * as z from "zod";
import { parseBytes, SIZE_PATTERN } from "../../core/bytes.js";
import { DURATION_PATTERN, nearestDuration, parseDuration } from "../../core/durations.js";
import { canonicalLocale } from "../../core/locales.js";
import { isLoopback } from "../../core/loopback.js";
import { nearestName } from "../../core/suggest.js";
import { isZone } from "../../core/zones.js";

const DURATION = "a duration such as 10 minutes, 24 hours or 7 days";
export const NAME = "a name of lower-case letters, digits and _, beginning with a letter";
const TIMEZONE = "an IANA time zone such as Europe/Berlin or UTC";
const LOCALE = "a locale such as en, de-CH or pt-BR";
const COLUMN = "a column's name of letters, digits and _";
const TEMPLATE = "a template's name: its path under templates/ without .hbs";
const PERCENT = "a percentage from 0 to 100, such as 10 or 10%";
const REPEAT = "never, each_occurrence or every and a duration, such as every 30 days";
const ADDRESS = "an address, such as ada@example.com or Ada <ada@example.com>";
const HOUR = 'a time of day from "00:00" to "23:59"';
const LINK = "a URL beginning with https:// (http:// for this machine only)";

/** Names stand in SQL as literals, so that nothing in them may need escaping. */
export const NAME_PATTERN = /^[a-z][a-z0-9_]*$/;

/** Has a mapping that is one of several forms name them all where it is no mapping; unknown keys keep their own phrase. */
export function insteadOfType(phrase: string): { error: (issue: { code: string }) => string | undefined } {
  return { error: (issue) => (issue.code === "invalid_type" ? phrase : undefined) };
}

/** Text that is not empty. */
export const text = z.string().min(1);
/** Identity of a segment, step, audience, channel, source, target, variant or topic. */
export const name = z.string({ error: NAME }).regex(NAME_PATTERN, { error: NAME });
/** The name of something that is written elsewhere in the project. */
export const nameOf = (what: string) => z.string({ error: `the name of ${what}` }).regex(NAME_PATTERN, { error: NAME });
/** An integer, `least` or more. */
export const whole = (least: number) => z.int({ error: `a whole number from ${String(least)}` }).min(least);
/** A column of the user's query; upper case for Snowflake's sake. */
export const column = z.string({ error: COLUMN }).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: COLUMN });
/** A template's name: `cart_email`, `carts/nudge`. */
export const TEMPLATE_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9_-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_-]*)*$/;
export const template = z.string({ error: TEMPLATE }).regex(TEMPLATE_PATTERN, { error: TEMPLATE });

const written = z.string({ error: DURATION }).regex(DURATION_PATTERN, { error: DURATION });
const seconds = (value: string): number => parseDuration(value) ?? Number.NaN;
/** Whole seconds, 0 allowed. */
export const delay = written.transform(seconds).refine((value) => !Number.isNaN(value), { error: DURATION });
/** Whole seconds, more than 0. */
export const duration = written.transform(seconds).refine((value) => value > 0, { error: `${DURATION}, longer than 0` });
/** As `duration`, with the words it was written in. */
export const writtenDuration = written
  .transform((value) => ({ seconds: seconds(value), words: value.replace(/\s+/g, " ") }))
  .refine((value) => value.seconds > 0, { error: `${DURATION}, longer than 0` });

const SIZE = "a size such as 500 MB or 10 GB";
/** Whole bytes, more than 0. */
export const size = z
  .string({ error: SIZE })
  .regex(SIZE_PATTERN, { error: SIZE })
  .transform((value) => parseBytes(value) ?? Number.NaN)
  .refine((value) => value > 0, { error: SIZE });

/** 0 to 100. */
export const percent = z.union([
  z.number({ error: PERCENT }).min(0, { error: PERCENT }).max(100, { error: PERCENT }),
  z
    .string({ error: PERCENT })
    .regex(/^(?:100|\d{1,2}(?:\.\d{1,6})?) ?%$/, { error: PERCENT })
    .transform((value) => Number.parseFloat(value)),
]);

/** An IANA zone that this Node knows. */
export const timezone = z.string({ error: TIMEZONE }).refine(isZone, { error: TIMEZONE });

/** A language that this Node can write in, by its name in BCP 47. */
export const locale = z
  .string({ error: LOCALE })
  .refine((value) => canonicalLocale(value) !== null, { error: LOCALE })
  .transform((value) => canonicalLocale(value) ?? value);

/** `HH:MM`, local. */
export const timeOfDay = z.string({ error: HOUR }).regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: HOUR });

/** `Name <address>` or an address, on one line. */
export const sender = z.string({ error: ADDRESS }).regex(/^(?:[^<>@\r\n]*<[^<>\s@]+@[^<>\s@]+>|[^<>\s@]+@[^<>\s@]+)$/, { error: ADDRESS });

/** https, or http to a loopback address: keys and tokens travel in these requests. */
export const url = z.string({ error: LINK }).refine(isSafeUrl, { error: LINK });

export const repeat = z
  .string({ error: REPEAT })
  .regex(new RegExp(`^(?:never|each_occurrence|every +${DURATION_PATTERN.source.slice(1, -1)})$`), { error: REPEAT })
  .transform((value) => {
    if (value === "never" || value === "each_occurrence") return { kind: value } as const;
    return { kind: "every", seconds: seconds(value.replace(/^every +/, "")) } as const;
  })
  .refine((value) => value.kind !== "every" || value.seconds > 0, { error: REPEAT });

/** Rewrites a value that is not allowed into the one probably meant; by the phrase of the field that refused it. */
export const NEAREST: ReadonlyMap<string, (value: string) => string | undefined> = new Map([
  [DURATION, nearestDuration],
  [`${DURATION}, longer than 0`, nearestDuration],
  [TIMEZONE, (value: string) => nearestName(value, ["UTC", ...Intl.supportedValuesOf("timeZone")])],
  [NAME, nearestAllowedName],
  [REPEAT, nearestRepeat],
]);

/** `Cart-Abandoned` as `cart_abandoned`; undefined where nothing allowed is left. */
export function nearestAllowedName(value: string): string | undefined {
  const tidy = value
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "");
  return NAME_PATTERN.test(tidy) ? tidy : undefined;
}

function nearestRepeat(value: string): string | undefined {
  const every = nearestDuration(value.replace(/^every\b/, ""));
  return every === undefined ? nearestName(value, ["never", "each_occurrence"]) : `every ${every}`;
}

function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}
