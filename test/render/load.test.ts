import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { formatProblem } from "../../src/core/errors.js";
import { inlineCss } from "../../src/render/html/inline.js";
import { checkUtm } from "../../src/render/compile/compile-text.js";
import { HELPERS } from "../../src/render/language/helpers.js";
import { checkTemplate, loadTemplates } from "../../src/render/templates/load.js";
import { input, load, mail, problemsOf, refused, template } from "./fixtures.js";

const base = { "layouts/base.hbs": "<html><body>{{{body}}}</body></html>" };
const one = (text: string): string[] => problemsOf({ ...base, "partials/button.hbs": "<b>x</b>", "t.hbs": text });

describe("what is wrong is said at load, with its place", () => {
  it.each([
    ["an open block", "---\nsubject: S\n---\n<p>\n{{#if a}}</p>", ["templates/t.hbs:5 template/syntax"]],
    ["a wrong end", "<p>{{#if a}}\n{{/each}}</p>", ["templates/t.hbs:1:7 template/syntax"]],
    ["an unknown helper", "---\nsubject: S\n---\n<p>{{mony a}}</p>", ["templates/t.hbs:4:4 template/unknown-helper"]],
    ["an unknown helper in a condition", "---\nsubject: S\n---\n<p>{{#if (equals a b)}}{{/if}}</p>", ["templates/t.hbs:4:10 template/unknown-helper"]],
    ["an unknown block", "---\nsubject: S\n---\n<p>{{#items}}{{/items}}</p>", ["templates/t.hbs:4:4 template/unknown-block"]],
    [
      "log and lookup",
      "---\nsubject: S\n---\n<p>{{log a}}{{lookup a b}}</p>",
      ["templates/t.hbs:4:4 template/unknown-helper", "templates/t.hbs:4:13 template/unknown-helper"],
    ],
    ["a helper of the renderer's own", '---\nsubject: S\n---\n<p>{{__value a "b"}}</p>', ["templates/t.hbs:4:4 template/unknown-helper"]],
    ["too few arguments", "---\nsubject: S\n---\n<p>{{date}}</p>", ["templates/t.hbs:4:4 template/helper-arguments"]],
    ["an unknown partial", "---\nsubject: S\n---\n<p>{{> buton}}</p>", ["templates/t.hbs:4:4 template/unknown-partial"]],
    ["a dynamic partial", "---\nsubject: S\n---\n<p>{{> (lower a)}}</p>", ["templates/t.hbs:4:4 template/dynamic-partial"]],
    ["an inline partial", '---\nsubject: S\n---\n<p>{{#*inline "x"}}{{/inline}}</p>', ["templates/t.hbs:4:4 template/decorator"]],
    ["an unknown layout", "---\nsubject: S\nlayout: bse\n---\n<p>x</p>", ["templates/t.hbs:3:9 template/unknown-layout"]],
    ["no subject", "<p>x</p>", ["templates/t.hbs:1:1 template/no-subject"]],
    ["a topic, which is the segment's", "---\nsubject: S\ntopic: carts\n---\n<p>x</p>", ["templates/t.hbs:3:1 template/topic"]],
    ["an unknown key", "---\nsubjct: S\n---\n<p>x</p>", ["templates/t.hbs:2:1 template/unknown-key"]],
    ["a key given twice", "---\nsubject: S\nsubject: T\n---\n<p>x</p>", ["templates/t.hbs:3:1 template/front-matter"]],
    ["a number as subject", "---\nsubject: 12\n---\n<p>x</p>", ["templates/t.hbs:2:10 template/front-matter"]],
    ["an alias to nothing", "---\nsubject: *soon\n---\n<p>x</p>", ["templates/t.hbs:2:10 template/front-matter"]],
    ["front matter that never ends", "---\nsubject: S\n<p>x</p>", ["templates/t.hbs:1:1 template/front-matter"]],
    ["an unquoted {{", "---\nsubject: {{name}}, hello\n---\n<p>x</p>", ["templates/t.hbs:2:18 template/front-matter"]],
    ["broken Handlebars in the subject", '---\nsubject: "Hi {{#if}"\n---\n<p>x</p>', ["templates/t.hbs:2 template/syntax"]],
    ["a helper in the preheader", '---\nsubject: S\npreheader: "Hi {{uper a}}"\n---\n<p>x</p>', ["templates/t.hbs:3:16 template/unknown-helper"]],
    ["a sender without an address", "---\nsubject: S\nfrom: Shop\n---\n<p>x</p>", ["templates/t.hbs:3:7 template/address"]],
    ["@name", "---\nsubject: S\n---\n<p>{{@indx}}</p>", ["templates/t.hbs:4:6 template/unknown-data"]],
  ])("%s", (_, text, expected) => {
    expect(one(text)).toEqual(expected);
  });

  it("all files at once, each fault once, with the name that was meant", () => {
    const { problems, templates } = load({
      "layouts/base.hbs": "<html><body>{{{body}}}{{uper brand}}</body></html>",
      "layouts/empty.hbs": "<html></html>",
      "partials/loop.hbs": "{{> loop}}",
      "a.hbs": "---\nsubject: S\n---\n<p>{{mony x}}</p>",
      "b/c.hbs": "---\nsubject: S\n---\n<p>x</p>",
    });
    expect(problems.map(formatProblem).join("\n")).toContain('Did you mean "money"?');
    expect(problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      "templates/a.hbs template/unknown-helper",
      "templates/layouts/base.hbs template/unknown-helper",
      "templates/layouts/empty.hbs template/layout-body",
      "templates/partials/loop.hbs template/circular-partial",
    ]);
    expect([...templates.keys()]).toEqual([]);
  });

  it("a layout's fault is reported once, however many templates use it", () => {
    expect(
      problemsOf({
        "layouts/base.hbs": '<html><body><a href="/x">x</a>{{{body}}}</body></html>',
        "a.hbs": "---\nsubject: S\n---\n<p></p>",
        "b.hbs": "---\nsubject: S\n---\n<p></p>",
      }),
    ).toEqual(["templates/layouts/base.hbs:1:22 template/link"]);
  });

  it("a folder without templates has none", () => {
    expect(load({}).templates.size).toBe(0);
    expect(loadTemplates("/nonexistent/folder").problems).toEqual([]);
  });

  it("says what does not fit the channel", () => {
    const mailOnly = template("<p>x</p>");
    expect(checkTemplate(mailOnly, "sms").map(({ code }) => code)).toEqual(["template/channel"]);
    expect(checkTemplate(mailOnly, "email")).toEqual([]);
    const { templates } = load({ "s.hbs": "Hi {{name}}" });
    const sms = templates.get("s");
    expect(sms === undefined ? [] : checkTemplate(sms, "email").map(({ code }) => code)).toEqual(["template/no-subject", "template/unknown-layout"]);
  });

  it("checks UTM values", () => {
    const start = { file: "opportune.yml", line: 3, column: 0 };
    expect(checkUtm({ source: "{{segment}}" }, start)).toEqual([]);
    expect(checkUtm({ source: "{{email}}", medium: "{{" }, start).map(({ code }) => code)).toEqual(["links/utm", "template/syntax"]);
  });
});

