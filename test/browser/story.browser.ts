import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Policy, Segment } from "../../src/project/types.js";
import { journeysOf, type StoryEvent } from "../../src/report/story.js";
import { storyPage } from "../../src/pages/story-page.js";
import { axeFaults, focused, openPage, screenshots, WIDTHS, type Opened } from "./support.js";

const HOUR = 3600;
const BAD = `"><img src="https://image.example/a.png" onerror="document.title='ran'"><script>document.title = "ran"</script>`;

/** `given` with the events of a story, an hour apart. */
function events(given: Partial<StoryEvent>, ...of: readonly Partial<StoryEvent>[]): StoryEvent[] {
  return of.map((each, hours) => ({
    segment: "cart_abandoned",
    step: "nudge",
    key: "c1000",
    occurredAt: "2026-03-02T11:55:00Z",
    dueAt: "2026-03-02T12:05:00Z",
    expiresAt: "2026-03-02T18:05:00Z",
    decidedAt: new Date(Date.UTC(2026, 2, 2, 12 + hours, 5)).toISOString(),
    recordedAt: new Date(Date.UTC(2026, 2, 2, 12 + hours, 5, 2)).toISOString(),
    event: "claimed",
    reason: "claimed",
    rule: "",
    channel: "email",
    messageId: `${given.segment ?? ""}${given.step ?? ""}`,
    runId: "r",
    detail: {},
    explanation: "will be sent",
    providerId: null,
    variant: null,
    template: null,
    templateVersion: null,
    ...given,
    ...each,
  }));
}

const STORY = [
  ...events(
    {},
    {
      event: "waiting",
      reason: "quiet_hours",
      explanation: "waits for the end of the quiet hours",
      detail: { opens_at: "2026-03-02T13:00:00Z", zone: "America/New_York" },
    },
    {},
    { event: "sending", decidedAt: "2026-03-02T13:05:00Z" },
    { event: "accepted", decidedAt: "2026-03-02T13:05:00Z", explanation: "accepted by the provider", providerId: "4ef79ee389644a7b970c249b164058c5" },
  ),
  ...events(
    { segment: "welcome", key: "", step: "first_step" },
    { event: "denied", reason: "excluded", explanation: "is in the excluded audience open_tickets" },
  ),
  ...events(
    { segment: "trial_ending", key: BAD, step: "message" },
    {},
    { event: "failed", decidedAt: "2026-03-02T12:05:00Z", explanation: "refused by the provider", detail: { because: BAD } },
  ),
  ...events(
    { segment: "tenth_order", key: "", step: "thanks" },
    { event: "settled", reason: "converted", explanation: "reached the goal", detail: { goal: "ordered" } },
  ),
];

let folder: string;
let opened: Opened | undefined;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "opportune-story-"))));
afterEach(async () => {
  await opened?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(): Promise<Opened> {
  const steps = ["nudge", "reminder"].map((name, index) => ({
    name,
    afterSeconds: 600 + index * 24 * HOUR,
    withinSeconds: 6 * HOUR,
    channel: "email",
    template: "t",
    variants: [],
  }));
  const cart = { id: "cart_abandoned", status: "live", description: "A cart with something in it, left alone for ten minutes", steps } as unknown as Segment;
  const caps = [{ name: "2 per 48 hours", max: 2, windowSeconds: 48 * HOUR, channel: null, topic: null }];
  const policy = { caps, spacingSeconds: 4 * HOUR, quietHours: { from: "21:00", to: "08:00" } } as unknown as Policy;
  const file = join(folder, "story.html");
  const page = storyPage(journeysOf(STORY), {
    user: "u0042",
    events: STORY.length,
    shown: STORY.length,
    names: new Map(),
    timezone: { name: "America/New_York", known: true },
    asOf: "2026-03-02T16:00:00Z",
    heard: [{ channel: "email", topic: null, decidedAt: "2026-03-02T13:05:00Z" }],
    policy,
    segments: new Map([["cart_abandoned", cart]]),
    audiences: new Map(),
  });
  writeFileSync(file, page);
  return (opened = await openPage(pathToFileURL(file).href));
}

it("reads as a time line: headings, lists and times that a screen reader names", async () => {
  const { page, errors } = await open();
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("What u0042 heard, and why not more");
  expect(await page.getByRole("region").count()).toBe(6);
  const journey = page.getByRole("region", { name: /^cart_abandoned/ });
  expect(await journey.getByRole("listitem").filter({ hasText: "Sent" }).last().innerText()).toContain("Sent nudge by email, 08:05 EST (13:05 UTC)");
  expect(await journey.locator("time").first().getAttribute("datetime")).toBe("2026-03-02T11:55:00Z");
  expect(await page.getByRole("region", { name: "What may come next" }).innerText()).toContain(
    "reminder of cart_abandoned c1000, by email: falls due Tuesday, 3 March 2026, 07:05 EST (12:05 UTC)",
  );
  expect(errors).toEqual([]);
});

it("what came from the warehouse is text, and nothing leaves", async () => {
  const { page, left } = await open();
  expect(await page.title()).toBe("What u0042 heard, and why not more");
  expect(await page.locator("img, script, iframe").count()).toBe(0);
  expect(await page.getByText(`Refused by the provider: ${BAD}.`).count()).toBe(1);
  expect(left()).toEqual([]);
});

it("scrolls with keys, and has nothing that needs a mouse", async () => {
  const { page } = await open();
  await page.setViewportSize({ width: 320, height: 500 });
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("");
  await page.keyboard.press("End");
  await expect.poll(() => page.evaluate(() => window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 1)).toBe(true);
});

it("has no fault that axe-core finds, nothing wider than the window, light and dark, and on paper", async () => {
  const { page } = await open();
  await screenshots(page, "story", { fullPage: true });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      expect(await axeFaults(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  }
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.setViewportSize({ width: 700, height: 900 });
  await page.screenshot({ path: "target/screenshots/story-print.png", fullPage: true });
  expect(await axeFaults(page)).toEqual([]);
});
