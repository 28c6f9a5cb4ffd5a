/** Which rules of a style sheet can be written into `style` attributes, and which must stay in `<style>`. */

export interface SplitCss {
  /** The sheet with a rule that matches nothing, `WORD0{a:b}`, in place of each that stays. */
  rules: string;
  /** Those that stay, by their number, byte for byte. */
  kept: string[];
}

/** What no attribute can say, whatever elements there are: states, generated content, and the document as clients look at it. */
const NEVER_INLINE = /::|:(?:active|after|before|checked|first-letter|first-line|focus|hover|link|root|target|visited)\b/i;

/** Splits a sheet. `word` is an element's name that the sheet doesn't hold. Takes broken CSS as browsers do: to its end. */
export function splitCss(css: string, word: string): SplitCss {
  const kept: string[] = [];
  let rules = "";
  for (let at = skipFiller(css, 0); at < css.length; at = skipFiller(css, at)) {
    const { end, open } = readRule(css, at);
    const rule = css.slice(at, end);
    const selectors = open < 0 ? "" : css.slice(at, open).split(",");
    const stays = rule.startsWith("@") || css.slice(open + 1, end).includes("{") || (selectors !== "" && selectors.every((one) => NEVER_INLINE.test(one)));
    if (stays) rules += `${word}${String(kept.push(rule.trim()) - 1)}{a:b}\n`;
    else if (open >= 0) rules += `${rule}\n`;
    at = end;
  }
  return { rules, kept };
}

/** The sheet as css-inline leaves it, with the rules that stay in their places. */
export function joinCss(rest: string, { kept }: SplitCss, word: string): string {
  return rest.replace(new RegExp(`${word}(\\d+)\\s*\\{[^}]*\\}`, "g"), (_, number: string) => kept[Number(number)] ?? "").trim();
}

/** Past white space, comments, the marks of HTML comments, and a brace that closes nothing. */
function skipFiller(css: string, from: number): number {
  let at = from;
  for (;;) {
    const found = /^(?:\s+|<!--|-->|\}|;)/.exec(css.slice(at, at + 64));
    if (found !== null) at += found[0].length;
    else if (css.startsWith("/*", at)) at = endOfComment(css, at);
    else return at;
  }
}

/** Where the rule at `at` ends, and where its block begins; -1: it has none. */
function readRule(css: string, start: number): { end: number; open: number } {
  let depth = 0;
  let open = -1;
  for (let at = start; at < css.length; at++) {
    const character = css[at];
    if (character === "\\") at++;
    else if (character === '"' || character === "'") at = endOfText(css, at) - 1;
    else if (css.startsWith("/*", at)) at = endOfComment(css, at) - 1;
    else if ((character === "u" || character === "U") && /^url\(\s*[^"'\s]/i.test(css.slice(at, at + 32))) at = endOfUrl(css, at) - 1;
    else if (character === ";" && depth === 0 && css[start] === "@") return { end: at + 1, open };
    else if (character === "{") {
      if (depth++ === 0) open = at;
    } else if (character === "}" && --depth <= 0) return { end: at + 1, open };
  }
  return { end: css.length, open };
}

function endOfComment(css: string, at: number): number {
  const end = css.indexOf("*/", at + 2);
  return end < 0 ? css.length : end + 2;
}

/** A quoted text ends at its quote, or broken at the end of the line. */
function endOfText(css: string, start: number): number {
  for (let at = start + 1; at < css.length; at++) {
    if (css[at] === "\\") at++;
    else if (css[at] === css[start] || css[at] === "\n") return at + 1;
  }
  return css.length;
}

/** Of `url(…)` without quotes, which may hold a semicolon, as data: URLs do. */
function endOfUrl(css: string, at: number): number {
  const end = css.indexOf(")", at);
  return end < 0 ? css.length : end + 1;
}
