/** HTML as plain text. */
import { compile } from "html-to-text";
import { withoutHidden } from "./hidden.js";

/** Longer HTML than this (characters) is cut by html-to-text; far above what a mail may weigh. */
const MAX_INPUT = 1 << 24;

const line = { leadingLineBreaks: 1, trailingLineBreaks: 1 };
const paragraph = { leadingLineBreaks: 2, trailingLineBreaks: 2 };

const convert = compile({
  wordwrap: false,
  limits: { maxInputLength: MAX_INPUT },
  formatters: {
    cell: (element, walk, builder) => {
      walk(element.children, builder);
      builder.addInline(" ");
    },
    alternative: (element, _walk, builder) => {
      const alt = (element.attribs as Readonly<Record<string, string | undefined>>)["alt"];
      if (alt) builder.addInline(alt, { noWordTransform: true });
    },
  },
  selectors: [
    { selector: "a", options: { linkBrackets: ["(", ")"], hideLinkHrefIfSameAsText: true } },
    { selector: "img", format: "alternative" },
    { selector: "hr", options: { length: 3 } },
    { selector: "table", format: "block", options: paragraph },
    { selector: "tr", format: "block", options: line },
    { selector: "td", format: "cell" },
    { selector: "th", format: "cell" },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { ...paragraph, uppercase: false } })),
    ...["title", "head", "style", "script", "[data-preheader]"].map((selector) => ({ selector, format: "skip" })),
  ],
});

/** The text a reader of the HTML would see, links in brackets after their words, lines not wrapped; `keep` as in `hiddenRanges`. Throws TooMuchHtml. */
export function htmlToPlain(html: string, keep?: RegExp): string {
  return tidy(convert(withoutHidden(html, keep)));
}

/** A line of characters that nobody sees, as preheaders are padded with. */
const BLANK = /^[\s\p{Cf}\u034f\u2007]*$/u;

/** No white space at the ends of lines, no line of invisible characters, and never more than one empty line. */
export function tidy(text: string): string {
  // Not by a regular expression: one for "blanks at the end" takes quadratic time over a long run of blanks in a value.
  const lines = text.split("\n").map((line) => (BLANK.test(line) ? "" : line.trimEnd()));
  return lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
