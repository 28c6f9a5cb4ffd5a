/** The order of the reasons stands three times, each by hand: in the law, in the slow model, and in the code's rows. */
import { describe, expect, it } from "vitest";
import { outcomeConstants } from "../../src/arbitration/constants.js";
import { REASONS } from "../../src/arbitration/reasons.js";
import { IN_LINE } from "../model/line.js";
import { ALONE } from "../model/rules.js";
import { rulesOfDecisions } from "../support/docs.js";

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
