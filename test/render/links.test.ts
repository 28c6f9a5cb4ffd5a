import { describe, expect, it } from "vitest";
import type { Settings } from "../../src/render/types.js";
import { rewriteLinks, withUtm } from "../../src/render/html/links.js";
import { input, load, mail, NO_LINKS, problemsOf, refused, template } from "./fixtures.js";

const base = { "layouts/base.hbs": "<html><body>{{{body}}}</body></html>" };
const settings = (utm: Settings["utm"]): Settings => ({ locale: "en", timezone: "UTC", utm, unsubscribeUrl: "https://shop.example/u?token=abc" });
const UTM = settings([
  ["utm_source", "mail"],
  ["utm_campaign", "a b&c"],
]);
const ADDED = "utm_source=mail&utm_campaign=a%20b%26c";

describe("schemes", () => {
  it.each([
    ["javascript:alert(1)", "javascript"],
    ["JaVaScRiPt:alert(1)", "javascript"],
    ["java\nscript:alert(1)", "javascript"],
    ["java\tscript:x", "javascript"],
    ["\u0001javascript:x", "javascript"],
    [" javascript:x", "javascript"],
    ["java\u0000script:x", "javascript"],
    ["javascript\n:x", "javascript"],
    ["\u200bjavascript:x", "javascript"],
    ["data:text/html,x", "data"],
    ["vbscript:x", "vbscript"],
    ["file:///etc/passwd", "file"],
    ["ftp://a.example", "ftp"],
    ["blob:x", "blob"],
    ["cid:x", "cid"],
  ])("refuses the value %j by name", (value, scheme) => {
    const reason = refused(template('<p>a</p>\n<a href="{{v}}">x</a>'), input({ v: value }));
    expect(reason).toContain(`templates/t.hbs:5:10: the link in href has the scheme "${scheme}"`);
  });

  it.each(["/cart", "cart", "//evil.example/x", "", "&#106;avascript:x", "javascript&colon;x", "https", "?a=b"])("refuses %j, which has no scheme", (value) => {
    expect(refused(template('<a href="{{v}}">x</a>'), input({ v: value }))).toContain("the link in href has no scheme");
  });

  it.each(["http://a.example", "HTTPS://a.example/ä?q=<b>&x=\"y'", "mailto:a@b.example?subject=x", "tel:+41441234567", "#top"])(
    "lets %j pass unchanged",
    (value) => {
      const { html, text } = mail(template('<a href="{{v}}">x</a>'), input({ v: value }));
      expect(html).toContain(
        `<a href="${value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;").replace(/'/g, "&#39;")}">`,
      );
      if (!value.startsWith("#")) expect(text).toBe(`x (${value.replace(/^mailto:/, "mailto:")})`);
    },
  );

  it("refuses a control character inside an allowed link", () => {
    expect(refused(template('<a href="{{v}}">x</a>'), input({ v: "https://a.example/\nx" }))).toContain("holds a control character");
  });

  it.each(["src", "action", "formaction", "background", "poster", "cite", "data", "ping", "srcset"])("looks at %s too", (attribute) => {
    expect(refused(template(`<p ${attribute}="{{v}}">x</p>`), input({ v: "javascript:x" }))).toContain(`in ${attribute} has the scheme "javascript"`);
  });

  it("finds a scheme that template and value make together, and in Outlook's comments", () => {
    expect(refused(template('<a href="java{{v}}">x</a>'), input({ v: "script:x" }))).toContain('"javascript"');
    expect(refused(template('<!--[if mso]><v:rect href="{{v}}"></v:rect><![endif]--><p>x</p>'), input({ v: "javascript:x" }))).toContain('"javascript"');
  });

  it("finds the author's own at load, with line and column", () => {
    const bad = [
      '<a href="javascript:x">',
      '<a href="java&#10;script:x">',
      '<a href="&#x6A;avascript:x">',
      "<a href=javascript:x>",
      '<a href="javascript:{{v}}">',
      '<img src="data:x">',
      '<a href="/cart">',
    ];
    const { problems } = load({ ...base, "t.hbs": `---\nsubject: S\n---\n${bad.join("x</a>\n")}` });
    expect(problems.map(({ line, code }) => `${line} ${code}`)).toEqual(bad.map((_, index) => `${index + 4} template/link`));
    expect(problems[0]).toMatchObject({ column: 10, message: expect.stringContaining('"javascript"') as string });
  });
});