describe("names and versions", () => {
  const files = { ...base, "partials/p.hbs": "<i>p</i>", "partials/q.hbs": "<i>q</i>", "a/b.hbs": "---\nsubject: S\n---\n<p>{{> p}}</p>" };
  const version = (changes: Readonly<Record<string, string>> = {}): string | undefined => load({ ...files, ...changes }).templates.get("a/b")?.version;
  it("names are paths; versions follow the template and what it uses, and nothing else", () => {
    expect(version()).toMatch(/^[0-9a-f]{12}$/);
    expect(version({ "partials/q.hbs": "other" })).toBe(version());
    expect(version({ "a/b.hbs": files["a/b.hbs"].replaceAll("\n", "\r\n") })).toBe(version());
    for (const name of ["partials/p.hbs", "layouts/base.hbs", "a/b.hbs"] as const) expect(version({ [name]: `${files[name]} ` })).not.toBe(version());
  });
});

describe("CSS", () => {
  it("reads no file and no URL", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.end("p { color: red }");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.css`;
    try {
      for (const href of ["file:///etc/passwd", "/etc/passwd", "package.json", url]) {
        const html = inlineCss(
          `<html><head><link rel="stylesheet" href="${href}"><style>@import "${href}"; @import url(${href});</style></head><body><p>x</p></body></html>`,
        );
        expect(html).toContain("<p>x</p>");
        expect(html).not.toMatch(/root:|opportune|color: red/);
      }
      const t = template(`<link rel="stylesheet" href="${url}"><style>@import url(${url}); p { margin: 0 }</style><p>x</p>`);
      expect(mail(t, input({})).html).toContain('<p style="margin: 0;">x</p>');
      await new Promise((resolve) => setImmediate(resolve));
      expect(requests).toBe(0);
      await fetch(url);
      expect(requests).toBe(1);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("is inlined once where it can be, and for each message where values change what it applies to; both look alike", () => {
    const style = "<style>.a{color:red}p{margin:0} @media (max-width:1px){p{margin:1px}}</style>";
    const how = (body: string): string | null => {
      const form = template(style + body).email();
      return form.ok ? form.built.inlineEachTime : "failed";
    };
    expect(how('<p class="a" title="{{v}}">{{v}}{{#if v}}<i>x</i>{{/if}}</p>')).toBeNull();
    expect(how('<table>{{#each v}}<tr><td class="a">{{this}}</td></tr>{{/each}}</table>')).toBeNull();
    expect(how('<p style="color:{{v}}">x</p>')).toContain("attribute style");
    expect(how('<p class="{{v}}">x</p>')).toContain("attribute class");
    expect(how('<p {{#if v}}class="a"{{/if}}>x</p>')).toContain("inside a tag");
    expect(how("<style>p{color:{{v}} }</style><p>x</p>")).toContain("<style>");
    expect(how("{{#if v}}<div>{{/if}}x{{#if v}}</div>{{/if}}")).toContain("different sides");
    expect(how("<style>p:first-child{margin:0}</style>{{#if v}}<p>x</p>{{/if}}<p>y</p>")).toContain("first-child");
    expect(mail(template(`${style}<p class="{{v}}">{{w}}</p>`), input({ v: "a", w: "<b>" })).html).toContain(
      '<p class="a" style="margin: 0;color: red;">&lt;b&gt;</p>',
    );
    expect(mail(template(`${style}<p class="a">{{w}}</p>`), input({ w: "<b>" })).html).toContain('<p class="a" style="margin: 0;color: red;">&lt;b&gt;</p>');
  });

  it("inlined for each message, links are still checked and counted", () => {
    const t = template('<a {{#if v}}class="x"{{/if}} href="{{u}}">go</a>');
    const links = { unsubscribeUrl: null, unsubscribeSecret: null, utm: { source: "x" } };
    expect(mail(t, input({ v: 1, u: "https://a.example/" }, { links })).html).toContain('href="https://a.example/?utm_source=x"');
    expect(mail(t, input({ v: 1, u: "https://a.example/" }, { links })).text).toBe("go (https://a.example/?utm_source=x)");
    expect(() => mail(t, input({ v: 1, u: "java\nscript:x" }))).toThrow('"javascript"');
  });

  it("keeps rows of a table, and conditions in it, where they were", () => {
    const t = template("<table><tr><th>H</th></tr>{{#each v}}<tr><td>{{this}}</td></tr>{{else}}<tr><td>none</td></tr>{{/each}}</table>");
    expect(mail(t, input({ v: ["a", "b"] })).html.replaceAll(/<\/?tbody>/g, "")).toContain(
      "<table><tr><th>H</th></tr><tr><td>a</td></tr><tr><td>b</td></tr></table>",
    );
    expect(mail(t, input({ v: [] })).text).toBe("H\nnone");
  });
});

describe("helpers", () => {
  it.each([
    ['{{money v "EUR"}}', { v: "1234567890123456789.10" }, "€1,234,567,890,123,456,789.10"],
    ['{{money v "jpy" "ja-JP"}}', { v: 5 }, "¥5"],
    ["{{number v}}", { v: "1234.50" }, "1,234.5"],
    ["{{number v 1}}", { v: 2 }, "2.0"],
    ['{{date v "long"}}', { v: "2026-03-02 23:30:00" }, "3 March 2026"],
    ["{{date v}}", { v: "2026-03-02" }, "2 Mar 2026"],
    ['{{date v "datetime"}}', { v: "2026-07-01T10:00:00.123456+00" }, "1 Jul 2026, 12:00"],
    ['{{date v "time"}}', { v: new Date("2026-01-01T10:00:00Z") }, "11:00"],
    ['{{plural v "item" "items"}}', { v: "1" }, "item"],
    ['{{plural v "item" "items"}}', { v: 0 }, "items"],
    ["{{upper v}}{{lower v}}", { v: "Aß" }, "ASSaß"],
    ['{{join v " / "}}', { v: ["a", 1, null] }, "a / 1"],
    ["{{url v}}", { v: "a b&c/ü" }, "a%20b%26c%2F%C3%BC"],
    ["{{#if (gt v 9)}}y{{else}}n{{/if}}", { v: "10.5" }, "y"],
    ["{{#if (lt v 9)}}y{{else}}n{{/if}}", { v: null }, "n"],
    ["{{#if (eq v 10)}}y{{else}}n{{/if}}", { v: "10.00" }, "y"],
    ['{{#if (eq v "7")}}y{{else}}n{{/if}}', { v: "007" }, "n"],
    ['{{default (money v "EUR") "on request"}}', { v: null }, "on request"],
    ["{{#if (and v (not w))}}y{{/if}}", { v: 1, w: [] }, "y"],
    ["{{#if (or w v)}}y{{/if}}", { v: 1, w: 0 }, "y"],
    ['{{default v "x"}}', { v: 0 }, "0"],
  ])("%s of %j is %s", (body, properties, expected) => {
    expect(
      mail(template(`<p>${body}</p>`), input(properties))
        .text.replaceAll("\u00a0", " ")
        .replace("￥", "¥"),
    ).toBe(expected);
  });

  it("wrong arguments are answers", () => {
    const given = input({ v: "2026-03-02T12:00:00Z", w: "english", n: 99 });
    for (const body of ['{{date v "long" w}}', '{{money 1 "EUR" w}}', "{{date v w}}", "{{money 1 w}}", "{{join v}}", "{{date 5}}", "{{number 1 n}}"])
      expect(() => mail(template(`<p>${body}</p>`), given), body).toThrow(/t\.hbs:4:4: \w+:/);
  });

  it("arguments that a template says itself are checked with it", () => {
    for (const body of [
      '{{date v "tiny"}}',
      "{{date v 5}}",
      "{{number v 21}}",
      '{{date v "long" "english"}}',
      '{{money 1 "EURO"}}',
      '{{money 1 "ERU"}}',
      '{{#if (money 1 "EUR" "xx-YY")}}{{/if}}',
    ])
      expect([body, problemsOf({ "t.hbs": `---\nsubject: S\nlayout: none\n---\n<p>${body}</p>` }).map((problem) => problem.replace(/:\d+ /, " "))]).toEqual([
        body,
        ["templates/t.hbs:5 template/helper-arguments"],
      ]);
    expect(
      problemsOf({ "t.hbs": '---\nsubject: S\nlayout: none\n---\n<p>{{date v "long" "de_CH"}}{{money v "eur"}}{{number v 20}}{{date v null}}</p>' }),
    ).toEqual([]);
  });

  it("half a Unicode character is not printed: it would be U+FFFD on its way", () => {
    for (const body of ["{{v}}", "{{{v}}}", "{{upper v}}", "{{join w}}"])
      expect(refused(template(`<p>${body}</p>`), input({ v: "a\ud800b", w: ["\udc00"] }))).toMatch(/^templates\/t\.hbs:4:4: .* half a Unicode character$/);
    expect(mail(template("<p>{{v}}</p>"), input({ v: "🙂" })).text).toBe("🙂");
  });

  it("each has its line in the table", () => {
    for (const [name, { usage, gives }] of Object.entries(HELPERS)) {
      expect(usage).toContain(name);
      expect(gives.length).toBeGreaterThan(10);
    }
  });
});
