/** What the page's server gives a browser; what a browser makes of it is in test/browser. */
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { framedMail } from "../../src/core/framed-mail.js";
import { startSandbox, type Sandbox } from "../../src/server/sandbox/sandbox.js";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({ port: 0 });
});
afterEach(() => sandbox.close());

const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${sandbox.url}${path}`, init);

async function post(changes: Record<string, unknown> = {}): Promise<string> {
  const response = await ask("/v3/mail/send", {
    method: "POST",
    headers: { authorization: "Bearer SG.any", "content-type": "application/json" },
    body: JSON.stringify({
      personalizations: [{ to: [{ email: "Ada@example.com" }] }],
      from: { email: "shop@example.com", name: "Shop" },
      subject: "Hello",
      content: [{ type: "text/html", value: "<p>Hello</p>" }],
      categories: ["welcome"],
      ...changes,
    }),
  });
  return response.headers.get("x-message-id") ?? "";
}

describe("the page's files", () => {
  it("are all served, each with its type and a policy that lets nothing in from elsewhere", async () => {
    const files = readdirSync(new URL("../../src/server/page/", import.meta.url));
    expect(files).toEqual(expect.arrayContaining(["index.html", "main.js", "style.css"]));
    const types: Record<string, string> = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
    for (const path of ["/", ...files.map((file) => `/page/${file}`)]) {
      const response = await ask(path);
      expect(response.status, path).toBe(200);
      expect(response.headers.get("content-type"), path).toBe(`${types[path === "/" ? "html" : (path.split(".").at(-1) ?? "")] ?? ""}; charset=utf-8`);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
    }
    const { files: packed } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { files: string[] };
    expect(packed).toContain("src/server/page");
  });

  it("are all there is", async () => {
    for (const path of [
      "/page",
      "/page/",
      "/page/nothing.js",
      "/page/..%2fpage.ts",
      "/page/../../../package.json",
      "/page/page.ts",
      "/page/messages/1",
      "/page/%",
    ]) {
      expect((await ask(path)).status, path).toBe(404);
    }
    expect((await ask("/", { method: "POST" })).status).toBe(405);
    expect((await ask("/page/messages", { method: "DELETE" })).status).toBe(405);
    expect((await ask("/page/messages?limit=0")).status).toBe(400);
    expect((await ask(`/page/messages/${await post()}/other`)).status).toBe(404);
  });
});

describe("messages", () => {
  it("are listed newest first, and found by address, subject and segment", async () => {
    await post();
    const second = await post({ personalizations: [{ to: [{ email: "bo@example.com" }], subject: "The Second" }], categories: ["carts"] });
    const list = async (query: string): Promise<unknown> => (await ask(`/page/messages${query}`)).json();
    expect(await list("?limit=1")).toEqual({
      found: 2,
      messages: [{ id: second, order: 2, at: expect.any(String) as string, to: "bo@example.com", subject: "The Second", segment: "carts", step: "" }],
    });
    for (const words of ["BO@", "the second", "cart"])
      expect(await list(`?search=${encodeURIComponent(words)}`)).toMatchObject({ found: 1, messages: [{ id: second }] });
    expect(await list("?search=ada%40")).toMatchObject({ found: 1, messages: [{ subject: "Hello" }] });
    expect(await list("?search=shop")).toEqual({ found: 0, messages: [] });
  });

  it("are shown with their headers and those of the request, without the key", async () => {
    const id = await post({
      personalizations: [
        {
          to: [{ email: "ada@example.com", name: "Ada" }],
          cc: [{ email: "c@example.com" }],
          bcc: [{ email: "b@example.com" }],
          headers: { "X-Own": "1" },
          custom_args: { message_id: "m1" },
        },
        { to: [{ email: "bo@example.com" }] },
      ],
      reply_to: { email: "help@example.com" },
      headers: { "X-All": "2" },
      custom_args: { run_id: "r1" },
    });
    const message = (await (await ask(`/page/messages/${id}`)).json()) as { headers: unknown; request: Record<string, string>; source: unknown };
    expect(message).toMatchObject({
      to: "ada@example.com, c@example.com, b@example.com, bo@example.com",
      from: "Shop <shop@example.com>",
      hasHtml: true,
      text: null,
    });
    expect(message.headers).toEqual([
      ["From", "Shop <shop@example.com>"],
      ["To", "Ada <ada@example.com>, bo@example.com"],
      ["Cc", "c@example.com"],
      ["Bcc", "b@example.com"],
      ["Reply-To", "help@example.com"],
      ["Subject", "Hello"],
      ["X-All", "2"],
      ["X-Own", "1"],
      ["custom_args run_id", "r1"],
      ["custom_args message_id", "m1"],
    ]);
    expect(message.request).toMatchObject({ "content-type": "application/json" });
    expect(message.request).not.toHaveProperty("authorization");
    expect(message.source).toEqual(sandbox.messages()[0]?.body);
    expect((await ask(`/page/messages/${id}/decision`)).status).toBe(503);
  });

  it("have their HTML in a document of no origin that may load nothing", async () => {
    const response = await ask(`/page/messages/${await post()}/html`);
    expect(await response.text()).toBe("<p>Hello</p>");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy.split("; ")).toEqual(expect.arrayContaining(["default-src 'none'", "form-action 'none'", "base-uri 'none'", "sandbox"]));
    expect(policy).not.toMatch(/https?:|allow-|script/);
  });
});

it("tells of changes as they happen, several at once in one", async () => {
  const stop = new AbortController();
  const response = await ask("/page/events", { signal: stop.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  const states = (): Record<string, unknown>[] => [...seen.matchAll(/^data: (.*)\n\n/gm)].map(([, json = ""]) => JSON.parse(json) as Record<string, unknown>);
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) seen += (await reader?.read())?.value ?? "";
  };
  await until(() => states().length === 1);
  expect(states()[0]).toMatchObject({ kind: "sandbox", newest: 0, kept: 0, faults: [] });
  await Promise.all(Array.from({ length: 20 }, () => post()));
  await until(() => states().at(-1)?.["newest"] === 20);
  expect(states().length).toBeLessThan(21);
  sandbox.setFaults([{ status: 429 }]);
  await until(() => JSON.stringify(states().at(-1)?.["faults"]) === '[{"status":429}]');
  const { epoch } = states().at(-1) ?? {};
  sandbox.clear();
  await until(() => states().at(-1)?.["newest"] === 0);
  expect(states().at(-1)?.["epoch"]).not.toBe(epoch);
  stop.abort();
});

describe("a framed mail", () => {
  it.each([
    ["<p>Hello</p>", "<p>Hello</p>"],
    [`<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "x"><TABLE bgcolor=red><td>&nbsp;<p>a`, null],
    [`<a href="https://a.example">A</a>`, `<a target="_blank" href="https://a.example">A</a>`],
    [`<A HREF=x Target = '_top'>A</A>`, `<A HREF=x target="_blank">A</A>`],
    [`<a target=_self\nhref=x>A</a><map><area href="y"></map>`, `<a target="_blank"\nhref=x>A</a><map><area target="_blank" href="y"></map>`],
    // Misnested, so that the parser makes two elements of one tag.
    [`<a href=x><div><b>1</a>2</b></div>`, `<a target="_blank" href=x><div><b>1</a>2</b></div>`],
    [`<svg><a xlink:href="x" target="_top">t</a></svg>`, `<svg><a xlink:href="x" target="_blank">t</a></svg>`],
    [`<head><link rel=preconnect href="//a.example"><LINK REL="dns-prefetch" HREF="//b.example"/></head>x`, `<head></head>x`],
    [`<meta http-equiv=" Refresh" content="0"><meta charset="utf-8">`, `<meta charset="utf-8">`],
    [`a<iframe src="//a.example"><a href=x></iframe>b<embed src=y>c`, `abc`],
    [`<object data="//a.example"><p>Shown <a href=x>instead</a>`, `<p>Shown <a target="_blank" href=x>instead</a>`],
    [`<frameset><frame src="//a.example"></frameset>`, `<frameset></frameset>`],
    [`<!-- <a href=x> --><style>a{}</style>`, null],
  ])("%j", (html, framed) => {
    expect(framedMail(html).html).toBe(framed ?? html);
  });

  it("names its links and what it would load", () => {
    const { links, remote } =
      framedMail(`<link rel=stylesheet href="https://a.example/a.css"><style>@import "https://b.example/b.css"; p { background: url(https://c.example/c.png) }</style>
      <a href="https://shop.example/?a=1&amp;b=2">Open  <b>your</b>\ncart</a><a name="x">no link</a><a href="#top"><img src="//d.example/d.png" alt="Logo"></a>
      <table background="http://e.example/e.png" style="background-image:url('https://f.example/f.png')"></table>
      <img src="data:image/gif;base64,R0" alt=""><img src="cid:logo" alt=""><img srcset="https://g.example/1.png 1x, https://g.example/2.png 2x" src="https://g.example/1.png" alt="">`);
    expect(links).toEqual([
      { text: "Open your cart", url: "https://shop.example/?a=1&b=2" },
      { text: "Logo", url: "#top" },
    ]);
    expect(remote).toEqual([
      "https://a.example/a.css",
      "https://b.example/b.css",
      "https://c.example/c.png",
      "//d.example/d.png",
      "http://e.example/e.png",
      "https://f.example/f.png",
      "https://g.example/1.png",
      "https://g.example/2.png",
    ]);
  });
});
