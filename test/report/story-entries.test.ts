import { describe, expect, it } from "vitest";
import type { Audience, Policy, Segment, Step } from "../../src/project/types.js";
import { journeysOf, type StoryEvent } from "../../src/report/story.js";
import { capsInUse, entriesOf, nextOf, spacedUntil } from "../../src/report/story-entries.js";
import { storyPage, type StoryPage } from "../../src/pages/story-page.js";

const HOUR = 3600;

const event = (given: Partial<StoryEvent>): StoryEvent => ({
  segment: "cart",
  step: "nudge",
  key: "",
  occurredAt: "2026-03-02T12:00:00Z",
  dueAt: "2026-03-02T13:00:00Z",
  expiresAt: "2026-03-02T19:00:00Z",
  decidedAt: "2026-03-02T13:00:00Z",
  recordedAt: "2026-03-02T13:00:05Z",
  event: "claimed",
  reason: "claimed",
  rule: "",
  channel: "email",
  messageId: "m1",
  runId: "r1",
  detail: {},
  explanation: "will be sent",
  providerId: null,
  variant: null,
  template: null,
  templateVersion: null,
  ...given,
});

const step = (name: string, afterHours: number, variants: Step["variants"] = []): Step => ({
  name,
  factor: name,
  afterSeconds: afterHours * HOUR,
  withinSeconds: 6 * HOUR,
  channel: "email",
  template: "t",
  variants,
});

const segments = (given: Partial<Segment> = {}): Map<string, Segment> =>
  new Map([["cart", { id: "cart", status: "live", description: "A cart left alone", steps: [step("nudge", 1), step("reminder", 24)], ...given } as Segment]]);

const NOW = "2026-03-02T14:00:00Z";
const POLICY = {
  caps: [
    { name: "2 per 48 hours", max: 2, windowSeconds: 48 * HOUR, channel: null, topic: null },
    { name: "1 per day on sms", max: 1, windowSeconds: 24 * HOUR, channel: "sms", topic: null },
  ],
  spacingSeconds: 4 * HOUR,
  quietHours: { from: "21:00", to: "08:00" },
} as unknown as Policy;

describe("entries", () => {
  const titles = (...events: StoryEvent[]): string[] =>
    journeysOf(events).flatMap((journey) => entriesOf(journey).map(({ kind, title, at, told }) => `${at.slice(11, 16)} ${kind} ${title}: ${told.event}`));

  it("a claim and what became of it are one", () => {
    const outcome = (name: string): StoryEvent => event({ event: name, decidedAt: "2026-03-02T13:00:00Z", recordedAt: "2026-03-02T13:07:00Z" });
    expect(titles(event({}))).toEqual(["13:00 waiting To be sent: claimed"]);
    expect(titles(event({}), outcome("sending"))).toEqual(["13:00 waiting Handed over: claimed"]);
    expect(titles(event({}), outcome("sending"), outcome("accepted"))).toEqual(["13:00 sent Sent: accepted"]);
    expect(titles(event({}), outcome("sending"), outcome("in_doubt"), outcome("accepted"))).toEqual(["13:00 sent Sent: accepted"]);
    expect(titles(event({}), outcome("failed"))).toEqual(["13:00 trouble Failed: failed"]);
  });

  it("each silence is its own, and a second claim too, in the order of time", () => {
    const waited = event({ event: "waiting", reason: "cap", decidedAt: "2026-03-02T13:30:00Z" });
    const later = event({ step: "reminder", messageId: "m2", event: "denied", reason: "excluded", decidedAt: "2026-03-02T13:10:00Z" });
    const again = event({ decidedAt: "2026-03-02T13:40:00Z" });
    expect(titles(event({}), event({ event: "released", reason: "retry" }), waited, again, later)).toEqual([
      "13:00 waiting Offered again: released",
      "13:10 silent Not sent: denied",
      "13:30 waiting Waited: waiting",
      "13:40 waiting To be sent: claimed",
    ]);
  });
});

