/** Mutants of the package's SQL: each is the file with one small mistake in it, of the kinds that people make. */
import { closingOf, tokensOf, type Token } from "./tokens.js";

/** One mistake. `was` is the text at its place, `now` what stands there instead; `text` is the whole file. */
export interface Mutant {
  file: string;
  /** From 1; for people, as it moves with every edit. */
  line: number;
  /** The table it is in. */
  part: string;
  kind: string;
  was: string;
  now: string;
  text: string;
}

/** A place in the file: the offsets of its first character and of the one after its last. */
type Span = readonly [start: number, end: number];
type Change = (kind: string, span: Span, now: string) => void;

/** What begins a condition, and what ends one at the same depth. */
const CONDITION = new Set(["where", "on", "having", "when"]);
const AFTER_CONDITION = new Set([...CONDITION, "then", "group", "order", "join", "left", "union", "else", "end", "select", ",", ")", "{{/table}}"]);
/** Two columns that a join takes to be the same. */
const KEY = /^\w+\.\w+ = \w+\.\w+$/;
const SHIFTED: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+", min: "max", max: "min", sum: "max" };

/** Every mutant of a file of sql/; places in comments and in Handlebars expressions are left alone, but sums in the latter. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const tokens = tokensOf(text);
  const found = new Map<string, Mutant>();
  const change: Change = (kind, [start, end], now) => {
    const mutated = text.slice(0, start) + now + text.slice(end);
    const line = text.slice(0, start).split("\n").length;
    // What begins in a block of Handlebars and ends outside of it, or the other way round, is no place of one's own.
    if (mutated !== text && !found.has(mutated) && isWhole(text.slice(start, end)))
      found.set(mutated, { file, line, part: partOf(text, start), kind, was: flat(text.slice(start, end)), now: flat(now), text: mutated });
  };
  for (let at = 0; at < tokens.length; at += 1) {
    mutateConditions(text, tokens, at, change);
    mutateWords(tokens, at, change);
    mutateLists(text, tokens, at, change);
    mutateCases(text, tokens, at, change);
    mutateSums(tokens, at, change);
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}

function isWhole(text: string): boolean {
  return text.split("{{#").length === text.split("{{/").length;
}

function partOf(text: string, at: number): string {
  return [...text.slice(0, at).matchAll(/^\{\{#table "(\w+)"/gm)].at(-1)?.[1] ?? "the file";
}

function flat(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Each part of a condition is left out and negated, and each `and` and `or` becomes the other. */
function mutateConditions(text: string, tokens: readonly Token[], at: number, change: Change): void {
  const first = at + 1;
  const end = endOfCondition(tokens, at);
  if (end === null || end <= first) return;
  const joints = jointsIn(tokens, first, end);
  const bounds = [at, ...joints, end];
  bounds.slice(1).forEach((to, i) => {
    const from = (bounds[i] ?? at) + 1;
    const span = spanOf(tokens, from, to);
    const part = text.slice(...span);
    const around = [bounds[i], to].flatMap((index) => (index !== undefined && joints.includes(index) ? [tokens[index]?.text] : []));
    const alone = around.length === 0;
    change("left out", span, around.includes("and") || alone ? "true" : "false");
    if (alone && tokens[at]?.text === "when") change("never", span, "false");
    if (!KEY.test(part)) change("negated", span, `not (${part})`);
  });
  // Keys of a join are told apart by leaving each out.
  if (tokens[at]?.text !== "on")
    for (const joint of joints) change("joined otherwise", spanOf(tokens, joint, joint + 1), tokens[joint]?.text === "and" ? "or" : "and");
}

