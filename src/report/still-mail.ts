/**
 * A mail's HTML for a frame that shows it and lets it do nothing. Scripts, forms and windows are the frame's to forbid
 * (`sandbox`), loading is the page's policy's; taken out here is what can still reach out of both: other documents inside the
 * mail, hints to connect, and links, which would lead the frame away. The rest stays byte for byte.
 */
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";

const TAKEN_OUT: ReadonlySet<string> = new Set(["base", "embed", "frame", "frameset", "iframe", "link", "object", "portal"]);

interface Edit {
  from: number;
  to: number;
  text: string;
}

export function stillMail(html: string): string {
  const edits: Edit[] = [];
  visit(parse(html, { sourceCodeLocationInfo: true, scriptingEnabled: false }), edits);
  let still = "";
  let done = 0;
  for (const { from, to, text } of edits.sort((a, b) => a.from - b.from)) {
    if (from < done) continue;
    still += html.slice(done, from) + text;
    done = to;
  }
  return still + html.slice(done);
}

function visit(node: Tree.Node, edits: Edit[]): void {
  if ("attrs" in node) visitElement(node, edits);
  if ("content" in node) visit(node.content, edits);
  if ("childNodes" in node) for (const child of node.childNodes) visit(child, edits);
}

function visitElement({ tagName, attrs, sourceCodeLocation: place }: Tree.Element, edits: Edit[]): void {
  if (!place) return;
  const refresh = tagName === "meta" && attrs.some(({ name }) => name === "http-equiv");
  if (refresh || TAKEN_OUT.has(tagName)) edits.push({ from: place.startOffset, to: place.endOffset, text: "" });
  if (tagName !== "a" && tagName !== "area") return;
  // A link to a new window leads nowhere, as the frame may not open one.
  const target = place.attrs?.["target"];
  const at = (place.startTag ?? place).startOffset + 1 + tagName.length;
  edits.push(
    target === undefined ? { from: at, to: at, text: ' target="_blank"' } : { from: target.startOffset, to: target.endOffset, text: 'target="_blank"' },
  );
}
