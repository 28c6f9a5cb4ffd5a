import pc from "picocolors";
import { expect, it } from "vitest";
import { loadProject } from "../../src/project/build/load.js";
import { storyLines } from "../../src/report/explain.js";
import { audienceListing, segmentListing } from "../../src/report/listing.js";
import type { StoryEvent } from "../../src/report/story.js";
import { journeysOf } from "../../src/report/story.js";
import { wrapped } from "../../src/report/tables.js";

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

it("ls stays within 80 columns, with each step of each segment", () => {
  const { segments, audiences, policy } = loadProject(".", { env: { SENDGRID_API_KEY: "k", UNSUBSCRIBE_SECRET: "s".repeat(40) } });
  const plain = pc.createColors(false);
  const all = [...segments.values()];
  for (const width of [80, 100, 120]) {
    const listed = segmentListing(all, width, plain);
    expect(widest(listed)).toBeLessThanOrEqual(width);
    expect(widest(audienceListing(all, [...audiences.values()], policy, width, plain))).toBeLessThanOrEqual(width);
    for (const { id, steps } of all) for (const { name } of steps) expect(listed).toMatch(new RegExp(`^${id} [^]*\\b${name} \\+`, "m"));
  }
});

it("explain breaks its lines at the terminal's width, in colours too, and continues below the words", () => {
  const event: StoryEvent = {
    segment: "cart_abandoned",
    step: "reminder",
    key: "a key of several words that is rather long for a heading of a journey",
    occurredAt: "2026-03-02T12:00:00Z",
    dueAt: "2026-03-02T13:00:00Z",
    expiresAt: "2026-03-03T13:00:00Z",
    decidedAt: "2026-03-02T13:00:00Z",
    recordedAt: "2026-03-02T13:00:00Z",
    event: "waiting",
    reason: "cap",
    rule: "",
    channel: "email",
    messageId: "m",
    runId: "r",
    detail: { used: 1, max: 1, window_seconds: 172_800 },
    explanation: "waits: the cap that is called at most one message in 48 hours is full",
    providerId: null,
    variant: "short",
    template: "cart",
    templateVersion: "0123456789ab",
  };
  const told = (width: number, colours: boolean): string =>
    storyLines("u1", journeysOf([event]), {
      events: 1,
      shown: 1,
      names: new Map(),
      templates: new Map(),
      paint: pc.createColors(colours),
      timezone: { name: "Europe/Berlin", known: false },
      fullTexts: false,
      width,
    }).join("\n");
  expect(widest(told(80, false))).toBeLessThanOrEqual(80);
  expect(told(80, true).replaceAll(/\x1b\[\d+m/g, "")).toBe(told(80, false));
  expect(told(80, false)).toContain(
    `    2026-03-02 14:00:00  waiting     waits: the cap that is called at most one\n${" ".repeat(37)}message in 48 hours is full: 1 of 1 in 48\n${" ".repeat(37)}hours`,
  );
  expect(told(80, false).replaceAll(/\n +/g, " ").replaceAll(/ +/g, " ")).toBe(told(10_000, false).replaceAll(/\n +/g, " ").replaceAll(/ +/g, " "));
});

it("a word that is longer than the line stays whole", () => {
  expect(wrapped(`  go to ${"x".repeat(50)} now`, 40, 4)).toBe(`  go to\n    ${"x".repeat(50)}\n    now`);
});
