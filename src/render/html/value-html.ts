/**
 * HTML that a value brings, for `{{{value}}}`. It is parsed as the content of the element around it and written anew from the
 * tree: what it leaves open is closed, what closes nothing is left out, and the email after it is never part of it.
 */
import { html as standard, serialize, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { parseContent } from "../../core/parse-html.js";
import { isClickable, isLink, refusal, withUtm } from "./links.js";
import { RenderFault, type Settings } from "../types.js";
import { allowedStyle } from "./value-style.js";

/** Text, lists, tables, links and pictures: what an author opens the door for. Everything else is refused by name. */
const ALLOWED: ReadonlySet<string> = new Set(
  `a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn dir div dl dt em
  figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark menu nav ol p picture pre q rp rt ruby s samp
  section small source span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr`.split(/\s+/),
);

/** What the parser calls a value that ends in the middle of markup. */
const CUT_OFF = /^eof-in-(?:tag|comment|cdata|doctype)$/;

/**
 * `name`: the column, for the reason. `parent`: tag name of the element that the value stands in. Links get UTM parameters as the
 * template's do. Throws RenderFault where the value holds what is refused or ends inside a tag, and TooMuchHtml.
 */
export function writtenHtml(html: string, name: string, parent: string, settings: Settings): string {
  if (!/[<&]/.test(html)) return html;
  const refuse = (what: string): never => {
    throw new RenderFault(`the HTML in "${name}" ${what}`);
  };
  const context = parent === "html" || parent === "head" ? "body" : parent;
  const tree = parseContent(html, context, ({ code }) => {
    if (CUT_OFF.test(code)) refuse("ends inside a tag or a comment");
  });
  const visit = (node: Tree.ChildNode): void => {
    if (node.nodeName === "#comment") refuse("holds a comment");
    if (!("attrs" in node)) return;
    if (!ALLOWED.has(node.tagName)) refuse(nameOf(node.tagName));
    for (const attribute of node.attrs) checkAttribute(node.tagName, attribute, settings, refuse);
    node.attrs = node.attrs.filter(({ name, value }) => name !== "style" || value !== "");
    node.childNodes.forEach(visit);
  };
  tree.childNodes.forEach(visit);
  return serialize(tree);
}

/** Names what HTML knows alone: in "Ada <ada@example.com>" the tag's name is an address. */
function nameOf(tag: string): string {
  return standard.getTagID(tag) === standard.TAG_ID.UNKNOWN ? "holds a tag that HTML doesn't know" : `holds <${tag}>`;
}

function checkAttribute(tag: string, attribute: { name: string; value: string }, settings: Settings, refuse: (what: string) => never): void {
  const { name, value } = attribute;
  if (name.startsWith("on") || name === "srcdoc") refuse(`holds the attribute ${name.slice(0, 40)}`);
  if (name === "style") attribute.value = allowedStyle(value, tag);
  if (!isLink(name)) return;
  const reason = refusal(value, name);
  if (reason !== null) throw new RenderFault(reason);
  if (isClickable({ tag, name })) attribute.value = withUtm(value, settings);
}
