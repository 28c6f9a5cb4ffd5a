import { describe, expect, it } from "vitest";
import { compileText } from "../../src/render/compile/compile-text.js";
import { renderEmail } from "../../src/render/render.js";
import { input, mail, NO_LINKS, refused, template } from "./fixtures.js";

describe("escaping", () => {
  const nasty = [
    `Robert'); DROP TABLE users;--`,
    `<script>alert(1)</script>`,
    `" onmouseover="x`,
    `' onload='x`,
    "`x`",
    "&lt;b&gt;",
    "Zoë 日本 👩‍🚀",
    "a\r\nb",
    "{{user_id}}",
    "</style><b>",
  ];
  it.each(nasty)("keeps %j a text in HTML, text and attributes", (value) => {
    const { html, text } = mail(template('<p title="{{v}}">{{v}}</p>'), input({ v: value }));
    const paragraph = /<p title="([^"]*)">([^<]*)<\/p>/.exec(html);
    expect(paragraph, html).not.toBeNull();
    for (const written of paragraph?.slice(1) ?? []) expect(decode(written)).toBe(value);
    expect(text).toBe(value.replace("\r\n", "\n"));
    expect(html).not.toContain("<script");
  });

  it("does not escape subject and preheader, and escapes the preheader in the HTML", () => {
    const { subject, preheader, html } = mail(template("<p>x</p>", 'subject: "{{v}} & co"\npreheader: "{{v}}"'), input({ v: "<i>O'Neil</i>" }));
    expect(subject).toBe("<i>O'Neil</i> & co");
    expect(preheader).toBe("<i>O'Neil</i>");
    expect(html).toContain("&lt;i&gt;O&#x27;Neil&lt;/i&gt;");
    expect(html).not.toContain("<i>");
  });

  it("lets {{{ }}} bring text, links and pictures, and refuses by name what acts", () => {
    const t = template("<div>{{{v}}}</div>");
    const { html, text } = mail(t, input({ v: '<p>Hi <b>you</b> <a href="https://a.example/?x=1&amp;y=2">go</a></p>' }));
    expect(html).toContain('<p>Hi <b>you</b> <a href="https://a.example/?x=1&amp;y=2">go</a></p>');
    expect(text).toBe("Hi you go (https://a.example/?x=1&y=2)");
    for (const [value, reason] of [
      ["<script>x</script>", "<script>"],
      ["<img src='https://a.example/x' onerror=alert(1)>", "onerror"],
      ["<form action='https://a.example'>", "<form>"],
      ["<a href='java&#10;script:alert(1)'>x</a>", '"javascript"'],
      ["<link rel=stylesheet href='file:///etc/passwd'>", "<link>"],
      ["<style>*{}</style>", "<style>"],
      ["<svg/onload=alert(1)>", "<svg>"],
      ["<!-- x -->", "comment"],
      ["<iframe src=x>", "<iframe>"],
      ["<meta http-equiv=refresh>", "<meta>"],
      ["</div><base href='https://e.example/'>", "<base>"],
    ] as const) {
      expect(refused(t, input({ v: value })), value).toContain(reason);
    }
  });
});

