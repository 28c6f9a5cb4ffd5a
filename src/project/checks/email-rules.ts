/** Rules that look at an email as a whole: layout, body and partials. */
import type { Program } from "../../render/language/ast.js";
import { analyse } from "../../render/html/contexts.js";
import { withoutHidden } from "../../render/html/hidden.js";
import { inlineCss } from "../../render/html/inline.js";
import { isLink } from "../../render/html/links.js";
import { flatten, protect, restore } from "../../render/html/pieces.js";
import { htmlToPlain } from "../../render/html/plain.js";
import type { Found, Report } from "./types.js";
import { walk } from "./walk.js";

/**
 * Most bytes of HTML that Gmail shows: 102 KB. Google documents no limit; this is what senders measure
 * (https://www.spamresource.com/2022/01/what-is-gmail-clipping-and-what-to-do.html).
 */
const MOST_BYTES = 102_400;

/** Postcodes beside a place, of most countries; a year alone (© 2026 Shop) is none. */
const POSTCODE = new RegExp(
  [
    String.raw`(?<![\d.,])(?!(?:19|20)\d\d\b)\d{4,6}(?:-\d{3,4})?\s+\p{Lu}\p{L}+`, // 8001 Zürich, 1000-205 Lisboa
    String.raw`\p{Lu}{2,3}\.?,?\s+\d{4,6}\b`, // CA 94103, NSW 2000
    String.raw`\p{L}{3,}(?:,| -| –)\s*\d{5,6}\b`, // Bengaluru, 560001
    String.raw`\p{Lu}\p{Ll}+\s+(?!(?:19|20)\d\d\b)\d{4,6}(?:,|\s*$)`, // Wellington 6011
    String.raw`\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b`, // EC1A 1BB
    String.raw`\b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b`, // M5V 2T6
    String.raw`\b[A-Z]\d{2}\s?[A-Z\d]{4}\b`, // D02 AF30
    String.raw`〒|\bP\.?\s?O\.?\s?Box\b|\bPostfach\b|\bBP\s+\d`,
  ].join("|"),
  "mu",
);

const ADDRESS_NAME = /(?:^|[_.])(?:postal|street|company|business|office|imprint)?_?address(?:[_.]|$)/;

/** An `<address>`, a value whose name says so, or a postcode beside a place in text that is seen. */
export function hasPostalAddress(mail: Program): boolean {
  const paths: string[] = [];
  walk(mail, { read: (path) => void paths.push(path) });
  if (paths.some((path) => ADDRESS_NAME.test(path) && !/e?mail/.test(path))) return true;
  const html = inlineCss(protect(flatten(mail.body)).html);
  return /<address\b/i.test(withoutHidden(html)) || POSTCODE.test(htmlToPlain(html).replaceAll(/\(https?:[^)]*\)/g, ""));
}

/** Values behind the `?` of a link that `url` doesn't encode. */
export function unencodedLinks(mail: Program, report: Report): Found[] {
  const { source, document } = analyse(flatten(mail.body));
  return document.attributes.flatMap(({ name, value }): Found[] => {
    const query = value.indexOf("?");
    if (!isLink(name) || query < 0) return [];
    return restore(value.slice(query), source).flatMap((piece): Found[] => {
      if (piece.kind !== "value") return [];
      const { path, loc } = piece.node;
      const written = path.type === "PathExpression" ? path.original : "";
      return written === "url" ? [] : [report("unencoded-link", `{{${written}}} stands in the query of a link without url.`, loc)];
    });
  });
}

/** Counted with the style sheet inlined, both sides of a condition, and once what an `{{#each}}` repeats. */
export function clipped(template: string, mail: Program, report: Report): Found[] {
  const source = protect(flatten(mail.body));
  const tokens = source.spans.reduce((sum, { start, end, token }) => sum + (token === null ? 0 : end - start), 0);
  const bytes = Buffer.byteLength(inlineCss(source.html)) - tokens;
  if (bytes <= MOST_BYTES) return [];
  const says = `The HTML of template ${template} has ${bytes.toLocaleString("en")} bytes before any value; Gmail shows ${MOST_BYTES.toLocaleString("en")}.`;
  return [report("clipped", says)];
}
