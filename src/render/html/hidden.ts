/**
 * What of an email nobody sees: a preheader that the template brings itself, the version for phones beside the one for desktops.
 * Such text has no place in the text part. Told by inline styles and the `hidden` attribute, which is what is left once CSS is
 * inlined. `mso-hide:all` alone hides in Outlook, and `aria-hidden` from screen readers: all others see both.
 */
import type { DefaultTreeAdapterTypes as Tree } from "parse5";
import { parseDocument } from "../../core/parse-html.js";

export interface Range {
  start: number;
  end: number;
}

/** What an element hands down: whether its own text would be seen. */
interface Inherited {
  small: boolean;
  invisible: boolean;
}

/**
 * Offsets of everything hidden, in order and apart from each other. `keep`, a global expression, is not text, and stays where only
 * its own text would be hidden: what stands for a condition around visible elements. Throws TooMuchHtml.
 */
export function hiddenRanges(html: string, keep?: RegExp): Range[] {
  if (!/display|hidden|visibility|font|height|width|opacity|<template/i.test(html)) return [];
  const ranges: Range[] = [];
  visit(
    parseDocument(html),
    { small: false, invisible: false },
    (start, until) => {
      let from = start;
      const end = endOfText(html, start, until);
      for (const match of keep === undefined ? [] : html.slice(start, end).matchAll(keep)) {
        ranges.push({ start: from, end: start + match.index });
        from = start + match.index + match[0].length;
      }
      ranges.push({ start: from, end });
    },
    ranges,
  );
  const result: Range[] = [];
  for (const range of ranges.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1);
    if (last === undefined || range.start >= last.end) result.push(range);
    else last.end = Math.max(last.end, range.end);
  }
  return result;
}

/** The HTML without them. */
export function withoutHidden(html: string, keep?: RegExp): string {
  let result = "";
  let done = 0;
  for (const { start, end } of hiddenRanges(html, keep)) {
    result += html.slice(done, start);
    done = end;
  }
  return result + html.slice(done);
}

/** What a table throws out is one text to the parser, from the first of it to the last, with the rows between. */
function endOfText(html: string, start: number, end: number): number {
  const tag = html.slice(start, end).search(/<[a-z/!?]/i);
  return tag < 0 ? end : start + tag;
}

function visit(node: Tree.Node, inherited: Inherited, hideText: (start: number, end: number) => void, ranges: Range[]): void {
  const at = "sourceCodeLocation" in node ? node.sourceCodeLocation : null;
  if (node.nodeName === "#text" && at && (inherited.small || inherited.invisible)) hideText(at.startOffset, at.endOffset);
  let own = inherited;
  if ("attrs" in node) {
    const style = declarations(node.attrs.find(({ name }) => name === "style")?.value ?? "");
    const hidden = node.tagName === "template" || isHidden(style) || (node.attrs.some(({ name }) => name === "hidden") && !style.has("display"));
    if (hidden && at) return void ranges.push({ start: at.startOffset, end: at.endOffset });
    const [size, visibility] = [style.get("font-size"), style.get("visibility")];
    own = {
      small: size === undefined || /^(?:inherit|smaller|larger|[\d.]+(?:em|%))$/.test(size) ? inherited.small || isZero(size) : isZero(size),
      invisible: visibility === undefined || visibility === "inherit" ? inherited.invisible : visibility !== "visible",
    };
    // Pictures have no text of theirs to be small; what can't be seen has none either.
    if (own.invisible && node.tagName === "img" && at) ranges.push({ start: at.startOffset, end: at.endOffset });
  }
  if ("childNodes" in node) for (const child of node.childNodes) visit(child, own, hideText, ranges);
}

/** Whatever stands inside. */
function isHidden(style: ReadonlyMap<string, string>): boolean {
  if (style.get("display") === "none" || isZero(style.get("opacity"))) return true;
  const clips = ["overflow", "overflow-y", "overflow-x"].some((name) => /^(?:hidden|clip)/.test(style.get(name) ?? ""));
  return clips && ["max-height", "height", "max-width", "width"].some((name) => isZero(style.get(name)));
}

function isZero(value: string | undefined): boolean {
  return value !== undefined && /^0*\.?0*(?:px|pt|em|rem|%|vh|vw)?$/.test(value) && value.includes("0");
}

/** Names and values in small letters; the last of a name counts, one that is `!important` before others. */
function declarations(style: string): Map<string, string> {
  const found = new Map<string, string>();
  const important = new Set<string>();
  for (const part of style
    .toLowerCase()
    .replaceAll(/\/\*.*?\*\//gs, "")
    .split(";")) {
    const colon = part.indexOf(":");
    if (colon < 0) continue;
    const name = part.slice(0, colon).trim();
    const [value = "", mark] = part.slice(colon + 1).split("!");
    if (important.has(name) && mark === undefined) continue;
    if (mark !== undefined) important.add(name);
    found.set(name, value.trim());
  }
  return found;
}
