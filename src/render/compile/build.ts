/**
 * Compiles a template's forms. What is costly and the same for all messages (inlining CSS, finding links, making the text part) is
 * done here, once; what runs for each message is one compiled Handlebars function.
 */
import type { Problem } from "../../core/errors.js";
import { escapeHtml } from "../../core/escape-html.js";
import { TooMuchHtml } from "../../core/parse-html.js";
import { block, literal, pathTo, program, text, type Expression, type Loc, type Program } from "../language/ast.js";
import { analyse, type Analysis } from "../html/contexts.js";
import { compile, type Compiled } from "../language/engine.js";
import { readHtml, type Document } from "../html/html.js";
import { inlineCss } from "../html/inline.js";
import { isClickable, isLink } from "../html/links.js";
import { flatten, nest, protect, restore, type Piece, type Protected } from "../html/pieces.js";
import { parted, print, type Fields } from "../language/print.js";
import { textPart } from "../html/text-part.js";
import type { Json } from "../types.js";

/** A mail's function: `text` is the HTML; the parts are subject, preheader, from_name, from, reply_to_name, reply_to and text, as far as there are any. */
export interface BuiltEmail {
  run: Compiled;
  /** Why CSS is inlined and links are checked for each message; null: done once. */
  inlineEachTime: string | null;
  /** The text part is made from each message's HTML. */
  textEachTime: boolean;
}

/** A message of another channel: the parts are subject and, for JSON, each string by its number; `text` is a text body. */
export interface BuiltText {
  run: Compiled;
  /** Strings of a JSON body are their numbers in the parts: `shape` puts them in place. */
  shape: ((parts: Readonly<Record<string, string>>) => Json) | null;
}

/** The mail of a composed tree (layout, body, partials). */
export function buildEmail(tree: Program, fields: Fields): { built: BuiltEmail } | { problems: Problem[] } {
  const { loc } = tree;
  try {
    const pieces = flatten(tree.body);
    const analysis = analyse(pieces);
    if (analysis.problems.length > 0) return { problems: analysis.problems };
    const { html, plain } =
      analysis.obstacle === null ? inlineOnce(pieces, analysis, loc, "preheader" in fields) : unlined(analysis, loc, "preheader" in fields);
    const parts = [...parted(fields), ...(plain === null ? [] : [block("__part", [literal("text", loc)], plain, loc)])];
    const run = compile(program([...parts, ...html.body], loc));
    return { built: { run, inlineEachTime: analysis.obstacle, textEachTime: plain === null } };
  } catch (error) {
    if (error instanceof TooMuchHtml) return { problems: [{ code: "template/html", message: error.message, file: loc.source }] };
    const reason = error instanceof Error ? error.message : String(error);
    return { problems: [{ code: "template/css", message: `The style sheet can't be inlined: ${reason}`, file: loc.source }] };
  }
}

/** `plain`: the text part, where it can be told once what it is for every message. */
interface Trees {
  html: Program;
  plain: Program | null;
}

/** With its CSS inlined, which says what is hidden and so no text. */
function inlineOnce(pieces: readonly Piece[], analysis: Analysis, loc: Loc, preheader: boolean): Trees {
  const source = protect(pieces, (token) => analysis.contexts[token]?.kind === "text");
  const located = { ...source, html: inlineCss(source.html) };
  const document = readHtml(located.html);
  const wrapped = withLinks(located, document, loc, "__link", (value) => value, additions(document, loc, preheader));
  const plain = textPart(withLinks(located, document, loc, "__url", escapeHtml, []), analysis, loc);
  return { html: nestHtml(wrapped, analysis, loc), plain };
}

/** As written, with the preheader: for templates whose CSS is inlined for each message, and whose text is made from that. */
function unlined(analysis: Analysis, loc: Loc, preheader: boolean): Trees {
  const { source, document } = analysis;
  let done = 0;
  const pieces = additions(document, loc, preheader).flatMap(({ at, pieces: added }) => {
    const before = restore(source.html.slice(done, at), source);
    done = at;
    return [...before, ...added];
  });
  pieces.push(...restore(source.html.slice(done), source));
  return { html: nestHtml(pieces, analysis, loc), plain: null };
}

