/**
 * A real Chromium for tests. Whatever it asks of another machine goes to a proxy that notes it and answers nothing: `left` of
 * `openPage` has it. One browser serves all test files of the process; each page has a profile of its own.
 */
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium, type Browser, type Frame, type Page } from "playwright-core";
import { chromiumPath } from "./chromium.js";

export type ColorScheme = "light" | "dark";

export interface Opened {
  page: Page;
  /** What the page's scripts threw and what its console complained of. */
  errors: string[];
  /** Requests of the whole browser since the page was opened that were for another machine: `GET http://…`, `CONNECT host:443`. */
  left(): string[];
  close(): Promise<void>;
}

/** Phone and desktop, CSS pixels. */
export const WIDTHS = [320, 375, 1200] as const;
const HEIGHT = 800;
const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));

const asked: string[] = [];
let started: Promise<Browser> | undefined;

async function startBrowser(): Promise<Browser> {
  const { port } = (await listenAsProxy()).address() as AddressInfo;
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error("There is no Chromium: see vitest.browser.config.ts");
  return chromium.launch({
    executablePath,
    // Playwright adds a profile in a new folder, and removes it.
    args: [
      // What the browser itself would ask of its maker is asked of nobody, so that all that is noted comes from a page.
      "--autofill-server-url=http://127.0.0.1:1/",
      "--gaia-url=http://127.0.0.1:1/",
      // It asks for updates of its parts as it starts and 60 s later, also where those are disabled.
      "--component-updater=url-source=http://127.0.0.1:1/",
      `--proxy-server=127.0.0.1:${String(port)}`,
      ..."--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" "),
    ],
  });
}

/** Loopback addresses pass by a proxy unless told otherwise, so all that arrives here wanted to leave. */
async function listenAsProxy(): Promise<Server> {
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
    response.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url ?? ""}`);
    socket.on("error", () => undefined).end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // The browser ends with the process; neither keeps it alive.
  return server.unref();
}

/**
 * Opens a URL in a fresh profile, `width` CSS pixels wide (default 1200), light unless told otherwise. With the scheme null the
 * browser decides by itself, also for frames: an emulated one holds in every frame, whatever the page says of it.
 */
export async function openPage(url: string, options: { width?: number; colorScheme?: ColorScheme | null } = {}): Promise<Opened> {
  const browser = await (started ??= startBrowser());
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1200, height: HEIGHT },
    colorScheme: options.colorScheme === undefined ? "light" : options.colorScheme,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const before = asked.length;
  await page.goto(url);
  return { page, errors, left: () => asked.slice(before), close: () => context.close() };
}

/**
 * What axe-core finds against WCAG 2.2 AA and good practice, one line a fault: rule, what helps, where. Frames inside are
 * not entered: give one to look at it.
 */
export async function axeFaults(page: Page | Frame): Promise<string[]> {
  // Evaluated by the debugger: the page's own policy for scripts has no say.
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: injected } = globalThis as unknown as { axe: typeof axe };
    return (await injected.run({ iframes: false })).violations;
  });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary ?? ""}`));
}

/** The page at each width, light and dark, in target/screenshots/NAME-WIDTH-SCHEME.png, whose paths are given. Leaves it at 1200, light. */
export async function screenshots(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<string[]> {
  const files: string[] = [];
  mkdirSync(SCREENSHOTS, { recursive: true });
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      const path = `${SCREENSHOTS}${name}-${String(width)}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage: options.fullPage ?? false });
      files.push(path);
    }
  }
  return files;
}

/**
 * What has the focus, as a screen reader would name it: `button Clear`; `` where nothing has. Asked for once, and then named by
 * where it stands: the focus goes into frames and out of them on its own time, and must not be waited for where it has left.
 */
export async function focused(page: Page): Promise<string> {
  const { path, frame } = await page.evaluate(() => {
    const { activeElement, body } = document;
    const steps: string[] = [];
    for (let element = activeElement; element !== null && element !== body; element = element.parentElement)
      steps.unshift(`:nth-child(${String([...(element.parentElement?.children ?? [])].indexOf(element) + 1)})`);
    return { path: steps.join(" > "), frame: activeElement instanceof HTMLIFrameElement ? activeElement.title : null };
  });
  if (frame !== null) return `iframe ${frame}`;
  if (path === "") return "";
  const [line = ""] = (await page.locator(`body > ${path}`).ariaSnapshot()).split("\n", 1);
  return line.replace(/^- /, "").replaceAll(/"|:$/g, "");
}

/** Presses a key until what has the focus matches; fails after 60 presses, naming what it met. */
export async function press(page: Page, key: string, until: RegExp): Promise<void> {
  const met: string[] = [];
  for (let count = 0; count < 60; count++) {
    await page.keyboard.press(key);
    const name = await focused(page);
    if (until.test(name)) return;
    met.push(name);
  }
  throw new Error(`${key} never reached ${String(until)}; it met ${[...new Set(met)].join(" | ")}`);
}
