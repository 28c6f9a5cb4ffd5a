/** `{{{value}}}`: whatever a value ends in the middle of, the email after it stays the email. */
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { describe, expect, it } from "vitest";
import { renderText } from "../../src/render/render.js";
import type { Template } from "../../src/render/types.js";
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
  "something laid over the rest": "<a href=https://evil.example style='POSITION : fixed;inset:0'>x</a>",
  "the same after a comment": "<a href=https://evil.example style='position/**/:fixed;inset:0'>x</a>",
  "the same, written otherwise": "<a href=https://evil.example style='p\\6fsition:fixed;inset:0'>x</a>",
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

it.each(["position: relative", "position:static; color:red", "background-position: center"])("leaves the style %s as it is", (style) => {
  expect(mail(PLACES.div(), input({ v: `<p style="${style}">x</p>` })).html).toContain(`<p style="${style}">x</p>`);
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