describe("places where a value can't be made safe", () => {
  it.each([
    ["<p {{v}}>x</p>", "4:4"],
    ["<{{v}}>x</p>", "4:2"],
    ["<p title={{v}}>x</p>", "4:10"],
    ["<p onclick=\"f('{{v}}')\">x</p>", "4:16"],
    ["<script>{{v}}</script>", "4:9"],
    ['<iframe srcdoc="{{v}}"></iframe>', "4:17"],
    ['<meta http-equiv="refresh" content="0;url={{v}}">', "4:43"],
    ['<p title="{{{v}}}">x</p>', "4:11"],
    ["<p>x</p><!-- {{{v}}} -->", "4:14"],
    ["<p>x</p></{{v}}>", "4:11"],
    ["<textarea>{{v}}</textarea>", "4:11"],
  ])("%s is refused at load", (body, at) => {
    expect(problemsOf({ ...base, "t.hbs": `---\nsubject: S\n---\n${body}<p></p>` })).toEqual([`templates/t.hbs:${at} template/unsafe-value`]);
  });
});

describe("UTM parameters", () => {
  it.each([
    ["https://a.example", `https://a.example?${ADDED}`],
    ["https://a.example/?", `https://a.example/?${ADDED}`],
    ["https://a.example/?x=%20ä&", `https://a.example/?x=%20ä&${ADDED}`],
    ["https://a.example/p?x=1;y=2#frag?z", `https://a.example/p?x=1;y=2&${ADDED}#frag?z`],
    ["https://a.example/#a?b", `https://a.example/?${ADDED}#a?b`],
    ["https://a.example/?utm_source=mine", "https://a.example/?utm_source=mine&utm_campaign=a%20b%26c"],
    ["https://a.example/?utm_source=1&utm_campaign", "https://a.example/?utm_source=1&utm_campaign"],
    ["https://a.example/?xutm_source=1", `https://a.example/?xutm_source=1&${ADDED}`],
    ["mailto:a@b.example", "mailto:a@b.example"],
    ["tel:+41", "tel:+41"],
    ["#top", "#top"],
    ["https://shop.example/u?token=abc", "https://shop.example/u?token=abc"],
  ])("%s → %s", (url, expected) => {
    expect(withUtm(url, UTM)).toBe(expected);
  });

  it("touch no other byte of finished HTML", () => {
    const html = `<!DOCTYPE html>\n<BODY  bgcolor=red>&copy; <a  HREF='https://a.example/?a=1&b=2&amp;c#x'\n>1</a><A href=https://b.example>2</A><a href="https://c.example/&#35;x" title="https://t.example">3</a><img src="https://i.example/x.png"><p>unclosed`;
    const result = rewriteLinks(html, UTM);
    const added = ["&amp;", "?", "?"].map((joint) => `${joint}${ADDED.replace("&", "&amp;")}`);
    expect(result).toContain(`?a=1&b=2&amp;c${added[0]}#x'`);
    expect(result).toContain(`https://b.example${added[1]}>`);
    expect(result.split(/[?&](?:amp;)?utm_source=mail&amp;utm_campaign=a%20b%26c/).join("")).toBe(html);
  });

  it("come with the values of segment, step and variant, in HTML and text, for fixed and worked-out links, but never in pictures", () => {
    const t = template('<a href="https://a.example/x">1</a> <a href="{{v}}#f">2</a> <img src="https://i.example/{{n}}" alt="">');
    const links = { ...NO_LINKS, utm: { source: "shop", utm_campaign: "{{segment}}-{{step}}", content: "{{variant}}" } };
    const { html, text } = mail(t, input({ v: "https://b.example/?q=1", n: 1 }, { links }));
    const utm = "utm_source=shop&utm_campaign=cart_abandoned-reminder";
    expect(text).toBe(`1 (https://a.example/x?${utm}) 2 (https://b.example/?q=1&${utm}#f)`);
    expect(html).toContain(`href="https://a.example/x?${utm.replace("&", "&amp;")}"`);
    expect(html).toContain('src="https://i.example/1"');
  });
});
