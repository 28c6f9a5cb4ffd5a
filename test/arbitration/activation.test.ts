import { describe, expect, it } from "vitest";
import { activate, type Activation, type PreviousActivation } from "../../src/arbitration/activation.js";
import type { Segment, Step } from "../../src/project/types.js";

const step = (name: string, afterSeconds: number, more: Partial<Step> = {}): Step => ({
  name,
  factor: name,
  afterSeconds,
  withinSeconds: 86_400,
  channel: "email",
  template: "t",
  variants: [],
  ...more,
});

const SEGMENT: Segment = {
  id: "cart",
  file: "segments/cart.sql",
  sql: "select 1\n",
  buildsOn: [],
  sqlLine: 6,
  version: "v1",
  description: null,
  because: null,
  status: "live",
  signal: null,
  class: "marketing",
  priority: 0,
  topic: null,
  key: null,
  repeat: { kind: "never" },
  goal: null,
  exclude: [],
  require: [],
  holdout: 0,
  maxPerRun: null,
  firstRun: "baseline",
  everySeconds: null,
  maxBytes: null,
  steps: [step("one", 0), step("two", 3600)],
  contract: [],
  keepProperties: [],
  lint: new Map(),
  places: new Map(),
};

const AT = "2026-03-02T12:00:00Z";
const LATER = "2026-03-05T12:00:00Z";
const NOW = "2026-03-06T12:00:00Z";

/** What the ledger remembers of an activation, the run's own time with it. */
const stored = (activation: Activation, asOf: string): PreviousActivation => ({ ...activation, asOf });
const since = (activation: Activation): Record<string, string | null> =>
  Object.fromEntries(activation.steps.map((one) => [`${one.step}${one.variant === "" ? "" : `/${one.variant}`}`, one.activeSince]));
/** Begun at AT, last successful run at LATER. */
const before = stored(activate(SEGMENT, undefined, AT), LATER);

describe("a new segment", () => {
  it("begins with its first successful run", () => {
    expect(activate(SEGMENT, undefined, AT)).toMatchObject({
      activatedAt: AT,
      steps: [
        { step: "one", activeSince: AT, afterSeconds: 0, withinSeconds: 86_400 },
        { step: "two", activeSince: AT, afterSeconds: 3600 },
      ],
    });
  });

  it("has no baseline with first_run: send, and stays so while it is not edited", () => {
    const first = activate({ ...SEGMENT, firstRun: "send" }, undefined, AT);
    expect(first).toMatchObject({ activatedAt: null, steps: [{ activeSince: null }, { activeSince: null }] });
    expect(activate({ ...SEGMENT, firstRun: "send" }, stored(first, LATER), NOW)).toEqual(first);
  });
});

describe("an unchanged segment", () => {
  it.each<[string, Partial<Segment>]>([
    ["as it was", {}],
    ["white space around its query", { sql: "\n  select 1  \n\n" }],
    ["a comment, capitals, line ends and a semicolon in its query", { sql: "-- now\nSELECT {{!-- one --}}\n  1 /* row */;\n" }],
    [
      "another description, priority, topic and goal",
      { description: "d", priority: 9, topic: "t", goal: { audience: "ordered", withinSeconds: null }, because: "b" },
    ],
    ["paused", { status: "paused" }],
    ["another holdout, exclusion and limit", { holdout: 10, exclude: ["x"], maxPerRun: 5 }],
    ["first_run: send put in afterwards", { firstRun: "send" }],
    ["another template and channel", { steps: SEGMENT.steps.map((one) => ({ ...one, template: "u", channel: "sms" })) }],
    ["its file's version", { version: "v2" }],
  ])("keeps its date: %s", (_, change) => {
    const { asOf: _asOf, ...kept } = before;
    expect(activate({ ...SEGMENT, ...change }, before, NOW)).toEqual(kept);
  });
});

