/** How numbers, money and times are written for a reader. Pure but for caches of the Intl formatters, which are slow to make. */
import { ExactNumber } from "./exact.js";

const CACHE_SIZE = 500;
/** Longer than any number a warehouse returns; the pattern takes quadratic time in the length. */
const MAX_DIGITS = 400;

/** Found or made; emptied when full, which is cheaper than choosing what to forget. */
function cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
  let found = cache.get(key);
  if (found === undefined) {
    found = make();
    if (cache.size >= CACHE_SIZE) cache.clear();
    cache.set(key, found);
  }
  return found;
}

const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();
const plurals = new Map<string, Intl.PluralRules>();
/** What was written last: a mail's HTML and text part write the same amounts and dates. */
const written = new Map<string, string>();

/** A number, or a text that is a decimal number, as Intl takes it: a text keeps all its digits. Null for anything else. */
export function numeric(value: unknown): number | bigint | `${number}` | null {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" && !(value instanceof ExactNumber)) return null;
  const trimmed = value.toString().trim();
  if (trimmed.length > MAX_DIGITS || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i.test(trimmed)) return null;
  // Above that it would be written as infinity.
  return Number.isFinite(Number(trimmed)) ? (trimmed as `${number}`) : null;
}

/** Below 0 where the first is less, above where it is more; 0 for one number however it is written: each digit counts. */
export function compareNumbers(left: number | bigint | `${number}`, right: number | bigint | `${number}`): number {
  const rough = Number(left) - Number(right);
  if (rough !== 0) return rough;
  const [[a, places], [b, otherPlaces]] = [digitsOf(String(left)), digitsOf(String(right))];
  const least = Math.min(places, otherPlaces);
  const difference = a * 10n ** BigInt(places - least) - b * 10n ** BigInt(otherPlaces - least);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/** Whole digits, and the power of ten that they are multiplied by. */
function digitsOf(written: string): [bigint, number] {
  const [, sign, whole = "", behind = "", power = "0"] = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(written.trim()) ?? [];
  const digits = BigInt(`${whole}${behind}` || "0");
  return [sign === "-" ? -digits : digits, Number(power) - behind.length];
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** Whether it is a currency's code that Intl knows, in either case. */
export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code.toUpperCase());
}

/** E.g. `money("49.9", "EUR", "de")` is `49,90 €`. Null when there is no such currency. */
export function formatMoney(value: number | bigint | `${number}`, currency: string, locale: string): string | null {
  if (!isCurrency(currency)) return null;
  const style = `${locale} ${currency.toUpperCase()}`;
  return cached(written, `${style} ${value}`, () => cached(numbers, style, () => new Intl.NumberFormat(locale, { style: "currency", currency })).format(value));
}

/** With `digits` decimals (0 to 20), or as many as the value has, up to 20. */
export function formatNumber(value: number | bigint | `${number}`, digits: number | null, locale: string): string {
  const options = digits === null ? { maximumFractionDigits: 20 } : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return cached(numbers, `${locale} #${digits ?? ""}`, () => new Intl.NumberFormat(locale, options)).format(value);
}

export const DATE_STYLES = ["short", "medium", "long", "full", "time", "datetime"] as const;
export type DateStyle = (typeof DATE_STYLES)[number];

/** A day of the calendar, which has neither a time nor a zone. */
export function isDay(value: unknown): boolean {
  return typeof value === "string" && DAY.test(value.trim());
}

/** Whether a style writes a time of day, which a day of the calendar doesn't have. */
export function writesTime(style: string): boolean {
  return style === "time" || style === "datetime";
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * An instant in the reader's zone. Text without a zone is UTC, as warehouses mean it; a date without a time is a day of the
 * calendar and stays that day everywhere. Null when the value is not a date, or a day in a style that writes a time.
 */
export function formatDate(value: unknown, style: DateStyle, locale: string, timezone: string): string | null {
  if (typeof value === "string")
    return cached(written, `${locale} ${timezone} ${style} ${value}`, () => writeDate(value.trim(), style, locale, timezone) ?? "") || null;
  return value instanceof Date && !Number.isNaN(value.getTime()) ? writeDate(value.toISOString(), style, locale, timezone) : null;
}

function writeDate(value: string, style: DateStyle, locale: string, timezone: string): string | null {
  const instant = parseInstant(value);
  if (instant === null || Number.isNaN(instant.getTime())) return null;
  if (isDay(value) && writesTime(style)) return null;
  const zone = isDay(value) ? "UTC" : timezone;
  return cached(dates, `${locale} ${zone} ${style}`, () => {
    if (style === "time") return new Intl.DateTimeFormat(locale, { timeZone: zone, timeStyle: "short" });
    if (style === "datetime") return new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: "medium", timeStyle: "short" });
    return new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: style });
  }).format(instant);
}

function parseInstant(value: string): Date | null {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/i.exec(value);
  if (match === null) return null;
  const [, day = "", time = "00:00:00", zone = "Z"] = match;
  // JavaScript takes February 30 for March 2.
  if (new Date(`${day}T00:00:00Z`).getUTCDate() !== Number(day.slice(8))) return null;
  const offset = /^(?:z|utc)$/i.test(zone) ? "Z" : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
  return new Date(`${day}T${time.replace(/(\.\d{3})\d+/, "$1")}${offset}`);
}

/** The plural category of a count in a language: `one`, `few`, `many`, `other`, … */
export function pluralCategory(count: number, locale: string): Intl.LDMLPluralRule {
  return cached(plurals, locale, () => new Intl.PluralRules(locale)).select(count);
}
