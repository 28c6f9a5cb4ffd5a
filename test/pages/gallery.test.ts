/** What the gallery's HTML says; how it behaves in a browser is in test/browser/. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { galleryPage, type GalleryMail } from "../../src/pages/gallery.js";

const mail = (given: Partial<GalleryMail> = {}): GalleryMail => ({
  to: "ada@example.com",
  subject: "Your cart",
  html: "<p>Hello</p>",
  text: "Hello",
  segment: "cart",
  step: "nudge",
  template: "cart_nudge",
  messageId: "m1",
  receivedAt: "2026-03-02T12:05:00Z",
  ...given,
});

it("groups by segment, in the order of arrival, with counts", () => {
  const page = galleryPage([
    mail({ subject: "Second", receivedAt: "2026-03-02T12:06:00Z" }),
    mail({ subject: "Other", segment: "phone" }),
    mail({ subject: "First", receivedAt: "2026-03-02T12:05:00.500Z" }),
  ]);
  expect([...page.matchAll(/<strong>(.*?)<\/strong>/g)].map(([, subject]) => subject)).toEqual(["First", "Second", "Other"]);
  expect(page).toContain(`<a href="#segment-cart">cart</a> <span class="soft">2</span>`);
  const ids = [...page.matchAll(/ id="(.*?)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(galleryPage([])).toContain("<h1>0 emails sent</h1>");
});

it("escapes everything, and lets one script run: its own", () => {
  const bad = `"><script>alert(1)</script></template>`;
  const page = galleryPage([
    mail({ to: bad, subject: bad, html: bad, text: bad, segment: bad, step: bad, messageId: bad, receivedAt: "2026-03-02T12:05:00Z" }),
  ]);
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script = ""]) => script);
  expect(scripts).toHaveLength(1);
  const hash = createHash("sha256")
    .update(scripts[0] ?? "")
    .digest("base64");
  expect(page).toContain(
    `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:; form-action &#39;none&#39;; base-uri &#39;none&#39;; script-src &#39;sha256-${hash}&#39;"`,
  );
});

it("shows the text of a mail that has nothing else", () => {
  const page = galleryPage([mail({ html: null })]);
  expect(page).not.toContain("<template");
  expect(page).toContain("<details open><summary>Plain text</summary><pre>Hello</pre></details>");
});
