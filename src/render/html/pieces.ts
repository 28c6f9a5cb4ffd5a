/**
 * A template as a row of pieces, text and Handlebars in turn. For work on the HTML itself (CSS inlining, finding links, making the
 * text part) each piece of Handlebars becomes a token that HTML tools leave alone, and is put back afterwards.
 */
import { text, type BlockNode, type Loc, type Program, type Statement, type TextNode, type ValueNode } from "../language/ast.js";

export type Piece =
  | { kind: "text"; value: string; /** Where it was written; null for what tools made. */ node: TextNode | null }
  | { kind: "value"; node: ValueNode }
  | { kind: "open" | "else" | "close"; node: BlockNode };

/** The statements in order, blocks as an opening, an else and a closing piece. */
export function flatten(list: readonly Statement[]): Piece[] {
  return list.flatMap((node): Piece[] => {
    if (node.type === "ContentStatement") return [{ kind: "text", value: node.value, node }];
    if (node.type === "MustacheStatement") return [{ kind: "value", node }];
    if (node.type !== "BlockStatement") return [];
    const inverse: Piece[] = node.inverse === undefined ? [] : [{ kind: "else", node }, ...flatten(node.inverse.body)];
    return [{ kind: "open", node }, ...flatten(node.program.body), ...inverse, { kind: "close", node }];
  });
}

/** The tree again; `value` says how each printed value is written. Null when blocks are not nested, which a tool has then broken. */
export function nest(pieces: readonly Piece[], loc: Loc, value: (node: ValueNode, within: readonly BlockNode[], piece: Piece) => Statement): Program | null {
  const root: Statement[] = [];
  const stack: { node: BlockNode; main: Statement[]; inverse: Statement[] | null }[] = [];
  const target = (): Statement[] => {
    const top = stack.at(-1);
    return top === undefined ? root : (top.inverse ?? top.main);
  };
  for (const piece of pieces) {
    const top = stack.at(-1);
    if (piece.kind === "text") {
      if (piece.value !== "") target().push(text(piece.value, piece.node?.loc ?? loc));
    } else if (piece.kind === "value")
      target().push(
        value(
          piece.node,
          stack.map((entry) => entry.node),
          piece,
        ),
      );
    else if (piece.kind === "open") stack.push({ node: piece.node, main: [], inverse: null });
    else if (top?.node !== piece.node) return null;
    else if (piece.kind === "else") {
      if (top.inverse !== null || piece.node.inverse === undefined) return null;
      top.inverse = [];
    } else {
      if ((top.inverse === null) !== (piece.node.inverse === undefined)) return null;
      stack.pop();
      const inverse = top.inverse === null || piece.node.inverse === undefined ? undefined : { ...piece.node.inverse, body: top.inverse };
      target().push({ ...piece.node, program: { ...piece.node.program, body: top.main }, inverse });
    }
  }
  return stack.length === 0 ? { type: "Program", body: root, strip: {}, loc } : null;
}

/** Text in which tokens stand for Handlebars, and where everything came from. */
export interface Protected {
  html: string;
  /** By token number; text pieces have none. */
  tokens: readonly Piece[];
  /** Offset in `html` of each piece, in order. */
  spans: readonly { start: number; end: number; piece: Piece; token: number | null }[];
  /** A letter word that occurs nowhere in the text. */
  word: string;
}

/**
 * Replaces Handlebars by tokens: letters and digits, which stay themselves in text, attributes and URLs. `asComment` says for
 * which tokens a comment is better: those between tags, since a parser moves words out of tables but leaves comments in place.
 */
export function protect(pieces: readonly Piece[], asComment: (token: number) => boolean = () => false): Protected {
  const word = unusedWord(pieces.map((piece) => (piece.kind === "text" ? piece.value : "")).join(""));
  const spans: Protected["spans"][number][] = [];
  const tokens: Piece[] = [];
  let html = "";
  for (const piece of pieces) {
    const start = html.length;
    if (piece.kind === "text") html += piece.value;
    else {
      html += asComment(tokens.length) ? `<!--${word}c${tokens.length}x-->` : `${word}${tokens.length}x`;
    }
    spans.push({ start, end: html.length, piece, token: piece.kind === "text" ? null : tokens.push(piece) - 1 });
  }
  return { html, tokens, spans, word };
}

/** A word of small letters that occurs nowhere in a text. */
export function unusedWord(text: string): string {
  const all = text.toLowerCase();
  let word = "zqhbs";
  while (all.includes(word)) word += "q";
  return word;
}

/** The pieces of a text that still holds tokens. */
export function restore(html: string, source: Pick<Protected, "tokens" | "word">): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of html.matchAll(new RegExp(`<!--${source.word}c(\\d+)x-->|${source.word}(\\d+)x`, "g"))) {
    if (match.index > done) pieces.push({ kind: "text", value: html.slice(done, match.index), node: null });
    const piece = source.tokens[Number(match[1] ?? match[2])];
    if (piece !== undefined) pieces.push(piece);
    done = match.index + match[0].length;
  }
  if (done < html.length) pieces.push({ kind: "text", value: html.slice(done), node: null });
  return pieces;
}

/** Which branch of which block each offset is in: the innermost opening or else piece before it, null outside all. */
export function branchAt(source: Protected, offset: number): Piece | null {
  const stack: Piece[] = [];
  for (const span of source.spans) {
    if (span.start >= offset) break;
    if (span.piece.kind === "open") stack.push(span.piece);
    else if (span.piece.kind === "else") stack.splice(-1, 1, span.piece);
    else if (span.piece.kind === "close") stack.pop();
  }
  return stack.at(-1) ?? null;
}

/** 1-based line and column in the template's file of an offset in the protected text; null for text that tools made. */
export function placeAt(source: Protected, offset: number): { file: string; line: number; column: number } | null {
  const span = source.spans.find((each) => offset >= each.start && offset < each.end) ?? source.spans.at(-1);
  if (span === undefined) return null;
  const { piece } = span;
  if (piece.kind !== "text") return { file: piece.node.loc.source, line: piece.node.loc.start.line, column: piece.node.loc.start.column + 1 };
  if (piece.node === null) return null;
  const skipped = Math.max(0, piece.node.original.indexOf(piece.node.value));
  const before = piece.node.original.slice(0, skipped + offset - span.start);
  const lines = before.split("\n");
  const { loc } = piece.node;
  return { file: loc.source, line: loc.start.line + lines.length - 1, column: (lines.at(-1)?.length ?? 0) + 1 + (lines.length === 1 ? loc.start.column : 0) };
}