/** The index after a condition that begins behind this token; null: none does. */
function endOfCondition(tokens: readonly Token[], at: number): number | null {
  const token = tokens[at];
  if (token === undefined) return null;
  if (token.text === "(") {
    const close = closingOf(tokens, at);
    const isQuery = tokens.slice(at, close).some((inside) => inside.depth === token.depth && inside.text === "select");
    return !isQuery && jointsIn(tokens, at + 1, close).length > 0 ? close : null;
  }
  if (!CONDITION.has(token.text) || (token.text === "when" && tokens[token.opener]?.simple === true)) return null;
  let end = at + 1;
  while (
    end < tokens.length &&
    !(tokens[end]?.depth === token.depth && AFTER_CONDITION.has(tokens[end]?.text ?? "")) &&
    (tokens[end]?.depth ?? 0) >= token.depth
  )
    end += 1;
  return end;
}

/** The `and`s and `or`s of one depth, without those of `between`. */
function jointsIn(tokens: readonly Token[], first: number, end: number): number[] {
  const depth = tokens[first]?.depth;
  const joints: number[] = [];
  let between = false;
  for (let at = first; at < end; at += 1) {
    const token = tokens[at];
    if (token?.depth !== depth) continue;
    if (token?.text === "between") between = true;
    else if (token?.text === "and" && between) between = false;
    else if (token?.text === "and" || token?.text === "or") joints.push(at);
  }
  return joints;
}

/** Comparisons are shifted by one, sums and extremes turned, numbers made one more and one less, joins changed, `distinct` left out. */
function mutateWords(tokens: readonly Token[], at: number, change: Change): void {
  const token = tokens[at];
  if (token === undefined) return;
  const span = spanOf(tokens, at, at + 1);
  const shifted = SHIFTED[token.text];
  if (shifted !== undefined) change("shifted", span, shifted);
  const asked = tokens[at - 1]?.text === "select" && tokens[at + 1]?.text === "from";
  if (/^\d+$/.test(token.text) && !asked) for (const by of [1, -1]) change("counted wrongly", span, String(Number(token.text) + by));
  if (token.text === "distinct") change("left out", span, "");
  if (token.text === "left" && tokens[at + 1]?.text === "join") change("joined otherwise", spanOf(tokens, at, at + 2), "join");
  if (token.text === "join" && tokens[at - 1]?.text !== "left") change("joined otherwise", span, "left join");
}

/** Items of ORDER BY are left out and turned, those of PARTITION BY, IN and COALESCE left out, the last also swapped. */
function mutateLists(text: string, tokens: readonly Token[], at: number, change: Change): void {
  const word = tokens[at]?.text ?? "";
  const next = tokens[at + 1]?.text;
  if ((word === "order" || word === "partition") && next === "by") {
    const items = itemsFrom(tokens, at + 2);
    const whole = spanOf(tokens, at, items.at(-1)?.[1] ?? at);
    if (items.length === 1) change("left out", whole, "");
    items.forEach(([from, to], i) => {
      if (items.length > 1) change("left out", withComma(tokens, items, i), "");
      if (word === "partition") return;
      const descending = tokens[to - 1]?.text === "desc";
      change("turned", spanOf(tokens, from, to), text.slice(...spanOf(tokens, from, descending ? to - 1 : to)) + (descending ? "" : " desc"));
    });
  }
  if ((word === "in" || word === "coalesce") && next === "(" && tokens[at + 2]?.text !== "select") {
    const items = itemsFrom(tokens, at + 2);
    const asksNull = tokens[closingOf(tokens, at + 1) + 1]?.text === "is";
    items.forEach(([from, to], i) => {
      if (items.length > 1) change("left out", withComma(tokens, items, i), "");
      const follower = items[i + 1];
      // Whether all are null doesn't hang on their order.
      if (word === "in" || asksNull || follower === undefined) return;
      const [one, other] = [spanOf(tokens, from, to), spanOf(tokens, ...follower)];
      change("swapped", [one[0], other[1]], text.slice(...other) + text.slice(one[1], other[0]) + text.slice(...one));
    });
  }
  // A part of a union: from its select to the next `union all` or the end of the brackets.
  if (word === "union" && next === "all") {
    change("left out", [tokens[at]?.start ?? 0, endOfQuery(tokens, at + 2)], "");
    const before = tokens.findLastIndex((token, i) => i < at && token.depth === tokens[at]?.depth && token.text === "select");
    change("left out", [tokens[before]?.start ?? 0, tokens[at + 2]?.start ?? 0], "");
  }
}

