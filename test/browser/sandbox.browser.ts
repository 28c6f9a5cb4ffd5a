/** The sandbox's page: what arrives, how it is looked at, by mouse and by keyboard, and what the provider is told to answer. */
import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../src/server/sandbox/sandbox.js";
import { post } from "./mail.js";
import { axeFaults, focused, openPage, press, screenshots, type Opened } from "./support.js";

let sandbox: Sandbox;
const opened: Opened[] = [];
beforeEach(async () => {
  sandbox = await startSandbox({ port: 0, decision: () => Promise.reject(new Error("the ledger is away")) });
});
afterEach(async () => {
  for (const one of opened.splice(0)) {
    // What is refused and what is blocked is shown in words; the browser tells its console of it too.
    expect(one.errors.filter((error) => !/status of 503|image 'https:.*"img-src data:"/.test(error))).toEqual([]);
    expect(one.left()).toEqual([]);
    await one.close();
  }
  await sandbox.close();
});

async function open(options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  const one = await openPage(sandbox.url, options);
  opened.push(one);
  return one.page;
}

const options = (page: Page) => page.getByRole("option");
const frame = (page: Page) => page.frameLocator("iframe");

describe("the list", () => {
  it("shows a mail as soon as it is posted, says so to a screen reader, and keeps what is being read", async () => {
    const page = await open();
    await page.getByRole("heading", { name: "No emails yet" }).waitFor();
    expect(await page.locator("#empty pre").innerText()).toContain(`endpoint: "${sandbox.url}"`);
    await post(sandbox.url, { subject: "First" });
    await frame(page).getByText("Hello Ada").waitFor();
    expect(await page.getByRole("heading", { name: "First" }).isVisible()).toBe(true);
    await post(sandbox.url, { subject: "Second", to: "bo@example.com" });
    await options(page).nth(1).waitFor();
    expect(await options(page).allInnerTexts()).toEqual([expect.stringContaining("Second"), expect.stringContaining("First")]);
    expect(await page.locator("#news").innerText()).toBe("1 new email: Second, to bo@example.com.");
    expect(await page.title()).toBe("2 emails · Opportune sandbox");
    expect(await page.locator("#subject").innerText()).toBe("First");
  });

  it("finds by address, subject and segment, and shows what it leaves out on demand", async () => {
    for (let i = 0; i < 105; i++) await post(sandbox.url, { to: `user.${String(i)}@example.com`, segment: i === 50 ? "welcome" : "cart_abandoned" });
    await post(sandbox.url, { subject: "The Tenth Order" });
    const page = await open();
    await options(page).nth(99).waitFor();
    expect(await options(page).count()).toBe(100);
    await page.getByRole("button", { name: "Show older" }).click();
    await options(page).nth(105).waitFor();
    for (const [words, count] of [
      ["USER.7@", 1],
      ["welcome", 1],
      ["tenth order", 1],
      ["user.10", 6],
    ] as const) {
      await page.getByRole("searchbox").fill(words);
      await page.getByText(`${String(count)} message${count === 1 ? "" : "s"} found.`).waitFor();
      expect(await options(page).count()).toBe(count);
    }
    await page.getByRole("searchbox").fill("nobody");
    await page.getByText("Nothing found.").waitFor();
    // What arrives meanwhile is listed only where it is what was searched for.
    await post(sandbox.url, { to: "nobody.else@example.com" });
    await options(page).waitFor();
    expect(await options(page).innerText()).toContain("nobody.else@example.com");
  });

  it("forgets everything on Clear, in every window", async () => {
    await post(sandbox.url);
    const [page, other] = [await open(), await open()];
    await options(page).waitFor();
    await options(other).waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    for (const each of [page, other]) await each.getByRole("heading", { name: "No emails yet" }).waitFor();
    expect(sandbox.messages()).toEqual([]);
    await post(sandbox.url, { subject: "After" });
    await page.getByRole("heading", { name: "After" }).waitFor();
  });

  it("opens what the address names, and connects again to a server that came back", async () => {
    await post(sandbox.url, { subject: "Older" });
    await post(sandbox.url, { subject: "Newer" });
    const [older] = sandbox.messages();
    const page = await open();
    await page.goto(`${sandbox.url}/#${older?.id ?? ""}`);
    await page.reload();
    await page.getByRole("heading", { name: "Older" }).waitFor();
    const port = Number(new URL(sandbox.url).port);
    await sandbox.close();
    await page.getByText("Not connected").waitFor();
    sandbox = await startSandbox({ port });
    await post(sandbox.url, { subject: "Back again" });
    await page.getByRole("heading", { name: "Back again" }).waitFor();
    const [one] = opened;
    one?.errors.splice(0);
  });
});

describe("a message", () => {
  it("has HTML at three widths and in both schemes, text, headers, links and source", async () => {
    const html = `<style>@media (prefers-color-scheme: dark) { body { background: #101010 } }</style><meta name="color-scheme" content="light dark">
      <p>Wide</p><img src="https://cdn.example/logo.png" alt="Logo"><a href="https://shop.example/cart?a=1&amp;b=2">Open <b>cart</b></a>`;
    await post(sandbox.url, { html });
    const page = await open({ colorScheme: null });
    await frame(page).getByText("Wide").waitFor();
    for (const width of ["320", "375"]) {
      await page.getByRole("button", { name: width }).click();
      expect((await page.locator("iframe").boundingBox())?.width).toBe(Number(width));
    }
    await page.getByRole("button", { name: "full" }).click();
    expect((await page.locator("iframe").boundingBox())?.width).toBeGreaterThan(600);
    const background = () =>
      frame(page)
        .locator("body")
        .evaluate((body) => getComputedStyle(body).backgroundColor);
    await page.getByRole("button", { name: "dark", exact: true }).click();
    await expect.poll(background).toBe("rgb(16, 16, 16)");
    await page.getByRole("button", { name: "light", exact: true }).click();
    await expect.poll(background).toBe("rgba(0, 0, 0, 0)");
    expect(await page.getByRole("tabpanel").innerText()).toContain("1 blocked: https://cdn.example/logo.png");

    const tab = async (name: RegExp): Promise<string> => {
      await page.getByRole("tab", { name }).click();
      return page.getByRole("tabpanel").innerText();
    };
    expect(await tab(/^Text/)).toBe("Hello Ada, in text");
    expect(await tab(/^Headers/)).toMatch(
      /From\s+Shop <shop@example\.com>[\s\S]*List-Unsubscribe\s+<https:\/\/shop\.example\/u>[\s\S]*content-type\s+application\/json/,
    );
    expect(await page.getByRole("tabpanel").innerText()).not.toContain("SG.sandbox");
    expect(await tab(/^Links 1/)).toMatch(/Open cart\s+https:\/\/shop\.example\/cart\?a=1&b=2/);
    expect(JSON.parse(await tab(/^Source/))).toEqual(sandbox.messages()[0]?.body);
    await page.getByRole("tab", { name: /^Decision/ }).click();
    await page.getByRole("tabpanel").getByText("the ledger is away").waitFor();
  });

  it("takes the window on a phone, and Back leads to the list", async () => {
    await post(sandbox.url, { subject: "First" });
    await post(sandbox.url, { subject: "Second" });
    const page = await open({ width: 375 });
    await options(page).filter({ hasText: "First" }).click();
    await page.getByRole("heading", { name: "First" }).waitFor();
    expect(await page.getByRole("listbox").isVisible()).toBe(false);
    await page.goBack();
    await page.getByRole("listbox").waitFor();
    await options(page).filter({ hasText: "Second" }).click();
    await page.getByRole("button", { name: "All messages" }).click();
    await page.getByRole("listbox").waitFor();
    expect(await focused(page)).toContain("Second");
    await screenshots(page, "sandbox-list");
    // In a window that is widened, the newest is beside the list.
    await page.setViewportSize({ width: 1200, height: 800 });
    await page.getByRole("heading", { name: "Second" }).waitFor();
  });
});

describe("the provider", () => {
  it("answers as the buttons say", async () => {
    const page = await open();
    const says = (text: string) => page.locator("#faults").filter({ hasText: text }).waitFor();
    const choose = (name: string) => page.getByRole("button", { name, exact: true }).click();
    await choose("429");
    await says("Answers 429 with X-RateLimit-Reset 5 s ahead.");
    const limited = await post(sandbox.url);
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get("x-ratelimit-reset"))).toBeGreaterThan(1_000_000_000);
    await page.locator("#summary").filter({ hasText: "0 emails · 0 of 1 request accepted · refused 1 × 429" }).waitFor();
    await choose("500");
    await says("Answers 500.");
    expect((await post(sandbox.url)).status).toBe(500);
    await choose("as usual");
    await says("Takes each email and answers 202.");
    expect((await post(sandbox.url)).status).toBe(202);
    await choose("hang");
    await says("Takes the email and never answers.");
    const hanging = post(sandbox.url, { subject: "Never answered" });
    await options(page).filter({ hasText: "Never answered" }).waitFor();
    await choose("as usual");
    await says("Takes each email and answers 202.");
    await sandbox.close();
    await expect(hanging).rejects.toThrow();
    opened[0]?.errors.splice(0);
  });

  it("does so for the next request only, if that is wanted, and shows what others set", async () => {
    const page = await open();
    await page.getByLabel("next request only").check();
    await page.getByRole("button", { name: "500" }).click();
    await page.getByText("Answers 500 for 1 more request.").waitFor();
    expect([(await post(sandbox.url)).status, (await post(sandbox.url)).status]).toEqual([500, 202]);
    await page.getByText("Takes each email and answers 202.").waitFor();
    expect(await page.getByRole("button", { name: "as usual" }).getAttribute("aria-pressed")).toBe("true");
    sandbox.setFaults([{ status: 503, retryAfterSeconds: 2, share: 0.125, delayMs: 50 }, { cut: "before" }]);
    await page
      .getByText("Answers 503 with Retry-After 2 s after 50 ms to 12.5 % of requests; else Cuts the connection, and does not take the email.")
      .waitFor();
    expect(await page.locator("[aria-pressed=true][data-fault]").count()).toBe(0);
  });
});

