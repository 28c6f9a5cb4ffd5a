/**
 * The helpers that templates may call: this table is the whole list. A helper given null gives null, and printing null is an
 * error, so that `{{default (money price "EUR") "on request"}}` works and `{{money price "EUR"}}` never prints nothing.
 */
import { canonicalLocale } from "../../core/locales.js";
import { ExactNumber } from "./exact.js";
import {
  compareNumbers,
  DATE_STYLES,
  formatDate,
  formatMoney,
  formatNumber,
  isCurrency,
  isDay,
  numeric,
  pluralCategory,
  writesTime,
  type DateStyle,
} from "./format.js";
import { RenderFault, type Settings } from "../types.js";

export interface HelperSpec {
  /** As documented. */
  usage: string;
  /** What it gives. */
  gives: string;
  /** Fewest and most positional arguments. */
  arguments: readonly [number, number];
  /** Names of `name=value` arguments that it takes. */
  named?: readonly string[];
  /** Why it can only fail, whatever a row holds; `args` are those that the template itself says, undefined the others. */
  wrong?(args: readonly unknown[]): string | null;
  /** `arg` may be null; `hash` holds the named arguments. Throws RenderFault. */
  run(args: readonly unknown[], settings: Settings, hash: Readonly<Record<string, unknown>>): unknown;
}