describe("headers", () => {
  const controls = ["\r\n", "\n", "\r", "\u0000", "\u2028", "\u2029", "\u000b", "\u0085", "\u001b", "\u007f"];
  it.each(controls)("never lets %j into subject, preheader, sender or unsubscribe header", (control) => {
    const t = template("<p>x</p>", 'subject: "Hi {{v}}"\npreheader: "{{v}}"\nfrom: "{{v}} <shop@shop.example>"\nreply_to: "{{v}} <help@shop.example>"');
    const { subject, preheader, from, replyTo } = mail(t, input({ v: `a${control}Bcc: x@evil.example` }));
    expect(subject).toBe("Hi a Bcc: x@evil.example");
    expect(preheader).toBe("a Bcc: x@evil.example");
    expect(from).toBe("a Bcc: x@evil.example <shop@shop.example>");
    expect(replyTo).toBe("a Bcc: x@evil.example <help@shop.example>");
  });

  it("a value in a sender's name can't become the address", () => {
    expect(mail(template("<p>x</p>", 'subject: S\nfrom: "{{v}} <shop@shop.example>"'), input({ v: 'Evil" <evil@evil.example>' })).from).toBe(
      "Evil evil@evil.example <shop@shop.example>",
    );
    expect(refused(template("<p>x</p>", 'subject: S\nfrom: "{{v}}"'), input({ v: "a@b.example, c@d.example" }))).toContain('"from" is not an email address');
  });

  it("refuses an empty and an endless subject", () => {
    const t = template("<p>x</p>", 'subject: "{{v}}"');
    expect(refused(t, input({ v: " \r\n" }))).toContain("the subject is empty");
    expect(refused(t, input({ v: "x".repeat(10_000_000) }))).toContain("at most 998");
  });

  it("offers one-click unsubscribing in marketing mail alone", () => {
    const t = template('<p>{{#if unsubscribe_url}}<a href="{{unsubscribe_url}}">Unsubscribe</a>{{/if}}</p>');
    const links = { unsubscribeUrl: "https://shop.example/u", unsubscribeSecret: "s", utm: { source: "x" } };
    const marketing = mail(t, input({}, { links }));
    const url = /<a href="([^"]*)">/.exec(marketing.html)?.[1];
    expect(url).toMatch(/^https:\/\/shop\.example\/u\?token=[\w-]+\.[\w-]+$/);
    expect(marketing.headers).toEqual({ "List-Unsubscribe": `<${url}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" });
    for (const given of [input({}, { links, class: "transactional" }), input({}, { links: { ...links, unsubscribeUrl: null } })]) {
      expect(mail(t, given).headers).toEqual({});
      expect(mail(t, given).html).not.toContain("Unsubscribe");
    }
  });
});

describe("strictness", () => {
  it.each([
    ["a null column", "<p>a</p>\n<p>{{v}}</p>", { v: null }, 't.hbs:5:6: "v" is null'],
    ["a missing column", "<p>{{v}}</p>", {}, 't.hbs:4:6: "v" is missing'],
    ["an inherited name", "<p>{{toString}}</p>", {}, '"toString" is missing'],
    ["an inherited name inside a value", "<p>{{v.constructor}}</p>", { v: {} }, '"v.constructor" is missing'],
    ["the prototype", "<p>{{v.__proto__}}</p>", { v: {} }, '"v.__proto__" is missing'],
    ["null inside a list", "{{#each v}}<p>\n{{name}}</p>{{/each}}", { v: [{ name: "a" }, { name: null }] }, 't.hbs:5:1: "name" is null'],
    ["a field of a text", "<p>{{v.name}}</p>", { v: "Ada" }, '"v.name" is missing'],
    ["a list", "<p>{{v}}</p>", { v: [1] }, '"v" is a list'],
    ["an object", "<p>{{v}}</p>", { v: {} }, '"v" is an object'],
    ["a helper's null", '{{#each v}}<p>{{money price "EUR"}}</p>{{/each}}', { v: [{ price: null }] }, '"money price EUR" is null'],
    ["a helper's wrong argument", '<p>\n{{money v "EUR"}}</p>', { v: "abc" }, "t.hbs:5:1: money: the text is not a number"],
  ])("%s is an answer with its place, not an exception", (_, body, properties, reason) => {
    expect(refused(template(body), input(properties))).toContain(reason);
  });

  it("names the column of a currency that there is not, in either part, and not its value", () => {
    for (const [body, column] of [
      ["<p>{{money 5 currency}}</p>", "currency"],
      ['<p>{{default (money 5 order.currency) "none"}}</p>', "order.currency"],
      ['{{#if currency}}<p style="color: {{default currency currency}}">{{money 5 currency}}</p>{{/if}}', "currency"],
    ] as const)
      expect(refused(template(body), input({ currency: "ERU", order: { currency: "ERU" } }))).toMatch(
        new RegExp(`^templates/t\\.hbs:4:\\d+: money: "${column}" is not the code of a currency, such as "EUR"$`),
      );
    expect(mail(template("<p>{{money 5 currency}}</p>"), input({ currency: "jpy" })).text).toMatch(/¥5$/);
  });

  it("names no value in its reasons", () => {
    const t = template('<a href="{{v}}">{{money v "EUR"}}</a>');
    expect(refused(t, input({ v: "javascript:secret-of-ada" }))).not.toContain("secret-of-ada");
  });

  it("takes null where the template asks first", () => {
    const t = template('<p>{{#if v}}{{v}}{{else}}none{{/if}} {{default v "x"}} {{#each v}}{{this}}{{/each}}{{#if (and v w)}}{{v}}{{/if}}</p>');
    expect(mail(t, input({ v: null, w: 1 })).text).toBe("none x");
  });

  it("renders what the segment says about why, escaped, and checks it", () => {
    const { text } = compileText("You left {{item}} behind.", { file: "segments/a.sql", line: 4, column: 9 });
    const t = template("<p>{{because}}</p>");
    expect(mail(t, input({ item: "<b>" }, { because: text })).html).toContain("You left &lt;b&gt; behind.");
    expect(refused(t, input({ item: null }, { because: text }))).toBe('segments/a.sql:4:21: "item" is null');
  });

  it("partials see their arguments wherever these are used", () => {
    const files = {
      "partials/p.hbs": "<i>{{label}}</i>{{#if label}}{{upper label}}{{/if}}",
      "partials/up.hbs": "{{#each l}}{{../label}}{{this}}{{label}};{{/each}}",
      "partials/box.hbs": "[{{> @partial-block}}{{tail}}]",
      "partials/ctx.hbs": "{{name}}{{extra}}",
    };
    const text = (body: string): string =>
      mail(template(`<p></p>${body}`, undefined, files), input({ a: "x&y", date: "d", l: [{ label: "L", toString: 1 }], o: { name: "N", deep: { er: "D" } } }))
        .text;
    expect(text('{{> p label="a & <b>"}}')).toBe("a & <b>A & <B>");
    expect(text("{{> p label=a}} {{> p label=o.deep.er}} {{> p label=date}} {{> p label=(upper a)}}")).toBe("x&yX&Y DD dD X&YX&Y");
    expect(text("{{#> box tail=a}}{{a}}-{{tail}}-{{/box}}")).toBe("[x&y-x&y-x&y]");
    expect(text('{{> ctx o extra="E"}}')).toBe("NE");
    expect(text("{{#with o}}{{> p label=deep.er}}{{/with}}")).toBe("DD");
    expect(() => text("{{> up label=a}}")).toThrow('"this" is an object');
    expect(() => text("{{> p}}")).toThrow('"label" is missing');
  });

  it("the job's names win over columns", () => {
    expect(mail(template("<p>{{user_id}}</p>"), input({ user_id: "other" })).text).toBe("u1");
  });
});

describe("size", () => {
  it("renders a property of 10 MB, escaped and raw, in bounded time", () => {
    const value = "<p>x & y</p>".repeat(850_000);
    const escaped = mail(template("<p>{{v}}</p>"), input({ v: value }));
    expect(escaped.html.length).toBeGreaterThan(value.length);
    expect(escaped.text.length).toBe(value.length);
    expect(renderEmail(template("<p>{{{v}}}</p>"), input({ v: "word ".repeat(2_000_000) })).ok).toBe(true);
  });
  it("takes no quadratic time over blanks, digits, line ends and punctuation", () => {
    const t = template('<p>{{v}}</p>{{#if w}}{{number w}}{{/if}}<a href="{{u}}">x</a>', 'subject: "S"\nfrom: "{{f}} <a@b.example>"');
    const utm = { ...NO_LINKS, utm: { source: "x" } };
    for (const part of [" ", "\n", "\t ", "&", "<", "\u2028"])
      expect(
        renderEmail(
          t,
          input({ v: `${part.repeat(1_000_000)}x`, w: null, f: part.repeat(1_000_000), u: `https://a.example/?${"? &".repeat(300_000)}` }, { links: utm }),
        ).ok,
      ).toBe(true);
    expect(refused(t, input({ v: 1, w: `${"1".repeat(1_000_000)}x`, f: "", u: "https://a.example" }))).toContain("number: the text is not a number");
  });
  it("answers for HTML nested beyond what can be parsed", () => {
    const result = renderEmail(template("<div>{{{v}}}</div>"), input({ v: "<div>".repeat(100_000) }, { links: NO_LINKS }));
    expect(result.ok).toBe(false);
  });
});

function decode(html: string): string {
  const names: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };
  return html.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex?: string, decimal?: string, name?: string) =>
    name === undefined ? String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16)) : (names[name] ?? name),
  );
}