it("can be used with the keyboard alone", async () => {
  for (const subject of ["One", "Two", "Three"]) await post(sandbox.url, { subject, html: "<p>Hello Ada</p>".repeat(100) });
  const page = await open();
  await frame(page).getByText("Hello Ada").first().waitFor();
  await press(page, "Tab", /^button as usual/);
  await press(page, "Tab", /^button 429/);
  await page.keyboard.press("Enter");
  await page.getByText("Answers 429").waitFor();
  await press(page, "Tab", /^checkbox next request only/);
  await press(page, "Tab", /^searchbox/);
  await press(page, "Tab", /^option .*Three/);
  await press(page, "ArrowDown", /^option .*Two/);
  await page.getByRole("heading", { name: "Two" }).waitFor();
  await press(page, "End", /^option .*One/);
  await press(page, "ArrowUp", /^option .*Two/);
  await press(page, "Home", /^option .*Three/);
  await press(page, "ArrowDown", /^option .*Two/);
  await press(page, "Enter", /^heading Two/);
  await press(page, "Tab", /^tab HTML/);
  await press(page, "ArrowRight", /^tab Text/);
  await page.getByText("Hello Ada, in text").waitFor();
  await press(page, "End", /^tab Decision/);
  await press(page, "Tab", /^tabpanel/);
  await press(page, "Tab", /^button Try again/);
  await press(page, "Escape", /^option .*Two/);
  // Back to the buttons for width and colours, and into the mail.
  await press(page, "Enter", /^heading/);
  await press(page, "Tab", /^tab Decision/);
  await press(page, "Home", /^tab HTML/);
  await press(page, "Tab", /^button 320/);
  await page.keyboard.press("Space");
  expect((await page.locator("iframe").boundingBox())?.width).toBe(320);
  await press(page, "Tab", /^iframe The email as HTML/);
  await expect.poll(() => page.locator("iframe").evaluate((element) => getComputedStyle(element).outlineStyle)).toBe("solid");
  await page.keyboard.press("PageDown");
  await expect.poll(() => page.frames()[1]?.evaluate(() => scrollY)).toBeGreaterThan(100);
  await press(page, "Shift+Tab", /^button dark/);
});