/** Where the query that begins at this token ends: at its closing bracket, at the next UNION, or with the file. */
function endOfQuery(tokens: readonly Token[], first: number): number {
  const depth = tokens[first]?.depth ?? 0;
  const end = tokens.findIndex(
    (token, i) => i > first && (token.depth < depth || (token.depth === depth && [")", "union", "{{/table}}"].includes(token.text))),
  );
  const last = tokens[(end === -1 ? tokens.length : end) - 1];
  return last?.end ?? 0;
}

/** The items of a list at one depth: indexes of their first token, and of the one after their last. */
function itemsFrom(tokens: readonly Token[], first: number): [number, number][] {
  const depth = tokens[first]?.depth ?? 0;
  const items: [number, number][] = [];
  let from = first;
  for (let at = first; ; at += 1) {
    const token = tokens[at];
    const ends =
      token === undefined || token.depth < depth || (token.depth === depth && [")", "order", "rows", "limit", "from", "{{/table}}"].includes(token.text));
    if (ends || (token.depth === depth && token.text === ",")) {
      items.push([from, at]);
      from = at + 1;
    }
    if (ends) return items;
  }
}

function withComma(tokens: readonly Token[], items: readonly [number, number][], i: number): Span {
  const [from, to] = items[i] ?? [0, 0];
  return i === 0 ? [tokens[from]?.start ?? 0, tokens[items[1]?.[0] ?? 0]?.start ?? 0] : spanOf(tokens, from - 1, to);
}

/** Neighbouring branches of a CASE are swapped, only their results where no two can hold at once, and ELSE is left out. */
function mutateCases(text: string, tokens: readonly Token[], at: number, change: Change): void {
  if (tokens[at]?.text !== "case") return;
  const parts = tokens.flatMap((token, i) => (token.opener === at && ["when", "else", "end"].includes(token.text) ? [i] : []));
  const branch = (from: number, to: number): Span => {
    const then = tokens.findIndex((token, i) => i > from && token.opener === at && token.text === "then");
    return spanOf(tokens, tokens[at]?.simple === true ? then + 1 : from, to);
  };
  parts.slice(0, -1).forEach((from, i) => {
    const [to = from, after = from] = [parts[i + 1], parts[i + 2]];
    if (tokens[from]?.text === "else") change("left out", spanOf(tokens, from, to), "");
    if (tokens[from]?.text !== "when" || tokens[to]?.text !== "when") return;
    const [one, other] = [branch(from, to), branch(to, after)];
    change("swapped", [one[0], other[1]], text.slice(...other) + text.slice(one[1], other[0]) + text.slice(...one));
  });
}

/** `"a + b"` in a Handlebars expression is a alone, and b alone. */
function mutateSums(tokens: readonly Token[], at: number, change: Change): void {
  const token = tokens[at];
  if (token?.text.startsWith("{{") !== true) return;
  for (const found of token.text.matchAll(/"([\w.]+) \+ ([\w.]+)"/g)) {
    const start = token.start + found.index;
    for (const part of [found[1], found[2]]) change("left out", [start, start + found[0].length], `"${part ?? ""}"`);
  }
}

/** From the first token to the one before `to`, without the ends of Handlebars blocks on its borders: a block stays whole. */
function spanOf(tokens: readonly Token[], from: number, to: number): Span {
  const isBorder = (at: number): boolean => /^\{\{[#/]/.test(tokens[at]?.text ?? "");
  if (isBorder(from) && from < to - 1) return spanOf(tokens, from + 1, to);
  if (isBorder(to - 1) && from < to - 1) return spanOf(tokens, from, to - 1);
  return [tokens[from]?.start ?? 0, tokens[to - 1]?.end ?? 0];
}
