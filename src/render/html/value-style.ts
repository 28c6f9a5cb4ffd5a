/**
 * The `style` that a value's HTML may bring. Each declaration is read and written anew from a list of properties: what could lay
 * an element over the rest of the email, load a picture or run is left out, and the rest stays.
 */

const WORD = "[a-z][a-z-]*";
const LENGTH = "(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:px|pt|pc|in|cm|mm|em|rem|ex|ch|%|vw)?";
const COLOUR = "#[0-9a-f]{3,8}|(?:rgb|hsl)a?\\([\\d\\s.,%/]*\\)";
const NAME = "[\\p{L}\\p{N}_-]+|\"[\\p{L}\\p{N}\\s._-]*\"|'[\\p{L}\\p{N}\\s._-]*'";

/** Words and amounts between spaces, commas and strokes. */
function some(...tokens: readonly string[]): RegExp {
  const token = `(?:${tokens.join("|")})`;
  return new RegExp(`^${token}(?:(?:\\s*[,/]\\s*|\\s+)${token})*$`, "iu");
}

/** Properties by what may stand in them. No length is negative; nothing holds a function but a colour's. */
const ALLOWED: readonly (readonly [values: RegExp, properties: string])[] = [
  [
    some(WORD),
    `border-collapse border-style border-top-style border-right-style border-bottom-style border-left-style box-sizing caption-side clear
    cursor direction display empty-cells float font-style font-variant list-style list-style-position list-style-type overflow overflow-wrap
    table-layout text-align text-align-last text-transform unicode-bidi vertical-align white-space word-break word-wrap
    -ms-interpolation-mode mso-ansi-language mso-fareast-language mso-hide mso-line-height-rule`,
  ],
  [
    some(WORD, COLOUR),
    `background background-color border-color border-top-color border-right-color border-bottom-color border-left-color color
    text-decoration text-decoration-color text-decoration-line text-decoration-style`,
  ],
  [
    some(WORD, LENGTH),
    `border-radius border-spacing border-width border-top-width border-right-width border-bottom-width border-left-width font-size
    font-stretch font-weight height letter-spacing line-height margin margin-top margin-right margin-bottom margin-left max-height max-width
    min-height min-width padding padding-top padding-right padding-bottom padding-left text-indent width word-spacing
    -ms-text-size-adjust -webkit-text-size-adjust mso-margin-bottom-alt mso-margin-top-alt mso-padding-alt mso-table-lspace mso-table-rspace`,
  ],
  [some(WORD, LENGTH, COLOUR), "border border-top border-right border-bottom border-left mso-border-alt"],
  [some(NAME), "font-family mso-bidi-font-family mso-fareast-font-family mso-list"],
];

const PROPERTIES: ReadonlyMap<string, RegExp> = new Map(
  ALLOWED.flatMap(([values, properties]) => properties.split(/\s+/).map((property) => [property, values] as const)),
);

/** The list for the docs. */
export const STYLE_PROPERTIES: readonly string[] = [...PROPERTIES.keys()].sort();

const DISPLAYS =
  /^(?:none|block|inline|inline-block|list-item|table|inline-table|table-(?:caption|cell|column|column-group|row|row-group|header-group|footer-group))$/i;

/** Elements that lie in lines: their padding and border reach over the lines above and below. */
const INLINE: ReadonlySet<string> = new Set(
  `a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q rp rt ruby s samp small span strike strong sub sup time tt u
  var wbr`.split(/\s+/),
);
/** Elements that are never less high than what they hold, and those that hold nothing. */
const GROWING: ReadonlySet<string> = new Set(["table", "thead", "tbody", "tfoot", "tr", "td", "th", "col", "colgroup", "hr"]);

/** The largest amount by unit: larger text and thicker edges would cover what stands above and below. */
const LARGEST_TEXT: Readonly<Record<string, number>> = { px: 100, pt: 75, em: 4, rem: 4, "%": 400 };
const LARGEST_INLINE_EDGE: Readonly<Record<string, number>> = { "": 0, px: 10, pt: 8, em: 1, rem: 1 };
/** The smallest height of a line, so that its text stays in it. */
const SMALLEST_LINE: Readonly<Record<string, number>> = { "": 1, px: 10, pt: 8, em: 1, rem: 1, "%": 100 };

function amounts(value: string): { amount: number; unit: string }[] {
  return [...value.matchAll(/(?<![\p{L}#-])(\d+(?:\.\d*)?|\.\d+)([a-z%]*)/giu)].map(([, amount, unit = ""]) => ({
    amount: Number(amount),
    unit: unit.toLowerCase(),
  }));
}

/** The style of an element with what is allowed of it; "" if that is nothing. `tag`: the element's name in small letters. */
export function allowedStyle(style: string, tag: string): string {
  const kept = style.split(";").flatMap((declaration): [string, string][] => {
    const colon = declaration.indexOf(":");
    const [name, value] = [declaration.slice(0, colon).trim().toLowerCase(), declaration.slice(colon + 1).trim()];
    if (PROPERTIES.get(name)?.test(value) !== true || (name === "display" && !DISPLAYS.test(value))) return [];
    return [[name, value]];
  });
  const display = kept.findLast(([name]) => name === "display")?.[1].toLowerCase() ?? null;
  const isInline = display === null ? INLINE.has(tag) : display === "inline";
  const fits = (name: string, value: string): boolean => {
    if (name === "font-size") return amounts(value).every(({ amount, unit }) => amount <= (LARGEST_TEXT[unit] ?? 0));
    if (name === "line-height") return amounts(value).every(({ amount, unit }) => amount >= (SMALLEST_LINE[unit] ?? Infinity));
    if (name === "height" || name === "max-height") {
      return tag === "img" || display === "none" || (GROWING.has(tag) && display === null) || /^(?:auto|none)$/i.test(value);
    }
    if (/^(?:padding|border)(?!-(?:collapse|spacing|radius)$)/.test(name) && isInline) {
      return amounts(value.replaceAll(/\(.*?\)/g, "")).every(({ amount, unit }) => amount <= (LARGEST_INLINE_EDGE[unit] ?? 0));
    }
    return true;
  };
  return kept
    .filter(([name, value]) => fits(name, value))
    .map(([name, value]) => `${name}: ${value}`)
    .join("; ");
}