it("keeps the focus where the message is drawn anew under it", async () => {
  await post(sandbox.url, { subject: "One" });
  const page = await open();
  await frame(page).getByText("Hello Ada").first().waitFor();
  let asked = 0;
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/page\/messages\/[^/?]+$/, async (route) => {
    asked++;
    await held;
    await route.continue();
  });
  await press(page, "Tab", /^option .*One/);
  await press(page, "Enter", /^heading One/);
  await press(page, "Tab", /^tab HTML/);
  const answered = page.waitForResponse(/\/page\/messages\/[^/?]+$/);
  release();
  await answered;
  // What the page makes of the answer comes after it: two frames are drawn in between.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  expect(await focused(page)).toMatch(/^tab HTML/);
  expect(asked).toBe(1);
  await press(page, "End", /^tab Decision/);
  await press(page, "Tab", /^tabpanel/);
  await press(page, "Tab", /^button Try again/);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Try again" }).waitFor();
  expect(await focused(page)).toMatch(/^tabpanel/);
});

it.each(["light", "dark"] as const)("is accessible in %s, at every width and tab", async (colorScheme) => {
  const page = await open({ colorScheme, width: 1200 });
  await page.getByRole("heading", { name: "No emails yet" }).waitFor();
  expect(await axeFaults(page)).toEqual([]);
  await post(sandbox.url, { html: `<img src="https://cdn.example/a.png" alt=""><a href="https://shop.example">Shop</a>` });
  await post(sandbox.url, { subject: "x".repeat(300), to: "a.very.long.address.that.does.not.fit@a.long.subdomain.example.com" });
  await options(page).nth(1).waitFor();
  sandbox.setFaults([{ status: 429 }]);
  await page.getByText("Answers 429.").waitFor();
  for (const width of [1200, 320]) {
    await page.setViewportSize({ width, height: 800 });
    for (const tab of await page.getByRole("tab").all()) {
      await tab.click();
      expect(await axeFaults(page), `${String(width)} ${await tab.innerText()}`).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), "wider than the window").toBe(width);
    }
  }
  await page.getByRole("button", { name: "All messages" }).click();
  expect(await axeFaults(page)).toEqual([]);
  if (colorScheme === "light") await screenshots(page, "sandbox-phone-list");
});
