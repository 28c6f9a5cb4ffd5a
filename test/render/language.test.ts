/** An email says its reader's language, unless its template says one. */
import { describe, expect, it } from "vitest";
import { CONTEXT, input, mail, template } from "./fixtures.js";

const tagOf = (html: string): string => /<html[^>]*>/i.exec(html)?.[0] ?? "";
const rendered = (layout: string, locale: string, body = "<p>{{name}}</p>"): string => {
  const front = layout === "none" ? 'subject: "S"\npreheader: "P"\nlayout: none' : 'subject: "S"\npreheader: "P"';
  const of = template(body, front, { "layouts/base.hbs": layout === "none" ? "{{{body}}}" : layout });
  return mail(of, input({ name: "Ada" }, { context: { ...CONTEXT, locale } })).html;
};

describe("lang and dir", () => {
  it.each([
    ["none", '<html lang="LOCALE" dir="DIR">'],
    ["<html><body>{{{body}}}</body></html>", '<html lang="LOCALE" dir="DIR">'],
    ["<!doctype html>\n<HTML\n class=x><body>{{{body}}}</body></html>", '<HTML lang="LOCALE" dir="DIR"\n class=x>'],
    ['<html lang="{{@lang}}" dir="{{@dir}}"><body>{{{body}}}</body></html>', '<html lang="LOCALE" dir="DIR">'],
    ['<html lang="fr"><body>{{{body}}}</body></html>', '<html dir="DIR" lang="fr">'],
    ['<html dir="ltr" lang="fr"><body>{{{body}}}</body></html>', '<html dir="ltr" lang="fr">'],
    // Style sheets that look at them, or at what blocks change, are inlined for each message.
    ["<html><head><style>[dir=rtl] p { color: red }</style></head><body>{{{body}}}</body></html>", '<html lang="LOCALE" dir="DIR">'],
    ["<!doctype html><style>p:first-child { color: red }</style>{{#if name}}{{{body}}}{{/if}}", '<html lang="LOCALE" dir="DIR">'],
  ])("%s", (layout, expected) => {
    for (const [locale, dir] of [
      ["en-US", "ltr"],
      ["ar-EG", "rtl"],
      ["he", "rtl"],
    ] as const) {
      const html = rendered(layout, locale);
      expect(tagOf(html)).toBe(expected.replace("LOCALE", locale).replace("DIR", dir));
      expect(html.match(/<html/gi)).toHaveLength(1);
      expect(html.match(/data-preheader/g)).toHaveLength(1);
      if (layout.includes("[dir=rtl]")) expect(/<p[^>]*color: red/.test(html)).toBe(dir === "rtl");
    }
  });
});
