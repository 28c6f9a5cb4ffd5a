/**
 * The part of Handlebars' syntax tree that templates may use, as a discriminated union (the library's own types are not one).
 * `loc.source` is the file relative to the project; lines are 1-based, columns 0-based as Handlebars counts them.
 */
import Handlebars from "handlebars";
import type { Problem } from "../../core/errors.js";

export interface Loc {
  source: string;
  start: { line: number; column: number };
  end: { line: number; column: number };
}

export interface PathNode {
  type: "PathExpression";
  data: boolean;
  depth: number;
  parts: string[];
  original: string;
  loc: Loc;
}
export interface LiteralNode {
  type: "StringLiteral" | "NumberLiteral" | "BooleanLiteral" | "UndefinedLiteral" | "NullLiteral";
  value?: string | number | boolean;
  original?: unknown;
  loc: Loc;
}
export interface CallNode {
  type: "SubExpression";
  path: PathNode;
  params: Expression[];
  hash?: HashNode | undefined;
  loc: Loc;
}
export type Expression = PathNode | LiteralNode | CallNode;

export interface HashNode {
  type: "Hash";
  pairs: { type: "HashPair"; key: string; value: Expression; loc: Loc }[];
  loc: Loc;
}
export interface Program {
  type: "Program";
  body: Statement[];
  blockParams?: string[] | undefined;
  strip?: unknown;
  loc: Loc;
}
export interface ValueNode {
  type: "MustacheStatement" | "Decorator";
  path: Expression;
  params: Expression[];
  hash?: HashNode | undefined;
  escaped: boolean;
  strip?: unknown;
  loc: Loc;
}
export interface BlockNode {
  type: "BlockStatement" | "DecoratorBlock";
  path: PathNode;
  params: Expression[];
  hash?: HashNode | undefined;
  program: Program;
  inverse?: Program | undefined;
  openStrip?: unknown;
  inverseStrip?: unknown;
  closeStrip?: unknown;
  loc: Loc;
}
export interface PartialNode {
  type: "PartialStatement" | "PartialBlockStatement";
  name: Expression;
  params: Expression[];
  hash?: HashNode | undefined;
  program?: Program;
  loc: Loc;
}
export interface TextNode {
  type: "ContentStatement";
  value: string;
  /** Before Handlebars took away the white space around blocks that stand alone on a line. */
  original: string;
  loc: Loc;
}
export interface CommentNode {
  type: "CommentStatement";
  value: string;
  loc: Loc;
}
export type Statement = ValueNode | BlockNode | PartialNode | TextNode | CommentNode;

/** Where a piece of Handlebars stands in a file: 1-based line, 0-based column of its first character. */
export interface Start {
  file: string;
  line: number;
  column: number;
  /** False where escapes or folding make columns inside the text unknown; then every node stands at the start. */
  exact?: boolean;
}

/** Parses Handlebars; positions come out as those of the file. A syntax error comes back as a Problem with its line. */
export function parseSource(source: string, start: Start): { program: Program } | { problem: Problem } {
  let program: Program;
  try {
    program = Handlebars.parse(source, { srcName: start.file }) as unknown as Program;
  } catch (error) {
    return { problem: syntaxProblem(error, source, start) };
  }
  shift(program, start);
  return { program };
}

function syntaxProblem(error: unknown, source: string, start: Start): Problem {
  const text = error instanceof Error ? error.message : String(error);
  const known = error as { lineNumber?: number; column?: number };
  const line = known.lineNumber ?? Number(/^Parse error on line (\d+)/.exec(text)?.[1] ?? 1);
  const row = source.split("\n")[line - 1]?.trim() ?? "";
  const what = /Expecting .*, got '(\w+)'/.exec(text)?.[1];
  const reason =
    known.lineNumber !== undefined
      ? text.replace(/ - \d+:\d+$/, "")
      : what === "EOF"
        ? "the text ends inside a block that is still open"
        : `unexpected ${what === undefined || what === "INVALID" ? "character" : what.toLowerCase().replaceAll("_", " ")}`;
  return {
    code: "template/syntax",
    message: `Handlebars does not understand this: ${reason}${row === "" ? "" : ` (${row.slice(0, 80)})`}`,
    hint: "Every {{#block}} needs its {{/block}}, and every {{ its }}.",
    file: start.file,
    line: start.exact === false ? start.line : start.line + line - 1,
    ...(known.column === undefined || start.exact === false ? {} : { column: known.column + 1 + (line === 1 ? start.column : 0) }),
  };
}

/** Moves the positions of a parsed tree to where the text stands in its file. */
function shift(node: unknown, start: Start): void {
  if (Array.isArray(node)) {
    for (const child of node) shift(child, start);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === "loc") {
      // An empty block comes without a place.
      const loc = (value ?? {}) as Partial<Loc>;
      (node as { loc: Loc }).loc = { source: start.file, start: moved(loc.start, start), end: moved(loc.end, start) };
    } else shift(value, start);
  }
}

function moved(at: Loc["start"] = { line: 1, column: 0 }, start: Start): { line: number; column: number } {
  if (start.exact === false) return { line: start.line, column: start.column };
  return { line: at.line + start.line - 1, column: at.line === 1 ? at.column + start.column : at.column };
}

/** The place of a node as a Problem wants it: columns are 1-based there. */
export function place(loc: Loc): { file: string; line: number; column: number } {
  return { file: loc.source, line: loc.start.line, column: loc.start.column + 1 };
}

/** The name of a path that reads like a helper: one part, no `../`, `this.` or `@`; null for any other expression. */
export function simpleName(expression: Expression): string | null {
  if (expression.type !== "PathExpression" || expression.data || expression.depth > 0) return null;
  if (expression.parts.length !== 1 || /^(?:\.|this\b)/.test(expression.original)) return null;
  return expression.parts[0] ?? null;
}

/** A name looked up as a helper, or in the data when `data` is set. */
export function pathTo(name: string, loc: Loc, data = false): PathNode {
  return { type: "PathExpression", data, depth: 0, parts: [name], original: data ? `@${name}` : name, loc };
}

export function text(value: string, loc: Loc): TextNode {
  return { type: "ContentStatement", value, original: value, loc };
}

export function literal(value: string, loc: Loc): LiteralNode {
  return { type: "StringLiteral", value, original: value, loc };
}

export function program(body: Statement[], loc: Loc, blockParams?: string[]): Program {
  return { type: "Program", body, blockParams, strip: {}, loc };
}

/** A block whose helper is one of the renderer's own. */
export function block(name: string, params: Expression[], body: Program, loc: Loc, hash?: HashNode): BlockNode {
  const strip = { open: false, close: false };
  return { type: "BlockStatement", path: pathTo(name, loc), params, hash, program: body, openStrip: strip, inverseStrip: strip, closeStrip: strip, loc };
}

/** A value printed by one of the renderer's own helpers. */
export function printed(name: string, params: Expression[], escaped: boolean, loc: Loc): ValueNode {
  return { type: "MustacheStatement", path: pathTo(name, loc), params, escaped, strip: { open: false, close: false }, loc };
}
