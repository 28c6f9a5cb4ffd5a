import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { galleryPage, type GalleryMail } from "../../src/pages/gallery.js";
import { hostileMail, LINK_NAMES, REFRESHING } from "./hostile.js";
import { axeFaults, focused, openPage, press, screenshots, WIDTHS, type Opened } from "./support.js";

const MAIL = `<!doctype html><html lang="en"><head><title>Cart</title><style>body{font-family:sans-serif;background:#f3f4f6} .button{background:#1d4ed8;color:#fff;padding:14px 28px}</style></head>
<body><h1>Your cart is saved</h1><p>On 1 March you put 3 items in your cart.</p><p><a class="button" href="https://shop.example/cart">Open your cart</a></p></body></html>`;

const mail = (number: number, given: Partial<GalleryMail> = {}): GalleryMail => ({
  to: `ada.${String(number)}@example.com`,
  subject: `Your cart: ${String(number)} items, <b>€118.00</b>`,
  html: MAIL,
  text: "Your cart is saved.\n\nOpen your cart: https://shop.example/cart",
  segment: ["cart_abandoned", "trial_ending", "welcome"][number % 3] ?? "",
  step: "reminder",
  template: ["cart_reminder", "trial_ending", "welcome"][number % 3] ?? "",
  messageId: number.toString(16).padStart(32, "0"),
  receivedAt: new Date(Date.UTC(2026, 2, 2, 12, number)).toISOString(),
  ...given,
});

