/** The plain-text part of a mail as a Handlebars tree of its own, made once from the HTML of the template. */
import { type BlockNode, type Loc, type Program } from "../language/ast.js";
import type { Analysis } from "./contexts.js";
import { hiddenRanges } from "./hidden.js";
import { nest, protect, restore, type Piece } from "./pieces.js";
import { htmlToPlain } from "./plain.js";
import { print } from "../language/print.js";

/**
 * The tree, or null when it can't be told once what the text of every message is: conditions inside tags, or words that the
 * conversion moved out of their condition. `pieces` is the HTML with links wrapped.
 */
export function textPart(pieces: readonly Piece[], analysis: Analysis, loc: Loc): Program | null {
  if (analysis.contexts.some((context) => context.kind === "tag") || analysis.torn !== null) return null;
  const source = protect(pieces);
  const blocks = source.tokens.flatMap((piece, token) =>
    piece.kind !== "value" && piece.kind !== "text" && isBranch(piece.node) ? [`${source.word}${token}x`] : [],
  );
  const keep = blocks.length === 0 ? undefined : new RegExp(blocks.join("|"), "g");
  const written = htmlToPlain(source.html, keep);
  // A line that holds nothing but conditions is no line of the text.
  const joined =
    blocks.length === 0
      ? written
      : written.replace(new RegExp(`^[ \\t]*((?:(?:${blocks.join("|")})[ \\t]*)+)\\n`, "gm"), (_, tokens: string) => tokens.replace(/\s+/g, ""));
  const restored = restore(joined, source);
  const before = branches(pieces);
  const after = branches(restored);
  const ranges = hiddenRanges(source.html, keep);
  const hidden = new Set(source.spans.filter(({ start }) => ranges.some((range) => start >= range.start && start < range.end)).map(({ piece }) => piece));
  const needed = [...analysis.parents.keys()].filter((piece) => piece.kind === "value" && !hidden.has(piece));
  const seen = restored.filter((piece) => piece.kind !== "text");
  if (new Set(seen).size !== seen.length || needed.some((piece) => !after.has(piece))) return null;
  for (const [piece, branch] of after) if (before.get(piece) !== branch) return null;
  return nest(restored, loc, (node, _, piece) =>
    node.escaped ? print(node, "__value", false) : print(node, "__htmlText", false, analysis.parents.get(piece)),
  );
}

const isBranch = (node: BlockNode): boolean => node.path.original !== "__url";

/** The innermost branch around each value. */
function branches(pieces: readonly Piece[]): Map<Piece, Piece | null> {
  const stack: Piece[] = [];
  const found = new Map<Piece, Piece | null>();
  for (const piece of pieces) {
    if (piece.kind === "open") stack.push(piece);
    else if (piece.kind === "else") stack.splice(-1, 1, piece);
    else if (piece.kind === "close") stack.pop();
    else if (piece.kind === "value") found.set(piece, stack.at(-1) ?? null);
  }
  return found;
}
