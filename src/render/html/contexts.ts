/**
 * What each value of a template becomes part of: text, an attribute, a style sheet. From that follows what is refused when the
 * template is loaded (values that escaping can't make safe) and whether its CSS can be inlined once for all messages.
 */
import type { Problem } from "../../core/errors.js";
import { place } from "../language/ast.js";
import { readHtml, type Attribute, type Document } from "./html.js";
import { isLink, refusal } from "./links.js";
import { branchAt, placeAt, protect, type Piece, type Protected } from "./pieces.js";

export type Context =
  | { kind: "tag" | "comment" }
  | { kind: "text"; /** Tag name of the element around it; `svg` or `math` anywhere inside one. */ parent: string }
  | { kind: "raw"; element: string }
  | { kind: "attribute"; attribute: Attribute };

/** Elements whose content is not markup. */
const RAW: ReadonlySet<string> = new Set(["style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"]);

/** Inside these, names of elements and attributes mean something else. */
const FOREIGN: ReadonlySet<string> = new Set(["svg", "math"]);

/** CSS that depends on which elements are there or how many, which blocks change from message to message. */
const STRUCTURAL = /:(?:first|last|nth|only|empty|has)\b|[+~]\s*[\w.#*[:]/;

export interface Analysis {
  source: Protected;
  document: Document;
  /** By token number. */
  contexts: readonly Context[];
  /** The element around each value that stands in text. */
  parents: ReadonlyMap<Piece, string>;
  /** Values that stand in CSS. */
  styled: ReadonlySet<Piece>;
  problems: Problem[];
  /** Why CSS must be inlined for each message, or null when once is enough. */
  obstacle: string | null;
  /** Which element begins on one side of a condition and ends on another; null: none. */
  torn: string | null;
}

/** Reads composed HTML with its Handlebars as tokens. Throws TooMuchHtml. */
export function analyse(pieces: readonly Piece[]): Analysis {
  const source = protect(pieces);
  const document = readHtml(source.html);
  const contexts = source.spans.filter((span) => span.token !== null).map((span) => contextAt(span.start, source, document));
  const problems = [...source.tokens.flatMap((piece, token) => unsafe(piece, contexts[token])), ...badLinks(source, document)];
  const torn = tornElement(source, document);
  const parents = new Map(source.tokens.flatMap((piece, token) => (contexts[token]?.kind === "text" ? [[piece, contexts[token].parent] as const] : [])));
  const styled = new Set(source.tokens.filter((_, token) => isCss(contexts[token])));
  return { source, document, contexts, parents, styled, problems, torn, obstacle: obstacleIn(source, document, contexts) ?? torn };
}

function isCss(context: Context | undefined): boolean {
  return context?.kind === "raw" ? context.element === "style" : context?.kind === "attribute" && context.attribute.name === "style";
}

function contextAt(offset: number, source: Protected, document: Document): Context {
  const attribute = document.attributes.find((one) => offset >= one.start && offset < one.end);
  if (attribute !== undefined) return { kind: "attribute", attribute };
  const raw = document.elements.find((one) => RAW.has(one.name) && offset >= one.inside && offset < one.end);
  if (raw !== undefined) return { kind: "raw", element: raw.name };
  if (document.elements.some((one) => offset >= one.start && offset < one.inside)) return { kind: "tag" };
  if (document.comments.some((one) => offset >= one.start && offset < one.end)) return { kind: "comment" };
  if (/<\/?$/.test(source.html.slice(Math.max(0, offset - 2), offset))) return { kind: "tag" };
  const around = document.elements.filter((one) => offset >= one.inside && offset < one.end).sort((a, b) => b.inside - a.inside);
  const parent = around.find(({ name }) => FOREIGN.has(name)) ?? around[0];
  return { kind: "text", parent: parent?.name ?? "body" };
}

/** Places where a value could become more than text, whatever is escaped. */
function unsafe(piece: Piece, context: Context | undefined): Problem[] {
  if (piece.kind !== "value" || context === undefined) return [];
  const problem = (message: string, hint: string): Problem[] => [{ code: "template/unsafe-value", message, hint, ...place(piece.node.loc) }];
  if (context.kind === "tag")
    return problem("A value can't write a tag or an attribute.", 'Write the attribute and its quotes, and put the value between them: title="{{title}}".');
  if (context.kind === "attribute") {
    const { name, quoted, tag } = context.attribute;
    if (!quoted) return problem(`A value in the attribute ${name} needs quotes around it.`, `${name}="{{…}}"`);
    if (name.startsWith("on") || name === "srcdoc" || (tag === "meta" && name === "content"))
      return problem(`A value can't stand in ${tag} ${name}: it would run as code.`, "Put the value into the text.");
    if (!piece.node.escaped)
      return problem(`{{{ }}} can't stand in an attribute (${name}): a quote in the value would end it.`, "Use {{ }}; links and quotes come out right.");
  }
  if (context.kind === "raw" && context.element !== "style" && context.element !== "title")
    return problem(`A value can't stand in <${context.element}>.`, "Put the value into the text.");
  if (!piece.node.escaped && (context.kind !== "text" || FOREIGN.has(context.parent)))
    return problem("{{{ }}} can only stand in the text of the body.", "Use {{ }}.");
  return [];
}

/** Links that are refused whatever the values are. */
function badLinks(source: Protected, document: Document): Problem[] {
  return document.attributes.flatMap((attribute): Problem[] => {
    if (!isLink(attribute.name)) return [];
    const [before = "", ...dynamic] = attribute.value.split(source.word);
    const reason = dynamic.length === 0 ? refusal(attribute.value, attribute.name) : /^[^:/?#]*:/.test(before) ? refusal(before, attribute.name) : null;
    if (reason === null) return [];
    return [
      { code: "template/link", message: `In <${attribute.tag}>, ${reason}: ${attribute.value.slice(0, 60)}`, ...(placeAt(source, attribute.start) ?? {}) },
    ];
  });
}

function obstacleIn(source: Protected, document: Document, contexts: readonly Context[]): string | null {
  const line = (token: number): string => {
    const loc = source.tokens[token]?.kind === "text" ? undefined : source.tokens[token]?.node.loc;
    return loc === undefined ? "" : ` (${loc.source}:${loc.start.line})`;
  };
  const selected = new Set(["class", "id", "style", ...[...document.css.matchAll(/\[\s*([\w-]+)/g)].map((match) => match[1]?.toLowerCase() ?? "")]);
  for (const [token, context] of contexts.entries()) {
    if (context.kind === "tag") return `a condition stands inside a tag${line(token)}`;
    if (context.kind === "raw" && context.element === "style") return `a value stands in <style>${line(token)}`;
    if (context.kind === "attribute" && selected.has(context.attribute.name))
      return `a value stands in the attribute ${context.attribute.name}, which style sheets look at${line(token)}`;
  }
  if (document.language.missing.length > 0 && /\[\s*(?:dir|lang)\b|:(?:dir|lang)\(/.test(document.css))
    return "the style sheet looks at lang or dir, which each reader's locale decides";
  const branching = source.tokens.some((piece) => piece.kind === "open" && piece.node.path.original !== "__partial");
  if (branching && STRUCTURAL.test(document.css))
    return "the style sheet counts elements (:first-child, :nth-child, +, ~), and conditions change how many there are";
  return null;
}

function tornElement(source: Protected, document: Document): string | null {
  const torn = document.elements.find((element) => branchAt(source, element.start) !== branchAt(source, element.end));
  if (torn === undefined) return null;
  const where = placeAt(source, torn.start);
  return `<${torn.name}> begins and ends on different sides of a condition${where === null ? "" : ` (${where.file}:${where.line})`}`;
}
