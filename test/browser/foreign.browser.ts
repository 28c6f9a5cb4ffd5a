/**
 * Emails of other people's kind in Chromium, as their authors wrote them and as they are sent: the same words at the same places,
 * at three widths, light and dark. What is seen is what the text part says.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foreign, NAMES } from "../support/foreign-templates.js";
import { openPage, screenshots, WIDTHS } from "./support.js";

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const [, name = "", which = ""] = (request.url ?? "").split("/");
    const found = NAMES.includes(name) ? foreign(name) : null;
    // Nothing from elsewhere: what pictures and fonts would say is no concern here.
    response.writeHead(found === null ? 404 : 200, {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    });
    response.end(which === "before" ? found?.before : found?.after);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(() => void server.close());

/** Each run of text that has a box: its words, its place, and how it is drawn. */
function drawn(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const words = (node.textContent ?? "").replaceAll(/[\s\u200c\u034f\u00ad\u2007]+/g, " ").trim();
      const parent = node.parentElement;
      if (words === "" || parent === null || ["STYLE", "TITLE"].includes(parent.tagName.toUpperCase()) || parent.closest("[data-preheader]") !== null) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const { x, y, width, height } = range.getBoundingClientRect();
      const { color, fontSize, fontWeight, visibility, opacity, direction, textAlign } = getComputedStyle(parent);
      if (width === 0 || height === 0) continue;
      const place = [x, y, width, height].map(Math.round).join(",");
      found.push(`${words} @${place} ${[color, fontSize, fontWeight, visibility, opacity, direction, textAlign].join(" ")}`);
    }
    return found;
  });
}

/** Words alone, as a reader takes them in. */
const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];

describe.each(NAMES)("%s", (name) => {
  it("looks as it was written, at any width, light and dark", async () => {
    const [before, after] = [await openPage(`${url}/${name}/before`), await openPage(`${url}/${name}/after`)];
    try {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of WIDTHS) {
          for (const { page } of [before, after]) {
            await page.emulateMedia({ colorScheme });
            await page.setViewportSize({ width, height: 800 });
          }
          const was = await drawn(before.page);
          expect(was.length).toBeGreaterThan(1);
          expect(await drawn(after.page), `${String(width)} ${colorScheme}`).toEqual(was);
        }
      }
      expect(await after.page.evaluate(() => document.compatMode)).toBe(await before.page.evaluate(() => document.compatMode));
      await screenshots(before.page, `foreign-${name}-before`);
      await screenshots(after.page, `foreign-${name}-after`);
    } finally {
      await before.close();
      await after.close();
    }
  });

  it("says in its text what is seen on a desktop in the light", async () => {
    const { page, close } = await openPage(`${url}/${name}/after`);
    try {
      const seen = (await drawn(page)).filter((line) => !/ hidden \S+ \S+ \S+$/.test(line)).map((line) => line.slice(0, line.lastIndexOf(" @")));
      const { text } = foreign(name);
      const said = wordsOf(text.replaceAll(/\(https?:[^)]*\)/g, "").replace("A picture", ""));
      expect(said).toEqual(wordsOf(seen.filter((words) => !words.startsWith("Unseen as well")).join(" ")));
    } finally {
      await close();
    }
  });
});
