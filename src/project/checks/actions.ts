/** Calls to action of an email: what looks like a button, or, in a mail without buttons, its links. */
import type { Loc, Program } from "../../render/language/ast.js";
import { readHtml, type Attribute, type Document } from "../../render/html/html.js";
import { isClickable } from "../../render/html/links.js";
import { flatten, placeAt, protect, type Piece, type Protected } from "../../render/html/pieces.js";
import type { Found, Report } from "./types.js";

/** Blocks around a place, outermost first, with the side of each. */
type Branches = readonly { node: object; side: "open" | "else"; each: boolean }[];

interface Action {
  /** The address, with its Handlebars as written: equal ones lead to the same place. */
  to: string;
  branches: Branches;
  loc: Loc;
}

/** The parts of class names that say "button". */
const BUTTON_CLASS = /(?:^|[\s_-])(?:button|btn|cta)(?:$|[\s_-])/i;
/** Of an inline style: what makes a box out of a link. */
const BUTTON_STYLE = /\bbackground(?:-color)?\s*:(?!\s*(?:none|transparent))/i;

/**
 * One finding, at the second action that leads elsewhere than the first and can stand beside it: the sides of a condition are
 * one choice for the reader, and what an `{{#each}}` repeats is many. Links of a list (in `{{#each}}`), of an address to write or
 * call, and to unsubscribe are no calls to action unless they are buttons.
 */
export function severalActions(body: Program, report: Report): Found[] {
  const source = protect(flatten(body.body));
  const document = readHtml(source.html, true);
  const links = document.attributes.filter((attribute) => attribute.tag === "a" && isClickable(attribute));
  const inOrder = links.sort((a, b) => a.start - b.start).map((link) => ({ ...actionOf(link, source), button: looksLikeButton(link, document) }));
  const buttons = inOrder.filter(({ button }) => button);
  const actions =
    buttons.length > 0 ? buttons : inOrder.filter(({ to, branches }) => !/^(?:mailto:|tel:|#|\{\{unsubscribe_url\}\}$)/.test(to) && !repeated(branches));
  for (const [index, action] of actions.entries()) {
    if (repeated(action.branches)) return [report("several-actions", `The button to ${action.to} stands in an {{#each}}: one for every item.`, action.loc)];
    const other = actions.slice(0, index).find(({ to, branches }) => to !== action.to && together(branches, action.branches));
    if (other !== undefined)
      return [report("several-actions", `Beside the ${other.button ? "button" : "link"} to ${other.to} there is one to ${action.to}.`, action.loc)];
  }
  return [];
}

function looksLikeButton(link: Attribute, { attributes, elements }: Document): boolean {
  const tag = elements.find(({ start, inside }) => start < link.start && link.start < inside);
  const own = attributes.filter(({ start }) => tag !== undefined && tag.start < start && start < tag.inside);
  const value = (name: string): string => own.find((attribute) => attribute.name === name)?.value ?? "";
  return BUTTON_CLASS.test(value("class")) || BUTTON_STYLE.test(value("style")) || value("role") === "button";
}

function actionOf(link: Attribute, source: Protected): Action {
  const written = link.value.trim().replaceAll(new RegExp(`${source.word}(\\d+)x`, "g"), (_, token) => nameOf(source.tokens[Number(token)]));
  const first = source.tokens[Number(new RegExp(`${source.word}(\\d+)x`).exec(link.value)?.[1])];
  return { to: written, branches: branchesAt(source, link.start), loc: locOf(first) ?? fixedLoc(source, link.start) };
}

function nameOf(piece: Piece | undefined): string {
  if (piece?.kind !== "value") return "";
  const { path, params } = piece.node;
  if (path.type === "StringLiteral") return String(path.value);
  const parts = [path, ...params].map((node) => (node.type === "PathExpression" ? node.original : "original" in node ? JSON.stringify(node.original) : "(…)"));
  return `{{${parts.join(" ")}}}`;
}

/** Where the address was written: of a partial's argument, where the partial is used. */
function locOf(piece: Piece | undefined): Loc | null {
  return piece?.kind === "value" ? piece.node.path.loc : null;
}

function fixedLoc(source: Protected, offset: number): Loc {
  const at = placeAt(source, offset) ?? { file: "", line: 1, column: 1 };
  const start = { line: at.line, column: at.column - 1 };
  return { source: at.file, start, end: start };
}

function branchesAt(source: Protected, offset: number): Branches {
  const stack: Branches[number][] = [];
  for (const { start, piece } of source.spans) {
    if (start >= offset) break;
    if (piece.kind === "open") stack.push({ node: piece.node, side: "open", each: piece.node.path.original === "each" });
    else if (piece.kind === "else") stack.splice(-1, 1, { node: piece.node, side: "else", each: false });
    else if (piece.kind === "close") stack.pop();
  }
  return stack;
}

/** Not on different sides of one condition. */
function together(a: Branches, b: Branches): boolean {
  return !a.some(({ node, side }) => b.some((other) => other.node === node && other.side !== side));
}

function repeated(branches: Branches): boolean {
  return branches.some(({ each }) => each);
}
