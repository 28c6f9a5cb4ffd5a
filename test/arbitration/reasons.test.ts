/** The order of the reasons stands three times, each by hand: in the law, in the slow model, and in the code's rows. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { outcomeConstants } from "../../src/arbitration/rule-constants.js";
import { REASONS } from "../../src/arbitration/reasons.js";
import { IN_LINE } from "../model/line.js";
import { ALONE, CLOSING, NOT_FOR_TRANSACTIONAL } from "../model/rules.js";
import { rulesOfDecisions } from "../support/docs.js";

const ROOT = join(import.meta.dirname, "../..");
const RULES = REASONS.filter(({ place }) => place !== null);
const NAMES = RULES.map(({ name }) => name);

describe("the order of the rules", () => {
  it("is the law's", () => {
    expect(NAMES).toEqual(rulesOfDecisions().flat());
  });

  it("is the slow model's", () => {
    expect(NAMES).toEqual([...Object.keys(ALONE), ...IN_LINE]);
  });

  it("is the place of each, from 1, and what SQL is given", () => {
    expect(RULES.map(({ place }) => place)).toEqual(RULES.map((_, i) => i + 1));
    expect(outcomeConstants().rows.map(([reason, place]) => [reason, place])).toEqual(RULES.map(({ name, place }) => [name, place]));
  });
});

describe("what the slow model says of rules 1 to 16", () => {
  const alone = RULES.filter(({ name }) => name in ALONE);

  it("is whom they concern", () => {
    expect(alone.filter(({ marketingOnly }) => marketingOnly).map(({ name }) => name)).toEqual(Object.keys(NOT_FOR_TRANSACTIONAL));
  });

  it("is which of them leave a step open", () => {
    expect(alone.filter(({ supersedes }) => !supersedes).map(({ name }) => name)).toEqual(Object.keys(CLOSING));
  });
});

/** Where reasons stand beside each other: the law, what is made from the rows, and SQL that is put together from files by them. */
const LISTS = [/^docs\/(decisions|reasons)\.md$/, /^README\.md$/, /^sql\/(arbitrate\.sql|partials\/details\.sql)$/];
/** Lines within which names are a list, and how many names are one. */
const [LINES, MANY] = [8, 6];

it("no other file lists the reasons", () => {
  const files = ["src", "sql", "docs", "test", "bench"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  );
  const read = [...files, "README.md"].filter((file) => /\.(ts|js|sql|md)$/.test(file) && !LISTS.some((list) => list.test(file)));
  expect(read.length).toBeGreaterThan(400);
  const lists = read.filter((file) => {
    const named = readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .map((line) => [...line.matchAll(/['"`](\w+)['"`]/g)].map(([, name = ""]) => name).filter((name) => NAMES.includes(name)));
    return named.some((_, i) => new Set(named.slice(i, i + LINES).flat()).size >= MANY);
  });
  expect(lists).toEqual([]);
});

const keysIn = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, key = ""]) => key);

it("each has one row", () => {
  const names = REASONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

it("those asked in line stand after those asked of each candidate alone", () => {
  const line = RULES.map(({ inLine }) => inLine);
  expect(line.lastIndexOf(true) - line.indexOf(true) + 1).toBe(line.filter(Boolean).length);
  expect(NAMES.slice(line.lastIndexOf(true) + 1)).toEqual(["held_out", "claimed"]);
});

describe.each(REASONS)("$name", ({ event, detail, words, wordsOf, numbers, rule, until, means, remedy, guard }) => {
  it("tells nothing but its rule and its detail", () => {
    expect([words, ...Object.values(wordsOf)].flatMap(keysIn).filter((key) => rule === null || key !== "rule")).toEqual([]);
    expect(keysIn(numbers).filter((key) => !(key in detail))).toEqual([]);
  });

  it("has lengths where its detail counts seconds, and times where it has a moment", () => {
    for (const [key, kind] of Object.entries(detail)) expect([key, kind]).toEqual([key, /_seconds$/.test(key) ? "length" : /_at$/.test(key) ? "time" : kind]);
  });

  it("waits until something", () => {
    expect(until !== "").toBe(event === "waiting");
  });

  it("is told in sentences", () => {
    for (const text of [means, remedy, guard ?? ""]) expect(text).toMatch(/^$|^[A-Z`].*\.$/);
  });
});
