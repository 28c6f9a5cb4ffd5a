/** What stands where in HTML: its links, its style sheets, and what each token of Handlebars is part of. Positions are offsets. */
import type { DefaultTreeAdapterTypes as Tree } from "parse5";
import { parseContent, parseDocument } from "../../core/parse-html.js";

export interface Attribute {
  tag: string;
  /** As written, in lower case, e.g. `xlink:href`. */
  name: string;
  /** Entities decoded. */
  value: string;
  /** Of the value as written, without quotes. */
  start: number;
  end: number;
  quoted: boolean;
}

/** An element or comment with its place; `start` and `end` span the whole of it. */
export interface Span {
  name: string;
  start: number;
  /** Where its end tag begins, or where it ends without one. */
  end: number;
  /** End of its start tag. */
  inside: number;
}

export interface Document {
  attributes: Attribute[];
  elements: Span[];
  comments: { start: number; end: number }[];
  /** Contents of `<style>`, one after the other. */
  css: string;
  /** Where to put what should come first in the body. */
  bodyStart: number;
  /** Which of these `<html>` has not, and where they can be put. `tag` false: it has no tag, and one can be put there. */
  language: { at: number; missing: readonly ("lang" | "dir")[]; tag: boolean };
}

const NO_TAG: Document["language"] = { at: 0, missing: ["lang", "dir"], tag: false };

/** Parses as a browser does, without running scripts, and looks into Outlook's conditional comments too. Throws TooMuchHtml. */
export function readHtml(html: string, fragment = false): Document {
  const tree = fragment ? parseContent(html, "template") : parseDocument(html);
  const bodyStart = fragment ? 0 : (bodyStartOf(tree).at ?? html.length);
  const document: Document = { attributes: [], elements: [], comments: [], css: "", bodyStart, language: NO_TAG };
  walk(tree, html, 0, document);
  return document;
}

/** Where the body's content begins; null: it has none. `implied`: without a tag of its own. */
export function bodyStartOf(document: Tree.ParentNode): { at: number | null; implied: boolean } {
  const root = document.childNodes.find((node) => node.nodeName === "html");
  const body = root !== undefined && "childNodes" in root ? root.childNodes.find((node) => node.nodeName === "body") : undefined;
  if (body === undefined || !("attrs" in body)) return { at: null, implied: false };
  const tag = body.sourceCodeLocation?.startTag;
  if (tag) return { at: tag.endOffset, implied: false };
  const places = body.childNodes.flatMap((node) => node.sourceCodeLocation?.startOffset ?? []);
  return { at: places.length === 0 ? null : Math.min(...places), implied: true };
}

function walk(node: Tree.Node, html: string, shift: number, into: Document): void {
  if (node.nodeName === "#documentType" && node.sourceCodeLocation) into.language = { ...NO_TAG, at: node.sourceCodeLocation.endOffset };
  if ("attrs" in node) element(node, html, shift, into);
  if (node.nodeName === "#comment" && "data" in node && node.sourceCodeLocation) comment(node, html, shift, into);
  if ("content" in node) walk(node.content, html, shift, into);
  if ("childNodes" in node) for (const child of node.childNodes) walk(child, html, shift, into);
}

function element(node: Tree.Element, html: string, shift: number, into: Document): void {
  const at = node.sourceCodeLocation;
  if (!at) return;
  const start = at.startOffset + shift;
  const inside = (at.startTag?.endOffset ?? at.endOffset) + shift;
  const end = at.endTag?.startOffset ?? at.endOffset;
  into.elements.push({ name: node.tagName, start, inside, end: end + shift });
  if (node.tagName === "html" && at.startTag) into.language = languageOf(node, start + "<html".length);
  if (node.tagName === "style") into.css += node.childNodes.map((child) => ("value" in child ? child.value : "")).join("");
  for (const attribute of node.attrs) {
    const name = attribute.prefix ? `${attribute.prefix}:${attribute.name}` : attribute.name;
    const place = at.attrs?.[name];
    if (!place) continue;
    const written = html.slice(place.startOffset + shift, place.endOffset + shift);
    const equals = /^[^=]*=\s*/.exec(written)?.[0].length ?? written.length;
    const quoted = /^["']/.test(written.slice(equals));
    const first = place.startOffset + shift + equals + (quoted ? 1 : 0);
    into.attributes.push({
      tag: node.tagName,
      name: name.toLowerCase(),
      value: attribute.value,
      start: first,
      end: place.endOffset + shift - (quoted ? 1 : 0),
      quoted,
    });
  }
}

/** Of the attributes as they were in the tag: a second `<html>` may have added others. */
function languageOf({ attrs }: Tree.Element, at: number): Document["language"] {
  return { at, tag: true, missing: (["lang", "dir"] as const).filter((name) => !attrs.some((attribute) => attribute.name === name)) };
}

function comment(node: Tree.CommentNode, html: string, shift: number, into: Document): void {
  const at = node.sourceCodeLocation;
  if (!at) return;
  const [start, end] = [at.startOffset + shift, at.endOffset + shift];
  into.comments.push({ start, end });
  const condition = /^<!--\[if[^\]]*\]>/i.exec(html.slice(start, end));
  if (condition === null) return;
  const from = start + condition[0].length;
  const inner = readInner(html, from, end);
  into.attributes.push(...inner.attributes);
  into.elements.push(...inner.elements);
}

function readInner(html: string, from: number, to: number): Document {
  const document: Document = { attributes: [], elements: [], comments: [], css: "", bodyStart: 0, language: NO_TAG };
  const content = html.slice(from, to).replace(/(?:<!\[endif\])?-->$/i, "");
  walk(parseContent(content, "template"), html, from, document);
  return document;
}
