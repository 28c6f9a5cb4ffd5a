/** HTML as plain text. */
import { compile } from "html-to-text";

/** Longer HTML than this (characters) is cut by html-to-text; far above what a mail may weigh. */
const MAX_INPUT = 1 << 24;

const block = { leadingLineBreaks: 1, trailingLineBreaks: 1 };
const heading = { leadingLineBreaks: 2, trailingLineBreaks: 2, uppercase: false };

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
    { selector: "table", format: "block", options: block },
    { selector: "tr", format: "block", options: block },
    { selector: "td", format: "cell" },
    { selector: "th", format: "cell" },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: heading })),
    ...["title", "head", "style", "script", "[data-preheader]"].map((selector) => ({ selector, format: "skip" })),
  ],
});

/** The text a reader of the HTML would see, links in brackets after their words, lines not wrapped. */
export function htmlToPlain(html: string): string {
  return tidy(convert(html));
}

/** No white space at the ends of lines, and never more than one empty line. */
export function tidy(text: string): string {
  return text
    .replace(/[ \t\u00a0]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