/** As `{{#if}}` sees it: null, false, zero, "" and empty lists are no; every other value is yes (the text "0" too). */
export function truthy(value: unknown): boolean {
  if (value instanceof ExactNumber) return !value.isZero;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function numberOf(value: unknown, helper: string): number {
  return Number(exactOf(value, helper));
}

function exactOf(value: unknown, helper: string): NonNullable<ReturnType<typeof numeric>> {
  const found = numeric(value);
  if (found === null) throw new RenderFault(`${helper}: ${kindOfValue(value)} is not a number`);
  return found;
}

/** What kind of value it is; never the value, since faults are kept in the ledger and values may be personal. */
export function kindOfValue(value: unknown): string {
  if (value instanceof ExactNumber) return "the number";
  if (typeof value === "string") return value === "" ? "an empty text" : "the text";
  return Array.isArray(value) ? "the list" : typeof value === "object" && value !== null ? "the object" : `the ${typeof value}`;
}

function textOf(value: unknown, helper: string): string {
  if (typeof value === "object" && !(value instanceof Date) && !(value instanceof ExactNumber))
    throw new RenderFault(`${helper}: ${kindOfValue(value)} is not a text`);
  return value instanceof Date ? value.toISOString() : String(value);
}

/** What is wrong with the name of a locale, where it is said. */
function wrongLocale(locale: unknown): string | null {
  return typeof locale !== "string" || canonicalLocale(locale) !== null ? null : 'the third argument is not a locale such as "de-CH"';
}

const PLACES = "0 to 20 decimals are possible";
const isPlaces = (places: number): boolean => Number.isInteger(places) && places >= 0 && places <= 20;

const absent = (value: unknown): value is null | undefined => value === null || value === undefined;

function same(left: unknown, right: unknown): boolean {
  if (absent(left) || absent(right)) return absent(left) && absent(right);
  if (typeof left === "string" && typeof right === "string") return left === right;
  for (const value of [left, right])
    if (typeof value === "object" && !(value instanceof ExactNumber)) throw new RenderFault(`eq: ${kindOfValue(value)} is not one value`);
  const [a, b] = [numeric(left), numeric(right)];
  return a !== null && b !== null ? compareNumbers(a, b) === 0 : String(left) === String(right);
}

/** As `compareNumbers`; null where one is absent. */
function compare(args: readonly unknown[], helper: string): number | null {
  return absent(args[0]) || absent(args[1]) ? null : compareNumbers(exactOf(args[0], helper), exactOf(args[1], helper));
}

/** Called as a single-argument conversion that passes null on. */
const each = (run: (value: unknown, settings: Settings) => unknown) => (args: readonly unknown[], settings: Settings) =>
  absent(args[0]) ? null : run(args[0], settings);

/** The named argument by which the engine tells `money` which column its currency comes from. */
export const CURRENCY_OF = "__currency";

export const HELPERS: Readonly<Record<string, HelperSpec>> = {
  default: {
    usage: '{{default name "there"}}',
    gives: "the first value, or the second where the first is null or an empty text",
    arguments: [2, 2],
    run: ([value, fallback]) => (absent(value) || value === "" ? fallback : value),
  },
  money: {
    usage: "{{money total currency}}",
    gives: "an amount in a currency, in the user's locale or the third argument's",
    arguments: [2, 3],
    wrong: ([, currency, locale]) =>
      typeof currency === "string" && !isCurrency(currency)
        ? `there is no currency ${JSON.stringify(currency)}; write a code such as "EUR"`
        : wrongLocale(locale),
    run: ([value, currency, locale], settings, { [CURRENCY_OF]: column }) => {
      if (absent(value) || absent(currency)) return null;
      const amount = numeric(value);
      if (amount === null) throw new RenderFault(`money: ${kindOfValue(value)} is not a number`);
      const written = formatMoney(amount, String(currency), typeof locale === "string" ? localeOf("money", locale) : settings.locale);
      if (written === null)
        throw new RenderFault(`money: ${typeof column === "string" ? `"${column}"` : "the currency"} is not the code of a currency, such as "EUR"`);
      return written;
    },
  },
  number: {
    usage: "{{number distance 1}}",
    gives: "a number in the user's locale, with as many decimals as the second argument says",
    arguments: [1, 2],
    wrong: ([, digits]) => (typeof digits === "number" && !isPlaces(digits) ? PLACES : null),
    run: ([value, digits], settings) => {
      if (absent(value)) return null;
      const amount = numeric(value);
      if (amount === null) throw new RenderFault(`number: ${kindOfValue(value)} is not a number`);
      const places = absent(digits) ? null : numberOf(digits, "number");
      if (places !== null && !isPlaces(places)) throw new RenderFault(`number: ${PLACES}`);
      return formatNumber(amount, places, settings.locale);
    },
  },
  date: {
    usage: '{{date occurred_at "long"}}',
    gives: `a day, or a time in the user's zone, in their locale or the third argument's; styles: ${DATE_STYLES.join(", ")} (medium if none)`,
    arguments: [1, 3],
    wrong: ([, style, locale]) =>
      style !== undefined && !DATE_STYLES.includes(style as DateStyle) ? `unknown style; there are ${DATE_STYLES.join(", ")}` : wrongLocale(locale),
    run: ([value, style, locale], settings) => {
      if (absent(value)) return null;
      const wanted = absent(style) ? "medium" : style;
      if (!DATE_STYLES.includes(wanted as DateStyle)) throw new RenderFault(`date: unknown style; there are ${DATE_STYLES.join(", ")}`);
      const written = formatDate(value, wanted as DateStyle, typeof locale === "string" ? localeOf("date", locale) : settings.locale, settings.timezone);
      if (written === null && isDay(value) && writesTime(String(wanted))) throw new RenderFault("date: a day has no time; use short, medium, long or full");
      if (written === null) throw new RenderFault(`date: ${kindOfValue(value)} is not a date such as 2026-03-02 or 2026-03-02T12:00:00Z`);
      return written;
    },
  },
  plural: {
    usage: '{{plural count "item" "items"}}',
    gives: "the word for the count; few=, many=, two=, zero= for languages that have them",
    arguments: [3, 3],
    named: ["zero", "two", "few", "many"],
    run: ([count, one, other], settings, hash) => {
      if (absent(count)) return null;
      const category = pluralCategory(numberOf(count, "plural"), settings.locale);
      return category === "one" ? one : (hash[category] ?? other);
    },
  },
  eq: {
    usage: '{{#if (eq plan "growth")}}',
    gives: "whether both are the same; beside a number, a numeric text counts as one",
    arguments: [2, 2],
    run: ([left, right]) => same(left, right),
  },
  gt: {
    usage: "{{#if (gt total 100)}}",
    gives: "whether the first is the larger number; null is not",
    arguments: [2, 2],
    run: (args) => (compare(args, "gt") ?? 0) > 0,
  },
  lt: {
    usage: "{{#if (lt stock 5)}}",
    gives: "whether the first is the smaller number; null is not",
    arguments: [2, 2],
    run: (args) => (compare(args, "lt") ?? 0) < 0,
  },
  and: { usage: "{{#if (and name city)}}", gives: "whether all are yes, as {{#if}} sees it", arguments: [2, 9], run: (args) => args.every(truthy) },
  or: { usage: "{{#if (or phone email)}}", gives: "whether one is yes, as {{#if}} sees it", arguments: [2, 9], run: (args) => args.some(truthy) },
  not: { usage: "{{#if (not trial)}}", gives: "whether it is no, as {{#if}} sees it", arguments: [1, 1], run: ([value]) => !truthy(value) },
  upper: {
    usage: "{{upper code}}",
    gives: "the text in capitals",
    arguments: [1, 1],
    run: each((value, { locale }) => textOf(value, "upper").toLocaleUpperCase(locale)),
  },
  lower: {
    usage: "{{lower email}}",
    gives: "the text in small letters",
    arguments: [1, 1],
    run: each((value, { locale }) => textOf(value, "lower").toLocaleLowerCase(locale)),
  },
  join: {
    usage: '{{join tags ", "}}',
    gives: "the items of a list in one text, joined by the second argument (a comma if none)",
    arguments: [1, 2],
    run: ([list, separator]) => {
      if (absent(list)) return null;
      if (!Array.isArray(list)) throw new RenderFault(`join: ${kindOfValue(list)} is not a list`);
      return list
        .filter((item) => !absent(item))
        .map((item) => textOf(item, "join"))
        .join(absent(separator) ? ", " : textOf(separator, "join"));
    },
  },
  url: {
    usage: "https://shop.example/?q={{url query}}",
    gives: "the text encoded as a part of a URL",
    arguments: [1, 1],
    run: each((value) => {
      const written = textOf(value, "url");
      try {
        return encodeURIComponent(written);
      } catch {
        throw new RenderFault("url: the text holds half a Unicode character");
      }
    }),
  },
};

function localeOf(helper: string, locale: string): string {
  const known = canonicalLocale(locale);
  if (known === null) throw new RenderFault(`${helper}: ${wrongLocale(locale) ?? ""}`);
  return known;
}

/** Handlebars' own blocks that templates may use. */
export const BLOCKS: ReadonlySet<string> = new Set(["if", "unless", "each", "with"]);
