/** CSS that no `style` attribute can hold stays in `<style>`, byte for byte, and so does all else of the HTML. */
import { describe, expect, it } from "vitest";
import { inlineCss } from "../../src/render/html/inline.js";
import { input, mail, template } from "./fixtures.js";

const sheetOf = (html: string): string => [...html.matchAll(/<style[^>]*>([^]*?)<\/style>/g)].map(([, css = ""]) => css.trim()).join("\n");

const KEPT = [
  "a:hover { color: red }",
  'p::before{content:"x > y; } \\201C"}',
  "p:first-letter , a:ACTIVE{ *zoom:1 }",
  ":root{color-scheme:light dark;supported-color-schemes:light dark}",
  "@media (max-width:480px){ p { margin: 0 !important } }",
  "@media screen { @media (min-width: 1px) { p { color: red } } }",
  "@media (prefers-color-scheme:dark){p{color:#fff!important}}",
  "@font-face{font-family:x;src:url(data:font/woff2;base64,d09GMg==)}",
  "@supports (display:grid){p{display:grid}}",
  '@import url("https://fonts.example/css2?family=A;B");',
  "@import url(https://fonts.example/css2?family=A;B) screen;",
  "@keyframes k{from{top:0}to{top:1px}}",
  "@page{margin:1cm}",
  "@page :first{margin:1cm}",
  "@layer x{p{color:red}}",
  "@namespace svg url(http://www.w3.org/2000/svg);",
  "[data-ogsc] p { color: #fff !important; }",
  "u + .body a { color: inherit; }",
  ".ExternalClass * { line-height: 100%; }",
  "#outlook a { padding: 0; }",
  "a[x-apple-data-detectors] { color: inherit !important; }",
  "p { &:hover { color: red } }",
];

describe("what can't be inlined", () => {
  it.each(KEPT)("stays: %s", (rule) => {
    const html = inlineCss(
      `<html><head><style>b{margin:0}\n${rule}\ni{margin:0}</style></head><body class="x"><p>x <a href="#">y</a></p><b>z</b></body></html>`,
    );
    expect(sheetOf(html)).toBe(`${rule}\ni { margin: 0; }`);
    expect(html).toContain('<b style="margin: 0;">z</b>');
  });

  it("stays in its order, and in its own sheet", () => {
    const html = inlineCss(
      `<style id=a>p{color:red} ${KEPT[0] ?? ""} ${KEPT[4] ?? ""}</style><style type="text/css">@page{margin:0} p:hover{x:y}</style><style>p{margin:0}</style><p>x</p>`,
    );
    expect(html).toBe(
      `<style id=a>\n${KEPT[0] ?? ""}\n${KEPT[4] ?? ""}\n</style><style type="text/css">\n@page{margin:0}\np:hover{x:y}\n</style><p style="color: red;margin: 0;">x</p>`,
    );
  });

  it("is the half of a list of selectors that matches nothing", () => {
    expect(inlineCss("<style>p, a:hover, .never{color:red}</style><p>x</p>")).toBe(
      '<style>\na:hover, .never { color: red; }\n</style><p style="color: red;">x</p>',
    );
  });

  it.each([
    ["print", '<style media="print">p{color:red}</style>'],
    ["a width", '<style media="screen and (min-width:480px)">.moz-text-html .column{width:100%!important}</style>'],
    ["another language", '<style type="text/less">p{color:red}</style>'],
    ["Outlook", "<!--[if mso]><style>p{color:red}</style><![endif]-->"],
    ["a drawing", "<svg><style>p{color:red}</style></svg>"],
  ])("is a sheet for %s", (_, sheet) => {
    expect(inlineCss(`<style>p{margin:0}</style>${sheet}<p>x</p>`)).toBe(`${sheet}<p style="margin: 0;">x</p>`);
  });

  it("stays in an email, whichever way its CSS is inlined", () => {
    const body = "<style>p{color:red} a:hover{color:blue} @media print{p{color:#000}}</style><p>x</p>";
    for (const also of ["", '<i class="{{c}}"></i>'])
      expect(mail(template(body + also), input({ c: "x" })).html).toContain(
        '<style>\na:hover{color:blue}\n@media print{p{color:#000}}\n</style><p style="color: red;">x</p>',
      );
  });
});

describe("everything else", () => {
  it("stays as it was written", () => {
    const rest = (
      style: string,
      p: string,
    ): string => `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<HTML xmlns:v="urn:schemas-microsoft-com:vml"><HEAD>${style}<!--[if gte mso 9]><xml><o:AllowPNG/></xml><![endif]--></HEAD><BODY bgColor=#fff>
<!--[if mso]><v:roundrect arcsize="8%"><center>B</center></v:roundrect><![endif]--><![if !mso]><p${p}>&nbsp;&zwnj;&copy; é</p><![endif]>
<TABLE><TR><TD NOWRAP>1<TD>2</TABLE><pre>\n\nx</pre><o:p>&nbsp;</o:p><IMG SRC='x.png' ALT><svg viewBox="0 0 1 1"><linearGradient id=a /><path d="M0"/></svg><br/>`;
    expect(inlineCss(rest("<style>p{margin:0}</style>", ""))).toBe(rest("", ' style="margin: 0;"'));
  });

  it("gets a body's style where the body has no tag", () => {
    expect(inlineCss("<style>body{margin:0}</style>\n<p>x</p>")).toBe('\n<body style="margin: 0;"><p>x</p>');
  });

  it("keeps styles of its own, however they are quoted", () => {
    const html = inlineCss(`<style>p{margin:0;color:red}</style><p style='font-family:"A B";color:blue' title=a>x</p><p style=color:blue>y</p>`);
    expect(html).toContain('<p style="margin: 0;font-family: \'A B\';color: blue" title=a>x</p><p style="margin: 0;color: blue">y</p>');
  });
});

it.each([
  "a{",
  "}",
  "@page",
  "@media",
  "@media x{p{color:red}",
  "p{color:red}}",
  "<!-- p{margin:0} -->",
  "/* x",
  'p{content:"',
  "p{background:url(",
  "\\",
  "@",
  "{}",
  "a{}b",
  "p{a:b\\",
])("takes the broken sheet %s to its end", (css) => {
  expect(inlineCss(`<style>${css}</style><p>x</p>`)).toMatch(/<p[^>]*>x<\/p>$/);
});
