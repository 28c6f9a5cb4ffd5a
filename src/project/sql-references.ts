/** `{{source "x"}}` and `{{var "x"}}` in SQL, checked against opportune.yml. */
import Handlebars from "handlebars";
import type { Problem } from "../core/errors.js";
import { didYouMean, nearestName } from "../core/suggest.js";
import type { FrontMatterFile } from "./files.js";
import { list } from "./references.js";

/** Names of the sources and vars there are; null where opportune.yml could not be read. */
interface SqlNames {
  source: readonly string[] | null;
  var: readonly string[] | null;
}

const SECTION = { source: "sources", var: "vars" } as const;

/** A problem for braces that can't be read, else for each unknown source and var of a SQL file. */
export function checkSql(file: FrontMatterFile, names: SqlNames): Problem[] {
  const problems: Problem[] = [];
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parseWithoutProcessing(file.sql);
  } catch (error) {
    return [unreadable(file, error)];
  }
  const check = (call: { path: hbs.AST.Expression; params: hbs.AST.Expression[] }): void => {
    const helper = "original" in call.path ? call.path.original : undefined;
    const [parameter] = call.params;
    if ((helper !== "source" && helper !== "var") || parameter?.type !== "StringLiteral") return;
    const name = (parameter as hbs.AST.StringLiteral).value;
    const known = names[helper];
    if (known === null || known.includes(name)) return;
    problems.push({
      code: `config/unknown-${helper}`,
      message: `unknown ${helper} "${name}"; known: ${list(known)}`,
      hint: didYouMean(nearestName(name, known)) ?? `add it to ${SECTION[helper]} in opportune.yml`,
      file: file.file,
      ...placeIn(file, parameter.loc.start.line, parameter.loc.start.column),
    });
  };
  class Calls extends Handlebars.Visitor {
    override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
      check(mustache);
      super.MustacheStatement(mustache);
    }
    override SubExpression(expression: hbs.AST.SubExpression): void {
      check(expression);
      super.SubExpression(expression);
    }
  }
  new Calls().accept(program);
  return problems;
}

/** From Handlebars' place in the query (line from 1, column from 0) to that in the file (both from 1). */
function placeIn(file: FrontMatterFile, line: number, column: number): { line: number; column: number } {
  return { line: file.sqlLine + line - 1, column: column + (line === 1 ? file.sqlColumn : 1) };
}

function unreadable(file: FrontMatterFile, error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  const at = error as { lineNumber?: number; column?: number };
  const line = at.lineNumber ?? Number(/^Parse error on line (\d+)/.exec(text)?.[1] ?? 1);
  // The parser draws its finding; the last line says what it met. Column numbers come with some errors only.
  const [last = ""] = text.split("\n").slice(-1);
  const met = /, got '(\w+)'$/.exec(last)?.[1];
  const what = met === undefined ? last.replace(/ - \d+:\d+$/, "") : met === "EOF" ? "a {{ is never closed" : `unexpected ${met}`;
  const place = placeIn(file, line, at.column ?? 0);
  return {
    code: "config/sql-braces",
    message: `the braces in this SQL can't be read: ${what}`,
    hint: 'inside {{ }} go as_of, ago "7 days", source "name", var "name"',
    file: file.file,
    ...(at.column === undefined ? { line: place.line } : place),
  };
}