describe("an edited segment", () => {
  it.each<[string, Partial<Segment>]>([
    ["query", { sql: "select 2" }],
    ["a query that differs in the spaces of a word alone", { sql: "select1" }],
    ["key", { key: "cart_id" }],
    ["repeat", { repeat: { kind: "each_occurrence" } }],
    ["interval of repeat", { repeat: { kind: "every", seconds: 60 } }],
    ["a step's name", { steps: [step("uno", 0), step("two", 3600)] }],
    ["a step's after", { steps: [step("one", 60), step("two", 3600)] }],
    ["a step's within", { steps: [step("one", 0, { withinSeconds: 60 }), step("two", 3600)] }],
    ["a step more", { steps: [...SEGMENT.steps, step("three", 7200)] }],
    ["a step less", { steps: [step("one", 0)] }],
    [
      "variants",
      {
        steps: [
          step("one", 0, {
            variants: [
              { ...step("a", 0), weight: 1 },
              { ...step("b", 0), weight: 1 },
            ],
          }),
          step("two", 3600),
        ],
      },
    ],
  ])("begins anew at the last successful run before the edit: %s", (_, change) => {
    const edited = activate({ ...SEGMENT, ...change }, before, NOW);
    expect(edited.activatedAt).toBe(LATER);
    expect(edited.shape).not.toBe(before.shape);
  });

  it("keeps the dates of steps whose offset stays, and gives new and moved ones the last run's", () => {
    expect(since(activate({ ...SEGMENT, steps: [step("one", 60), step("two", 3600), step("three", 7200)] }, before, NOW))).toEqual({
      one: LATER,
      two: AT,
      three: LATER,
    });
    expect(since(activate({ ...SEGMENT, sql: "select 2" }, before, NOW))).toEqual({ one: AT, two: AT });
    expect(since(activate({ ...SEGMENT, steps: [step("one", 0, { withinSeconds: 60 }), step("two", 3600)] }, before, NOW))).toEqual({ one: AT, two: AT });
  });

  it("dates each variant by itself", () => {
    const variants = (afters: Record<string, number>): Step["variants"] => Object.entries(afters).map(([name, after]) => ({ ...step(name, after), weight: 1 }));
    const tested = stored(activate({ ...SEGMENT, steps: [step("one", 0, { variants: variants({ a: 0, b: 600 }) })] }, before, NOW), NOW);
    expect(since(tested)).toEqual({ "one/a": LATER, "one/b": LATER });
    const moved = activate({ ...SEGMENT, steps: [step("one", 0, { variants: variants({ a: 0, b: 900, c: 0 }) })] }, tested, "2026-03-07T12:00:00Z");
    expect(since(moved)).toEqual({ "one/a": LATER, "one/b": NOW, "one/c": NOW });
  });

  it("gives a step of another factor the last run's date; recorded without one, it was the step's name", () => {
    const variants = ["a", "b"].map((name) => ({ ...step(name, 0), weight: 1 }));
    const of = (factor: string): Segment => ({ ...SEGMENT, steps: [step("one", 0, { factor, variants })] });
    const tested = stored(activate(of("one"), before, NOW), NOW);
    const old = { ...tested, steps: tested.steps.map(({ factor: _, ...each }) => each) };
    for (const previous of [tested, old]) {
      expect(since(activate(of("one"), previous, "2026-03-07T12:00:00Z"))).toEqual({ "one/a": LATER, "one/b": LATER });
      expect(since(activate(of("tone"), previous, "2026-03-07T12:00:00Z"))).toEqual({ "one/a": NOW, "one/b": NOW });
    }
  });

  it("whose first run sent to all has a baseline from then on", () => {
    const sent = stored(activate({ ...SEGMENT, firstRun: "send" }, undefined, AT), LATER);
    expect(activate({ ...SEGMENT, firstRun: "send", sql: "select 2" }, sent, NOW)).toMatchObject({
      activatedAt: LATER,
      steps: [{ activeSince: null }, { activeSince: null }],
    });
  });

  it("put back as it was begins anew once more: what lies between was another segment's", () => {
    const edited = stored(activate({ ...SEGMENT, sql: "select 2" }, before, NOW), NOW);
    expect(activate(SEGMENT, edited, "2026-03-07T12:00:00Z")).toMatchObject({ activatedAt: NOW, shape: before.shape });
  });
});
