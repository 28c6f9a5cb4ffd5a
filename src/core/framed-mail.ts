/**
 * A mail's HTML for a page's frame. What makes it harmless is the frame: no scripts, no forms, no windows (`sandbox`), and
 * nothing from elsewhere (Content-Security-Policy). What neither covers is taken out here: links that would load another page
 * into the frame, `<link rel=preconnect>`, which no policy knows, and frames inside the mail, to whose hosts Chromium may connect
 * before it asks a policy that the document inherited. The rest stays byte for byte.
 */
import type { DefaultTreeAdapterTypes as Tree } from "parse5";
import { escapeHtml } from "./escape-html.js";
import { parseDocument, TooMuchHtml } from "./parse-html.js";

/** Of the frame's document. Inline styles and images that the mail carries in itself are all it may use. */
export const FRAME_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

export interface FramedMail {
  html: string;
  /** Where its links lead, in their order. */
  links: { text: string; url: string }[];
  /** What it would load from elsewhere, each URL once. */
  remote: string[];
}

const FRAMES: ReadonlySet<string> = new Set(["iframe", "frame", "object", "embed"]);

interface Found {
  /** Offset in the HTML → what stands there instead of so many characters. */
  edits: Map<number, { length: number; text: string }>;
  links: FramedMail["links"];
  remote: Set<string>;
}

/** Longest text of a link, in characters: each of 500 nested ones holds the whole text of the email. */
const LONGEST_TEXT = 300;
/** Longest source that is shown in place of an email that can't be drawn, in characters. */
const LONGEST_SOURCE = 200_000;

/** HTML beyond the bounds of `parseDocument` is shown as its source, with the reason above it. */
export function framedMail(html: string): FramedMail {
  const found: Found = { edits: new Map(), links: [], remote: new Set() };
  try {
    visit(parseDocument(html), found);
  } catch (error) {
    if (error instanceof TooMuchHtml) return { html: asSource(html, error.message), links: [], remote: [] };
    throw error;
  }
  let framed = "";
  let at = 0;
  for (const [start, { length, text }] of [...found.edits].sort(([a], [b]) => a - b)) {
    if (start < at) continue;
    framed += html.slice(at, start) + text;
    at = start + length;
  }
  return { html: framed + html.slice(at), links: found.links, remote: [...found.remote] };
}

function asSource(html: string, reason: string): string {
  const cut = html.length > LONGEST_SOURCE ? `\n… and ${String(html.length - LONGEST_SOURCE)} more characters` : "";
  const style = "<style>:root { color-scheme: light dark } pre { white-space: pre-wrap; overflow-wrap: anywhere }</style>";
  return `<!doctype html>${style}<p>This email is not drawn. ${escapeHtml(reason)} Its source:</p><pre>${escapeHtml(html.slice(0, LONGEST_SOURCE))}${cut}</pre>`;
}

function visit(node: Tree.Node, found: Found): void {
  if ("attrs" in node) visitElement(node, found);
  if ("content" in node) visit(node.content, found);
  if ("childNodes" in node) for (const child of node.childNodes) visit(child, found);
}

function visitElement(element: Tree.Element, found: Found): void {
  const { tagName, sourceCodeLocation: place } = element;
  const tag = place?.startTag ?? place;
  const attribute = (name: string): string | undefined => element.attrs.find((each) => each.name === name)?.value;
  for (const url of remoteUrls(element)) found.remote.add(url);
  if (FRAMES.has(tagName) && place && tag) {
    // What an <iframe> holds is no markup, and must not become any; an <object> may hold half the mail.
    const end = tagName === "iframe" ? place.endOffset : tag.endOffset;
    found.edits.set(place.startOffset, { length: end - place.startOffset, text: "" });
  }
  if ((tagName === "link" || tagName === "meta") && tag) {
    const refresh = attribute("http-equiv")?.trim().toLowerCase() === "refresh";
    if (tagName === "link" || refresh) found.edits.set(tag.startOffset, { length: tag.endOffset - tag.startOffset, text: "" });
  }
  if ((tagName === "a" || tagName === "area") && tag) {
    // A new window is what the frame may not open, so that a click leads nowhere.
    const target = place?.attrs?.["target"];
    if (target === undefined) found.edits.set(tag.startOffset + 1 + tagName.length, { length: 0, text: ` target="_blank"` });
    else found.edits.set(target.startOffset, { length: target.endOffset - target.startOffset, text: `target="_blank"` });
    const url = attribute("href");
    if (url !== undefined) found.links.push({ text: textOf(element, LONGEST_TEXT).replaceAll(/\s+/g, " ").trim(), url });
  }
}

/** Attributes that make a browser load something at once. */
const LOADING = new Set(["src", "srcset", "background", "poster", "data"]);

function remoteUrls(element: Tree.Element): string[] {
  const urls: string[] = [];
  for (const { name, value } of element.attrs) {
    if (name === "srcset") urls.push(...value.split(",").map((part) => part.trim().split(/\s/, 1)[0] ?? ""));
    else if (LOADING.has(name) || (name === "href" && ["link", "image", "use"].includes(element.tagName))) urls.push(value.trim());
    else if (name === "style") urls.push(...cssUrls(value));
  }
  if (element.tagName === "style") urls.push(...cssUrls(textOf(element, Infinity)));
  return urls.filter((url) => /^(?:https?:)?\/\//i.test(url));
}

function cssUrls(css: string): string[] {
  return [...css.matchAll(/(?:url\(\s*|@import\s+)["']?([^"')\s;]+)/gi)].map(([, url = ""]) => url);
}

/** The text inside, and what images say of themselves; no more characters than `most`. */
function textOf(node: Tree.Node, most: number): string {
  if (node.nodeName === "#text" && "value" in node) return node.value.slice(0, most);
  if ("attrs" in node && node.tagName === "img") return node.attrs.find(({ name }) => name === "alt")?.value.slice(0, most) ?? "";
  let text = "";
  for (const child of "childNodes" in node ? node.childNodes : []) {
    if (text.length >= most) break;
    text += textOf(child, most - text.length);
  }
  return text;
}
