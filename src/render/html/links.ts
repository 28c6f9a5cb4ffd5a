/** Which links a mail may hold, and the UTM parameters that they get. */
import { escapeHtml } from "../../core/escape-html.js";
import { readHtml, type Attribute } from "./html.js";
import { RenderFault, type Settings } from "../types.js";

/** Attributes that hold a URL, or several. */
const LINK_ATTRIBUTES: ReadonlySet<string> = new Set([
  "href",
  "xlink:href",
  "src",
  "srcset",
  "imagesrcset",
  "action",
  "formaction",
  "background",
  "poster",
  "cite",
  "longdesc",
  "data",
  "ping",
  "manifest",
  "codebase",
  "archive",
  "icon",
  "lowsrc",
  "dynsrc",
  "profile",
]);
const ALLOWED: ReadonlySet<string> = new Set(["http", "https", "mailto", "tel"]);

/** White space, controls and invisible characters: browsers drop some of them before they read the scheme. */
const INVISIBLE = new RegExp("[\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u200b-\\u200f\\u2028-\\u202f\\u2060-\\u2064\\ufeff]+", "g");
const CONTROL = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]");

export function isLink(name: string): boolean {
  return LINK_ATTRIBUTES.has(name);
}

/** Whether a click on it leads somewhere: those links get UTM parameters, images and style sheets do not. */
export function isClickable(attribute: Pick<Attribute, "tag" | "name">): boolean {
  return attribute.name === "href" && attribute.tag !== "link" && attribute.tag !== "base";
}

/** The scheme in small letters as a browser would read it, or null if there is none. */
function schemeOf(url: string): string | null {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url.replace(INVISIBLE, ""))?.[1]?.toLowerCase() ?? null;
}

/**
 * Why a link is refused, naming its scheme and the attribute, but not the link, which may be personal; null if it may stay.
 * Takes the value with entities decoded.
 */
export function refusal(url: string, attribute: string): string | null {
  for (const one of urlsOf(url, attribute)) {
    const scheme = schemeOf(one);
    if (scheme !== null && !ALLOWED.has(scheme)) return `the link in ${attribute} has the scheme "${scheme}"; allowed are ${[...ALLOWED].join(", ")}`;
    if (scheme === null && !one.trim().startsWith("#"))
      return `the link in ${attribute} has no scheme; an email needs whole links such as https://shop.example/cart`;
    if (CONTROL.test(one.trim())) return `the link in ${attribute} holds a control character`;
  }
  return null;
}

function urlsOf(value: string, attribute: string): string[] {
  if (attribute.endsWith("srcset"))
    return value
      .split(/,(?=\s)|,$/)
      .map((part) => part.trim().split(/\s+/)[0] ?? "")
      .filter(Boolean);
  return attribute === "ping" || attribute === "archive" || attribute === "profile" ? value.split(/\s+/).filter(Boolean) : [value];
}

/** What UTM adds to a URL (entities decoded) and at which offset; null where it adds nothing. Other bytes are never touched. */
function utmFor(url: string, settings: Settings): { query: string } | null {
  if (settings.utm.length === 0 || !/^\s*https?:/i.test(url) || url === settings.unsubscribeUrl) return null;
  const hash = url.indexOf("#");
  const base = hash < 0 ? url : url.slice(0, hash);
  const mark = base.indexOf("?");
  const present =
    mark < 0
      ? []
      : base
          .slice(mark + 1)
          .split(/[&;]/)
          .map((pair) => pair.split("=")[0]);
  const added = settings.utm.filter(([name]) => !present.includes(name)).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  if (added.length === 0) return null;
  const joint = mark < 0 ? "?" : /[?&]\s*$/.test(base) ? "" : "&";
  return { query: joint + added.join("&") };
}

/** The URL with UTM parameters before its fragment. */
export function withUtm(url: string, settings: Settings): string {
  const added = utmFor(url, settings);
  if (added === null) return url;
  const at = endOfQuery(url, url.indexOf("#"));
  return url.slice(0, at) + added.query + url.slice(at);
}

/** Where the query ends: before the fragment and before white space at the end. */
function endOfQuery(url: string, hash: number): number {
  return (hash < 0 ? url : url.slice(0, hash)).trimEnd().length;
}

/**
 * Checks every link of finished HTML and adds UTM parameters to those that can be clicked. Everything else stays byte for
 * byte. Throws RenderFault for a link that is refused, and TooMuchHtml.
 */
export function rewriteLinks(html: string, settings: Settings): string {
  const document = readHtml(html);
  let result = "";
  let done = 0;
  for (const attribute of document.attributes.filter((one) => isLink(one.name)).sort((a, b) => a.start - b.start)) {
    const reason = refusal(attribute.value, attribute.name);
    if (reason !== null) throw new RenderFault(reason);
    const added = isClickable(attribute) ? utmFor(attribute.value, settings) : null;
    if (added === null || attribute.start < done) continue;
    const written = html.slice(attribute.start, attribute.end);
    const at = attribute.start + endOfQuery(written, fragmentAt(written));
    result += html.slice(done, at) + escapeHtml(added.query);
    done = at;
  }
  return result + html.slice(done);
}

/** Offset of the first `#` that is not part of an entity such as `&#38;`; -1 if there is none. */
function fragmentAt(written: string): number {
  for (const match of written.matchAll(/&#?\w+;?|#/g)) if (match[0] === "#") return match.index;
  return -1;
}