describe("what may come next", () => {
  const next = (events: readonly StoryEvent[], given: Partial<Segment> = {}, asOf = NOW): string[] =>
    nextOf(journeysOf(events), segments(given), asOf).map(({ step, from, until, told }) => `${step} ${from} ${until} ${told?.event ?? "not due"}`);
  const REMINDER = "reminder 2026-03-03T12:00:00Z 2026-03-03T18:00:00Z not due";

  it.each([
    ["a later step of a running journey", [event({})], [REMINDER]],
    ["what waits, and the later step", [event({ event: "waiting", reason: "cap" })], ["nudge 2026-03-02T13:00:00Z 2026-03-02T19:00:00Z waiting", REMINDER]],
    ["nothing after the goal", [event({}), event({ step: "reminder", event: "settled", reason: "converted" })], []],
    ["nothing of a baseline", [event({ event: "settled", reason: "baseline" })], []],
    ["nothing for the holdout", [event({ event: "held_out", reason: "held_out" })], []],
    ["the later step after one that expired", [event({ event: "settled", reason: "expired" })], [REMINDER]],
    ["steps of a backfill, counted from it", [event({ dueAt: "2026-03-02T15:00:00Z" })], ["reminder 2026-03-03T14:00:00Z 2026-03-03T20:00:00Z not due"]],
  ] as const)("%s", (_, events, expected) => {
    expect(next(events)).toEqual(expected);
  });

  it("nothing of a segment that is gone, a draft or paused, nor past its window", () => {
    expect(next([event({ segment: "gone" })])).toEqual([]);
    expect(next([event({})], { status: "paused" })).toEqual([]);
    expect(next([event({})], {}, "2026-03-03T18:00:00Z")).toEqual([]);
  });

  it("a step under test is due with its earliest variant", () => {
    const variants = [3, 2].map((hours) => ({ ...step(`v${String(hours)}`, hours), weight: 1 }));
    expect(next([event({})], { steps: [step("nudge", 1), step("reminder", 24, variants)] })).toEqual([
      "reminder 2026-03-02T14:00:00Z 2026-03-02T20:00:00Z not due",
    ]);
  });
});

it("caps count inside their window, on their channel, and say when a place is free", () => {
  const heard = (decidedAt: string, channel = "email"): { decidedAt: string; channel: string; topic: null } => ({ decidedAt, channel, topic: null });
  const before = heard("2026-02-28T14:00:00Z");
  const all = [before, heard("2026-02-28T14:00:01Z"), heard("2026-03-01T20:00:00Z", "sms"), heard("2026-03-02T13:00:00Z")];
  expect(capsInUse(POLICY, all, NOW)).toEqual([
    { name: "2 per 48 hours", used: 3, max: 2, fullUntil: "2026-03-03T20:00:00Z" },
    { name: "1 per day on sms", used: 1, max: 1, fullUntil: "2026-03-02T20:00:00Z" },
  ]);
  expect(capsInUse(POLICY, [before], NOW).map(({ used, fullUntil }) => [used, fullUntil])).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(spacedUntil(POLICY, all, NOW)).toBe("2026-03-02T17:00:00Z");
  expect(spacedUntil(POLICY, [before], NOW)).toBeNull();
});

describe("the page", () => {
  const about = (given: Partial<StoryPage> = {}): StoryPage => ({
    user: "u1",
    events: 1,
    shown: 1,
    names: new Map(),
    timezone: { name: "America/New_York", known: true },
    asOf: NOW,
    heard: [],
    policy: POLICY,
    segments: segments(),
    audiences: new Map([["open_tickets", { name: "open_tickets", description: "Who waits for <support>" } as Audience]]),
    ...given,
  });

  it("escapes whatever came from the warehouse", () => {
    const bad = `"><script>alert(1)</script>`;
    const story = [event({ event: "waiting", reason: "cap", rule: bad, explanation: bad, key: bad, channel: bad, step: bad, segment: bad })];
    const html = storyPage(journeysOf(story), about({ user: bad }));
    expect(html).not.toContain("<script");
    expect(html.match(/&quot;&gt;&lt;script&gt;/g)?.length).toBeGreaterThan(5);
  });

  it("tells times in the user's zone and in UTC, by the user's own days", () => {
    const night = event({
      decidedAt: "2026-03-08T04:30:00Z",
      event: "waiting",
      reason: "quiet_hours",
      explanation: "waits for the end of the quiet hours",
      detail: { opens_at: "2026-03-08T12:00:00Z" },
    });
    const html = storyPage(journeysOf([night]), about());
    expect(html).toContain("<h3>Saturday, 7 March 2026</h3>");
    expect(html).toContain(`<time datetime="2026-03-08T04:30:00Z">23:30 EST<span class="soft"> (04:30 UTC on Sunday, 8 March 2026)</span></time>`);
    // The clocks went forward in between.
    expect(html).toContain("Waits for the end of the quiet hours: until 08:00 EDT on Sunday, 8 March 2026.");
  });

  it("says who is in an audience that a reason names", () => {
    const excluded = event({ event: "denied", reason: "excluded", rule: "open_tickets", explanation: "is in the excluded audience open_tickets" });
    expect(storyPage(journeysOf([excluded]), about())).toContain(
      "<p>Is in the excluded audience open_tickets. (open_tickets: Who waits for &lt;support&gt;)</p>",
    );
  });

  it("says whose zone it is where the user's is not known, and what is cut", () => {
    const html = storyPage(journeysOf([event({})]), about({ timezone: { name: "Europe/Berlin", known: false }, events: 1200 }));
    expect(html).toContain("Times are in Europe/Berlin, the project&#39;s zone, as the user&#39;s own is not known; beside it in UTC.");
    expect(html).toContain("The newest 1 of 1,200 events are shown (--limit).");
  });
});
