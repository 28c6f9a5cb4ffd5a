import { nearestName } from "./suggest.js";

/** Seconds of each unit, largest first. A day is 24 hours: windows are lengths of time, not dates. */
const UNITS = [
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

const UNIT_NAMES = UNITS.map(([unit]) => unit);

/** Longer than a century is a typo, and would leave the range of some warehouse's timestamps. */
const LONGEST_SECONDS = 36_500 * 86_400;

/** From here on days read better: "48 hours" but "3 days". */
const DAYS_FROM_SECONDS = 49 * 3_600;

const ONE = `\\d{1,9} +(?:${UNIT_NAMES.join("|")})s?`;

/** What a duration looks like; the order of the units is checked by `parseDuration` alone. */
export const DURATION_PATTERN = new RegExp(`^${ONE}(?: +${ONE})*$`);

/**
 * Whole seconds of `30 seconds`, `10 minutes`, `24 hours`, `7 days`, `2 weeks` or, larger units first, `1 hour 30 minutes`;
 * undefined where the text is none of these or longer than a century.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!DURATION_PATTERN.test(trimmed)) return undefined;
  let total = 0;
  let smallest = Infinity;
  for (const [, count, unit] of trimmed.matchAll(/(\d+) +([a-z]+?)s?(?= |$)/g)) {
    const seconds = UNITS.find(([name]) => name === unit)?.[1];
    if (seconds === undefined || seconds >= smallest) return undefined;
    smallest = seconds;
    total += Number(count) * seconds;
  }
  return total <= LONGEST_SECONDS ? total : undefined;
}

/**
 * Whole seconds as people say them, exact and readable by `parseDuration`: `10 minutes`, `1 hour 30 minutes`, `48 hours`,
 * `3 days`. Throws RangeError for a negative or fractional number.
 */
export function formatDuration(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw new RangeError(`not whole seconds: ${String(seconds)}`);
  const units = UNITS.filter(([unit]) => unit !== "week" && (unit !== "day" || seconds >= DAYS_FROM_SECONDS));
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${String(count)} ${unit}${count === 1 ? "" : "s"}`);
  }
  return parts.length === 0 ? "0 seconds" : parts.join(" ");
}

/** The duration that was probably meant by `10m`, `10 minuts` or `24 Hours`; undefined where it can't be guessed. */
export function nearestDuration(text: string): string | undefined {
  const [, count, word] = /^\s*(\d{1,9})\s*([a-z]+)\s*$/i.exec(text) ?? [];
  if (count === undefined || word === undefined) return undefined;
  const short: Readonly<Record<string, string>> = { s: "second", m: "minute", h: "hour", hr: "hour", d: "day", w: "week" };
  const lower = word.toLowerCase();
  const singular = lower.replace(/s$/, "");
  const unit =
    short[lower] ?? short[singular] ?? UNIT_NAMES.find((name) => singular.length >= 3 && name.startsWith(singular)) ?? nearestName(singular, UNIT_NAMES);
  if (unit === undefined) return undefined;
  const suggestion = `${String(Number(count))} ${unit}${Number(count) === 1 ? "" : "s"}`;
  return suggestion === text || parseDuration(suggestion) === undefined ? undefined : suggestion;
}

/** Whole seconds of an option's value: as `parseDuration`, or `12h`, `400d`, `60w`. Not `10m`, which may mean minutes or months. */
export function parseOptionDuration(text: string): number | undefined {
  return parseDuration(text) ?? (/^\s*\d{1,9}[hdw]\s*$/.test(text) ? parseDuration(nearestDuration(text) ?? "") : undefined);
}
