/** What nobody sees of an email is no text of its text part. */
import { describe, expect, it } from "vitest";
import { htmlToPlain } from "../../src/render/html/plain.js";
import { input, mail, template } from "./fixtures.js";

const HIDDEN = {
  "display: none": '<div style="display:none">secret</div>',
  "display: none, written otherwise": "<span style='color:red;DISPLAY : None !important ;'>secret</span>",
  "display: none after another": '<div style="display:block;display:none">secret</div>',
  "the hidden attribute": "<p hidden>secret</p>",
  "the hidden attribute with a value": '<p hidden="until-found">secret</p>',
  "what is inside": '<div style="display:none"><table><tr><td style="display:block">secret</td></tr></table></div>',
  "visibility: hidden": '<div style="visibility:hidden"><img src="https://a.example/x.png" alt="secret">secret</div>',
  "a font of no size": '<div style="font-size:0">secret</div>',
  "a font of no size, inherited": '<div style="font-size:0px"><b>sec<i style="font-size:1em">ret</i></b></div>',
  "no height, cut off": '<div style="max-height:0;overflow:hidden">secret</div>',
  "no width, cut off": '<div style="width:0px; overflow-x: hidden">secret</div>',
  "no opacity": '<div style="opacity:0.0">secret</div>',
  "a preheader as it is bought":
    '<div style="display:none;font-size:1px;color:#fff;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden;mso-hide:all">secret&zwnj;&nbsp;&zwnj;&nbsp;</div>',
  "a class": '<style>.pre{display:none}</style><div class="pre">secret</div>',
  "a class that phones show": '<style>.pre{display:none} @media (max-width:480px){.pre{display:block!important}}</style><div class="pre">secret</div>',
  "a template": "<template><p>secret</p></template>",
  "Outlook's own": "<!--[if mso]><p>secret</p><![endif]-->",
};

const SHOWN = {
  "mso-hide: all, which hides from Outlook alone": '<a href="https://a.example/" style="mso-hide:all;background:#00f">shown</a>',
  "aria-hidden, which hides from screen readers alone": '<span aria-hidden="true">shown</span>',
  "what is for all but Outlook": "<!--[if !mso]><!--><p>shown</p><!--<![endif]-->",
  "a size of its own in a font of none": '<td style="font-size:0px"><div style="font-size:16px">shown</div></td>',
  "visible in what is not": '<div style="visibility:hidden"><b style="visibility:visible">shown</b></div>',
  "no height, not cut off": '<div style="max-height:0">shown</div>',
  "some opacity": '<div style="opacity:0.05">shown</div>',
  "display after none": '<div style="display:none;display:block">shown</div>',
  "an important display before none": '<div style="display:block !important;display:none">shown</div>',
  "the hidden attribute, overruled": '<div hidden style="display:block">shown</div>',
  "a value that says so": '<p title="display:none">shown</p>',
};

/** Once for all messages, and for each: what comes from a value in a class is known only then. */
const WAYS = { once: "", "for each message": '<i class="{{c}}"></i>' };

describe.each(Object.entries(WAYS))("told %s", (_, also) => {
  it.each(Object.entries(HIDDEN))("leaves out %s", (_name, html) => {
    const made = mail(template(`<p>Before</p>${html}<p>{{v}}</p>${also}`), input({ v: "After", c: "x" }));
    expect(made.text).toBe("Before\n\nAfter");
    expect(made.html).toContain("secret".slice(0, 3));
  });

  it.each(Object.entries(SHOWN))("keeps %s", (_name, html) => {
    expect(mail(template(`<table><tr>${html}</tr></table><p>{{v}}</p>${also}`), input({ v: "After", c: "x" })).text).toMatch(/^shown[^]*After$/);
  });

  it("leaves out values and conditions inside, and keeps those outside", () => {
    const t = template(
      `<div style="display:none">{{v}}{{#if w}} and {{w}}{{/if}}</div><p>{{w}}</p>{{#each x}}<p hidden>{{this}}</p><p>{{this}}!</p>{{/each}}${also}`,
    );
    const { html, text } = mail(t, input({ v: "one", w: "two", x: ["a", "b"], c: "x" }));
    expect(text).toBe("two\n\na!\n\nb!");
    expect(html).toContain("one and two");
  });
});

it("has no line of invisible characters, and keeps those inside words", () => {
  expect(htmlToPlain("<p>a</p><p>&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#8199;&#65279;&shy;</p><p>می\u200cخواهم 👨\u200d👩\u200d👧</p>")).toBe(
    "a\n\nمی\u200cخواهم 👨\u200d👩\u200d👧",
  );
});
