/**
 * Writes a document's own style sheets into `style` attributes. css-inline works out which rule holds where; its answer goes into
 * the HTML as written, of which no other byte changes: its own output loses doctypes and Outlook's `<![if …]>`.
 */
import { inline } from "@css-inline/css-inline";
import type { DefaultTreeAdapterTypes as Tree } from "parse5";
import { parseDocument } from "../../core/parse-html.js";
import { joinCss, splitCss, type SplitCss } from "./css.js";
import { bodyStartOf } from "./html.js";
import { unusedWord } from "./pieces.js";

/** At-rules never reach css-inline: its own way with them ends the process at some (`@page`, a rule after the last). */
const OPTIONS = { inlineStyleTags: true, keepStyleTags: true, removeInlinedSelectors: true, keepLinkTags: true, loadRemoteStylesheets: false } as const;

interface Styled {
  /** Offset behind the tag's name. */
  name: number;
  /** Offset behind its last attribute. */
  last: number;
  /** The `style` attribute as a whole. */
  attribute: { start: number; end: number; value: string } | null;
}

interface Sheet {
  start: number;
  end: number;
  inside: number;
  insideEnd: number;
  /** Null: none of its rules may be written into attributes. */
  split: SplitCss | null;
}

/**
 * The HTML with its style sheets inlined. What can't be inlined stays in `<style>`: at-rules, states such as `:hover`, generated
 * content, and rules that match nothing here, which are for what mail programs put around or into an email. Reads no files and
 * no URLs. Throws TooMuchHtml, or what css-inline throws.
 */
export function inlineCss(html: string): string {
  if (!/<style\b/i.test(html)) return html;
  const word = unusedWord(html);
  const document = parseDocument(html);
  const elements: Styled[] = [];
  const sheets: Sheet[] = [];
  collect(document, html, word, elements, sheets);
  const body = bodyStartOf(document);
  const marks: Edit[] = [
    ...elements.map(({ name }, number) => ({ start: name, end: name, text: ` ${word}="${String(number)}"` })),
    ...sheets.map(({ inside, insideEnd, split }) => ({ start: inside, end: insideEnd, text: split?.rules ?? "" })),
    ...(body.implied && body.at !== null ? [{ start: body.at, end: body.at, text: `<body ${word}="body">` }] : []),
  ];
  const inlined = inline(edited(html, marks), OPTIONS);
  const styles = new Map<string, string>();
  for (const [, number = "", rest = ""] of inlined.matchAll(new RegExp(` ${word}="(\\w+)"((?:[^">]|"[^"]*")*)>`, "g"))) {
    const style = / style="([^"]*)"/.exec(rest)?.[1];
    if (style !== undefined && !styles.has(number)) styles.set(number, style);
  }
  const rests = [...inlined.matchAll(new RegExp(`<style ${word}="(\\d+)"[^>]*>([\\s\\S]*?)</style>`, "g"))];
  const restOf = new Map(rests.map(([, number = "", rest = ""]) => [Number(number), rest]));
  const edits = elements.flatMap(({ last, attribute }, number): Edit[] => {
    const style = styles.get(String(number));
    if (style === undefined || style.replaceAll("&quot;", '"').replaceAll("&amp;", "&") === attribute?.value) return [];
    return [{ start: attribute?.start ?? last, end: attribute?.end ?? last, text: `${attribute === null ? " " : ""}style="${style}"` }];
  });
  for (const sheet of sheets) {
    if (sheet.split === null) continue;
    const number = elements.findIndex(({ name }) => name > sheet.start && name < sheet.inside);
    const rest = joinCss(restOf.get(number) ?? "", sheet.split, word);
    edits.push(rest === "" ? { start: sheet.start, end: sheet.end, text: "" } : { start: sheet.inside, end: sheet.insideEnd, text: `\n${rest}\n` });
  }
  const bodyStyle = styles.get("body");
  if (bodyStyle !== undefined && body.at !== null) edits.push({ start: body.at, end: body.at, text: `<body style="${bodyStyle}">` });
  return edited(html, edits);
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

function edited(html: string, edits: readonly Edit[]): string {
  let result = "";
  let done = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    // An attribute of a sheet that is taken out as a whole.
    if (start < done) continue;
    result += html.slice(done, start) + text;
    done = end;
  }
  return result + html.slice(done);
}

function collect(node: Tree.Node, html: string, word: string, elements: Styled[], sheets: Sheet[]): void {
  if ("attrs" in node) {
    const at = node.sourceCodeLocation;
    const tag = at?.startTag ?? at;
    if (at && tag) {
      const style = at.attrs?.["style"];
      const value = node.attrs.find(({ name }) => name === "style")?.value ?? "";
      const name = tag.startOffset + (/^<[^\s/>]*/.exec(html.slice(tag.startOffset, tag.startOffset + 100))?.[0].length ?? 0);
      const last = Math.max(name, ...Object.values(at.attrs ?? {}).map(({ endOffset }) => endOffset));
      elements.push({ name, last, attribute: style ? { start: style.startOffset, end: style.endOffset, value } : null });
      if (node.tagName === "style") sheets.push(sheetOf(node, at, html, word));
    }
  }
  if ("content" in node) collect(node.content, html, word, elements, sheets);
  if ("childNodes" in node) for (const child of node.childNodes) collect(child, html, word, elements, sheets);
}

function sheetOf(node: Tree.Element, at: NonNullable<Tree.Element["sourceCodeLocation"]>, html: string, word: string): Sheet {
  const attribute = (name: string): string =>
    node.attrs
      .find((each) => each.name === name)
      ?.value.trim()
      .toLowerCase() ?? "";
  const [inside, insideEnd] = [at.startTag?.endOffset ?? at.endOffset, at.endTag?.startOffset ?? at.endOffset];
  const everywhere = ["", "all", "screen"].includes(attribute("media")) && ["", "text/css"].includes(attribute("type")) && !node.namespaceURI.endsWith("svg");
  return { start: at.startOffset, end: at.endOffset, inside, insideEnd, split: everywhere ? splitCss(html.slice(inside, insideEnd), word) : null };
}