let folder: string;
let opened: Opened | undefined;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "opportune-gallery-"))));
afterEach(async () => {
  await opened?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(mails: readonly GalleryMail[], width?: number): Promise<Opened> {
  const file = join(folder, "gallery.html");
  writeFileSync(file, galleryPage(mails));
  return (opened = await openPage(pathToFileURL(file).href, width === undefined ? {} : { width }));
}

it("lists the mails by segment and loads one when it is opened", async () => {
  const { page, errors, left } = await open(Array.from({ length: 300 }, (_, number) => mail(number)));
  expect(await page.getByRole("heading", { level: 2 }).allTextContents()).toEqual([
    "One email of each template",
    "cart_abandoned 100 emails",
    "trial_ending 100 emails",
    "welcome 100 emails",
  ]);
  const frames = page.locator(".mail > iframe");
  expect(await frames.count()).toBe(0);
  await page.locator("summary", { hasText: "Your cart: 4 items, <b>€118.00</b>" }).click();
  await expect.poll(() => frames.count()).toBe(1);
  await page.locator("summary", { hasText: "Your cart: 7 items, <b>€118.00</b>" }).click();
  await expect.poll(() => page.locator("details[name=mail][open]").count()).toBe(1);
  await expect.poll(() => frames.count()).toBe(1);
  const frame = page.frameLocator(".mail > iframe");
  expect(await frame.locator("h1").textContent()).toBe("Your cart is saved");
  await page.getByText("Plain text").locator("visible=true").click();
  expect(await page.locator("pre:visible").textContent()).toContain("Open your cart: https://shop.example/cart");
  expect({ errors, left: left() }).toEqual({ errors: [], left: [] });
});

it("begins with a whole email of each template, the first of each, as high as it is", async () => {
  const { page, errors, left } = await open(Array.from({ length: 9 }, (_, number) => mail(number)));
  expect(await page.locator(".whole > li > p").allTextContents()).toEqual([
    "cart_reminder, for cart_abandoned, reminder",
    "trial_ending, for trial_ending, reminder",
    "welcome, for welcome, reminder",
  ]);
  expect(await page.locator(".whole h3").allTextContents()).toEqual([0, 1, 2].map((number) => `Your cart: ${String(number)} items, <b>€118.00</b>`));
  const whole = (): Promise<boolean> =>
    page
      .locator(".whole iframe")
      .first()
      .evaluate((frame: HTMLIFrameElement) => {
        const { scrollHeight = 0, clientHeight = 0 } = frame.contentDocument?.documentElement ?? {};
        return clientHeight > 100 && scrollHeight <= clientHeight;
      });
  await expect.poll(whole).toBe(true);
  await page.getByLabel("phone").check();
  await expect.poll(whole).toBe(true);
  await page.getByLabel("desktop").check();
  expect({ errors, left: left() }).toEqual({ errors: [], left: [] });
});

it("has no edge of another colour around an email that is made for the dark", async () => {
  const dark = `<html><head><meta name="color-scheme" content="light dark"></head><body><p>Plain</p></body></html>`;
  const { page } = await open([mail(1, { html: dark })]);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator(".whole iframe").waitFor();
  const back = await page.locator(".whole iframe").evaluate((frame) => getComputedStyle(frame).backgroundColor);
  // As dark as the document in it, which has no colour of its own.
  expect(back).toBe("rgb(18, 18, 18)");
});

it("shows a mail as on a phone and on a desktop", async () => {
  const { page } = await open([mail(1)]);
  await page.locator("summary").first().click();
  const inside = (): Promise<number> =>
    page
      .frameLocator(".mail > iframe")
      .locator("html")
      .evaluate((element) => element.ownerDocument.documentElement.clientWidth);
  // The frame may be a process of its own, and hears of its size when it does.
  await expect.poll(inside).toBeGreaterThan(600);
  await page.getByLabel("phone").check();
  await expect.poll(inside).toBe(320);
});

it("works with keys alone", async () => {
  const { page } = await open([mail(1), mail(2), mail(3)]);
  await press(page, "Tab", /link trial_ending/);
  await press(page, "Tab", /radio desktop/);
  await page.keyboard.press("ArrowDown");
  expect(await focused(page)).toContain("phone");
  await press(page, "Tab", /^(?!iframe).*Your cart: 1 items/);
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator(".mail > iframe").count()).toBe(1);
  await press(page, "Tab", /Plain text/);
  await page.keyboard.press("Space");
  await expect.poll(() => page.locator("pre:visible").count()).toBe(1);
});

it("a hostile mail does nothing, by itself or clicked", async () => {
  const bad = `"><script>document.title = "ran"</script><img src=x>`;
  const mails = [
    mail(0, { html: hostileMail("http://own.example"), subject: bad, to: bad, text: bad, step: bad, messageId: bad }),
    mail(3, { html: REFRESHING }),
  ];
  const { page, left } = await open(mails);
  await page.locator("summary", { hasText: bad }).first().click();
  const frame = page.frameLocator(".mail > iframe");
  await frame.getByText("plain", { exact: true }).waitFor();
  // The same email stands whole above: there too.
  for (const within of [frame, page.locator(".whole iframe").first().contentFrame()])
    for (const name of LINK_NAMES) await within.getByText(name, { exact: true }).click();
  await frame.getByLabel("field").press("Enter");
  for (const name of ["send", "own", "go"]) await frame.getByRole("button", { name, exact: true }).click();
  expect(await frame.locator("html").evaluate((element) => element.ownerDocument.title)).not.toBe("hostile");
  await page.locator("summary", { hasText: "Your cart: 3 items" }).click();
  await frame.getByText("still here").waitFor();
  await page.getByLabel("phone").check();
  expect(await frame.getByText("still here").isVisible()).toBe(true);
  expect(await page.title()).toBe("2 emails sent");
  expect(page.url()).toMatch(/gallery\.html$/);
  expect(page.context().pages()).toHaveLength(1);
  expect(await page.locator("main script, main img").count()).toBe(0);
  expect(left()).toEqual([]);
});

it("has no fault that axe-core finds, nothing wider than the window, light and dark", async () => {
  const { page } = await open([...Array.from({ length: 6 }, (_, number) => mail(number)), mail(7, { html: null, subject: "Text alone" })]);
  await page.locator("summary", { hasText: "Your cart: 4 items" }).click();
  await screenshots(page, "gallery");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      expect(await axeFaults(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  }
});