function nestHtml(pieces: readonly Piece[], { parents, styled }: Analysis, loc: Loc): Program {
  const nested = nest(pieces, loc, (node, within, piece) => {
    if (within.some((outer) => outer.path.original === "__link")) return print(node, "__value", false);
    return node.escaped ? print(node, styled.has(piece) ? "__css" : "__value", true) : print(node, "__html", false, parents.get(piece));
  });
  if (nested === null) throw new Error("conditions and links are not nested");
  return nested;
}

/**
 * Wraps the value of every link into a block that checks the scheme and adds UTM parameters when the message is rendered, and
 * prints it for HTML (`__link`) or as it is (`__url`).
 * Images and such with a fixed address stay as they are: they were checked when the template was loaded. `encode` is applied to
 * fixed text inside. `added` is put in where it says.
 */
function withLinks(
  source: Pick<Protected, "html" | "tokens" | "word">,
  document: Document,
  loc: Loc,
  helper: "__link" | "__url",
  encode: (value: string) => string,
  added: readonly Addition[],
): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  const copy = (until: number): void => {
    pieces.push(...restore(source.html.slice(done, until), source));
    done = until;
  };
  const links = document.attributes.filter((attribute) => isLink(attribute.name)).map((attribute) => ({ at: attribute.start, attribute }));
  for (const entry of [...links, ...added].sort((a, b) => a.at - b.at)) {
    if (!("attribute" in entry)) {
      copy(entry.at);
      pieces.push(...entry.pieces);
      continue;
    }
    const { at, attribute } = entry;
    const inner = restore(attribute.value, source);
    const first = inner.find((piece) => piece.kind === "value");
    if ((first === undefined && !isClickable(attribute)) || at < done) continue;
    copy(at);
    const where = first?.kind === "value" ? first.node.loc : loc;
    const clickable: Expression = { type: "BooleanLiteral", value: isClickable(attribute), original: isClickable(attribute), loc: where };
    const node = block(helper, [literal(attribute.name, where), clickable], program([], where), where);
    const quote: Piece[] = attribute.quoted ? [] : [{ kind: "text", value: '"', node: null }];
    const value = inner.map((piece): Piece => (piece.kind === "text" ? { ...piece, value: encode(piece.value) } : piece));
    pieces.push(...quote, { kind: "open", node }, ...value, { kind: "close", node }, ...quote);
    done = attribute.end;
  }
  copy(source.html.length);
  return pieces;
}

/** What is put into a template's HTML, and where. */
interface Addition {
  at: number;
  pieces: readonly Piece[];
}

/** The reader's language on `<html>`, unless the template says its own, and the preheader; in the order of the text. */
function additions({ language, bodyStart }: Document, loc: Loc, preheader: boolean): Addition[] {
  const attributes = language.missing.flatMap((name) => [written(` ${name}="`, loc), printedData(name, loc), written('"', loc)]);
  const tagged = language.tag ? attributes : [written("<html", loc), ...attributes, written(">", loc)];
  const first = language.tag ? bodyStart : Math.max(bodyStart, language.at);
  const added = [{ at: language.at, pieces: tagged }, ...(preheader ? [{ at: first, pieces: preheaderPieces(loc) }] : [])];
  return added.sort((a, b) => a.at - b.at);
}

const written = (value: string, loc: Loc): Piece => ({ kind: "text", value, node: text(value, loc) });

/** `{{@name}}` */
function printedData(name: string, loc: Loc): Piece {
  return {
    kind: "value",
    node: { type: "MustacheStatement", path: pathTo(name, loc, true), params: [], escaped: true, strip: { open: false, close: false }, loc },
  };
}

/** Enough invisible characters that no client shows the body's first words after the preheader: clients show 140 at most. */
const PADDING = "&#847;&zwnj;&nbsp;".repeat(90);
const HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;color:transparent;mso-hide:all";

function preheaderPieces(loc: Loc): Piece[] {
  const path = pathTo("preheader", loc, true);
  const shown = block("if", [path], program([], loc), loc);
  return [
    { kind: "open", node: shown },
    written(`<div data-preheader style="${HIDDEN}">`, loc),
    printedData("preheader", loc),
    written(`${PADDING}</div>`, loc),
    { kind: "close", node: shown },
  ];
}
