/** What must be told apart in SQL before anything is looked for in it, and the calls that stand in it. */
import Handlebars from "handlebars";

export interface SqlToken {
  /** Offsets; `to` is the first after it. */
  from: number;
  to: number;
  /** A comment of SQL's or Handlebars'; else a text or a name in quotes. */
  comment: boolean;
}

const TOKEN = /\{\{!--[\s\S]*?--\}\}|\{\{![^}]*\}\}|--[^\n]*|\/\*[\s\S]*?\*\/|'[^']*'|"[^"]*"/g;

/** The comments and everything in quotes, in order. */
export function sqlTokens(sql: string): SqlToken[] {
  return [...sql.matchAll(TOKEN)].map(({ index, 0: token }) => ({ from: index, to: index + token.length, comment: /^(?:--|\/\*|\{\{!)/.test(token) }));
}

/** A call of a helper in braces, two or three: `{{source "orders"}}`. */
export interface SqlCall {
  helper: string;
  /** The first argument, where it is a text in quotes. */
  text: string | null;
  /** Offsets: of the first brace, the first after the last one, the helper's name, and the first argument or else the name. */
  from: number;
  to: number;
  nameFrom: number;
  textFrom: number;
  /** Inside of another call's braces. */
  nested: boolean;
  /** In a comment of SQL's. */
  comment: boolean;
}

/** The calls in order. Throws Handlebars' error where the braces can't be read. */
export function sqlCalls(sql: string): SqlCall[] {
  const lines = [0, ...[...sql.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const offset = ({ line, column }: hbs.AST.Position): number => (lines[line - 1] ?? 0) + column;
  const comments = sqlTokens(sql).filter(({ comment }) => comment);
  const calls: SqlCall[] = [];
  const add = ({ path, params: [first], loc }: hbs.AST.MustacheStatement | hbs.AST.SubExpression, nested: boolean): void => {
    if (!("original" in path) || typeof path.original !== "string") return;
    const text = first?.type === "StringLiteral" ? (first as hbs.AST.StringLiteral).value : null;
    const from = offset(loc.start);
    const comment = comments.some((token) => token.from <= from && from < token.to);
    const [nameFrom, textFrom] = [path, first ?? path].map((part) => offset(part.loc.start)) as [number, number];
    calls.push({ helper: path.original, text, from, to: offset(loc.end), nameFrom, textFrom, nested, comment });
  };
  class Calls extends Handlebars.Visitor {
    override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
      add(mustache, false);
      super.MustacheStatement(mustache);
    }
    override SubExpression(expression: hbs.AST.SubExpression): void {
      add(expression, true);
      super.SubExpression(expression);
    }
  }
  new Calls().accept(Handlebars.parseWithoutProcessing(sql));
  return calls;
}

/** The calls of one helper with a text, in order; none where the braces can't be read, which checkSql reports. */
export function callsOf(helper: string, sql: string): (SqlCall & { text: string })[] {
  let calls: SqlCall[] = [];
  try {
    calls = sqlCalls(sql);
  } catch {
    return [];
  }
  return calls.flatMap((call) => (call.helper === helper && call.text !== null ? [{ ...call, text: call.text }] : []));
}

/** Where an offset of a file's query stands in the file; both from 1. */
export function placeInFile(
  { sql, sqlLine, sqlColumn = 1 }: { sql: string; sqlLine: number; sqlColumn?: number },
  at: number,
): { line: number; column: number } {
  const before = sql.slice(0, at).split("\n");
  return { line: sqlLine + before.length - 1, column: (before.at(-1)?.length ?? 0) + (before.length === 1 ? sqlColumn : 1) };
}
