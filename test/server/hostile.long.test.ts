/** One email that is made to end or hang what reads it: by real HTTP, each is taken, listed and shown, and the sandbox goes on. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../src/server/sandbox/sandbox.js";
import { galleryPage } from "../../src/pages/gallery.js";
import { mail, refused, template, input } from "../render/fixtures.js";

const many = (count: number, of: (index: number) => string): string => Array.from({ length: count }, (_, index) => of(index)).join("");

/** The reason that is shown above the source; null: it is drawn. */
const HOSTILE: Readonly<Record<string, [html: string, reason: string | null]>> = {
  "100,000 nested tags": ["<div>".repeat(100_000), "nests deeper than 512 elements"],
  "100,000 nested links": [many(100_000, () => '<a href="https://a.example"><table><tr><td>'), "nests deeper than 512 elements"],
  "tables in tables": ["<table><tr><td>".repeat(100_000), "nests deeper than 512 elements"],
  "drawings in drawings": ["<svg>".repeat(100_000), "nests deeper than 512 elements"],
  "formatting that each paragraph repeats": [many(100_000, (index) => `<font id=${String(index)}><p>`), "more than 50000 elements"],
  "formatting that is left open": [many(100_000, (index) => `<p><b id=${String(index)}>x</p>`), "more than 50000 elements"],
  "formatting repeated to the depth": [`${many(400, (index) => `<b id=${String(index)}>`)}${"<p></p>x".repeat(200_000)}`, "more than 50000 elements"],
  "a million elements": ["<br>".repeat(1_000_000), "more than 50000 elements"],
  "what a table throws out": [`<table>${"<i></i>".repeat(1_000_000)}`, "more than 50000 elements"],
  "a million attributes": [`<p ${many(1_000_000, (index) => `a${String(index)} `)}>`, "more than 100000 attributes"],
  "a million attributes alike": [`<p ${"a=1 ".repeat(1_000_000)}>`, "more than 100000 attributes"],
  "1 MB of <": ["<".repeat(1_000_000), null],
  "1 MB of <!--": ["<!--".repeat(250_000), null],
  "1 MB of entities": ["&amp".repeat(250_000), null],
  "1 MB of blanks in CSS": [`<style>p{background:url(${" ".repeat(1_000_000)}`, null],
  "1 MB in 400 nested links": [`<svg>${'<a href="https://a.example">'.repeat(400)}${"x".repeat(1_000_000)}`, null],
  "1 MB of a broken tag": [`<a ${'"'.repeat(1_000_000)}`, null],
};

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({ port: 0 });
});
afterEach(() => sandbox.close());

async function post(html: string): Promise<number> {
  const response = await fetch(`${sandbox.url}/v3/mail/send`, {
    method: "POST",
    headers: { authorization: "Bearer SG.any", "content-type": "application/json" },
    body: JSON.stringify({
      personalizations: [{ to: [{ email: "ada@example.com" }] }],
      from: { email: "shop@example.com" },
      subject: "Hello",
      content: [{ type: "text/html", value: html }],
    }),
  });
  return response.status;
}

it.each(Object.entries(HOSTILE))("%s: the sandbox shows it and goes on", async (_, [html, reason]) => {
  expect(await post(html)).toBe(202);
  const { messages } = (await (await fetch(`${sandbox.url}/page/messages`)).json()) as { messages: { id: string }[] };
  const at = `${sandbox.url}/page/messages/${messages[0]?.id ?? ""}`;
  const detail = await (await fetch(at)).text();
  const shown = await (await fetch(`${at}/html`)).text();
  // The source and the links, no more.
  expect(detail.length).toBeLessThan(html.length * 2 + 200_000);
  const why = /<p>This email is not drawn\. The HTML (?:has )?(.*?)\. Its source:<\/p><pre>&lt;/.exec(shown.slice(0, 500));
  expect(why?.[1] ?? null).toBe(reason);
  if (reason !== null) expect(shown.length).toBeLessThan(1_500_000);
  expect(
    galleryPage([{ to: "a", subject: "S", html, text: "t", segment: "s", step: "x", template: "t", messageId: "m", receivedAt: "2026-03-02T12:00:00Z" }]),
  ).toContain("</html>");
  expect(await post("<p>Afterwards</p>")).toBe(202);
});

it.each(Object.entries(HOSTILE))("%s: as a value it is text, or makes its message invalid", (_, [html, reason]) => {
  const escaped = mail(template("<p>{{v}}</p>"), input({ v: html }));
  expect(escaped.text.length).toBeGreaterThan(0);
  if (reason !== null) expect(refused(template("<div>{{{v}}}</div>"), input({ v: html }))).toMatch(/^templates\/t\.hbs/);
});

it("says of a template which bound it breaks", () => {
  expect(() => template("<div>".repeat(600))).toThrow("The HTML nests deeper than 512 elements.");
});
