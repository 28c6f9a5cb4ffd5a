/** `{{source "x"}}`, `{{var "x"}}` and `{{audience "x"}}` in SQL, checked against what there is. */
import Handlebars from "handlebars";
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { dbtWords } from "./dbt-words.js";
import type { Project } from "../types.js";
import type { FrontMatterFile } from "./files.js";
import { list } from "../schema/references.js";

/** Names of the sources, vars and audiences there are; null where they could not be read. */
interface SqlNames {
  source: readonly string[] | null;
  var: readonly string[] | null;
  audience: readonly string[] | null;
}

const WAY_OUT: Readonly<Record<keyof SqlNames, (name: string) => string>> = {
  source: () => "add it to sources in opportune.yml",
  var: () => "add it to vars in opportune.yml",
  audience: (name) => `write segments/audiences/${name}.sql`,
};

/** A problem for dbt's Jinja or braces that can't be read, else for each unknown source, var and audience of a SQL file. */
export function checkSql(file: FrontMatterFile, names: SqlNames): Problem[] {
  const problems: Problem[] = [];
  const dbt = dbtWords(file);
  if (dbt !== null) return [dbt];
  const calls = callsIn(file.sql);
  if (calls instanceof Error) return [unreadable(file, calls)];
  for (const { helper, parameter, path } of calls) {
    if (helper === "audience" && parameter?.type !== "StringLiteral") {
      const hint = 'write for example {{audience "customers"}}';
      problems.push({
        code: "config/audience-name",
        message: "{{audience}} takes a name in quotes",
        hint,
        file: file.file,
        ...placeOf(file, path.loc.start),
      });
      continue;
    }
    if ((helper !== "source" && helper !== "var" && helper !== "audience") || parameter?.type !== "StringLiteral") continue;
    const name = (parameter as hbs.AST.StringLiteral).value;
    const known = names[helper];
    if (known === null || known.includes(name)) continue;
    problems.push({
      code: `config/unknown-${helper}`,
      message: `unknown ${helper} "${name}"; known: ${list(known)}`,
      hint: didYouMean(nearestName(name, known)) ?? WAY_OUT[helper](name),
      file: file.file,
      ...placeOf(file, parameter.loc.start),
    });
  }
  return problems;
}

/** What `{{helper "parameter"}}` calls, wherever it stands but in a comment of Handlebars. */
interface Call {
  helper: unknown;
  path: hbs.AST.Expression;
  parameter: hbs.AST.Expression | undefined;
}

/** In order; the parser's error where the braces can't be read. */
function callsIn(text: string): Call[] | Error {
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parseWithoutProcessing(text);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const calls: Call[] = [];
  const take = ({ path, params }: { path: hbs.AST.Expression; params: hbs.AST.Expression[] }): void => {
    calls.push({ helper: "original" in path ? path.original : undefined, path, parameter: params[0] });
  };
  class Calls extends Handlebars.Visitor {
    override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
      take(mustache);
      super.MustacheStatement(mustache);
    }
    override SubExpression(expression: hbs.AST.SubExpression): void {
      take(expression);
      super.SubExpression(expression);
    }
  }
  new Calls().accept(program);
  return calls;
}

/** Names of the sources that a segment, or an audience that one goes by, reads: nothing else of them is asked for. */
export function usedSources({ segments, audiences, policy }: Pick<Project, "segments" | "audiences" | "policy">): Set<string> {
  const going = [...segments.values()];
  const named = [...going.flatMap(({ goal, exclude, require }) => [goal?.audience ?? "", ...exclude, ...require]), ...policy.exclude, ...policy.require];
  const files = [...going, ...named.flatMap((name) => audiences.get(name) ?? [])];
  // A file whose braces can't be read doesn't run.
  const calls = files.map(({ sql }) => callsIn(sql)).flatMap((found) => (found instanceof Error ? [] : found));
  return new Set(
    calls.flatMap(({ helper, parameter }) => (helper === "source" && parameter?.type === "StringLiteral" ? [(parameter as hbs.AST.StringLiteral).value] : [])),
  );
}

/** From Handlebars' place in the query (line from 1, column from 0) to that in the file (both from 1). */
function placeOf(file: FrontMatterFile, { line, column }: { line: number; column: number }): { line: number; column: number } {
  return { line: file.sqlLine + line - 1, column: column + (line === 1 ? file.sqlColumn : 1) };
}

function unreadable(file: FrontMatterFile, error: Error): Problem {
  const text = error.message;
  const at = error as { lineNumber?: number; column?: number };
  const line = at.lineNumber ?? Number(/^Parse error on line (\d+)/.exec(text)?.[1] ?? 1);
  // The parser draws its finding; the last line says what it met. Column numbers come with some errors only.
  const [last = ""] = text.split("\n").slice(-1);
  const met = /, got '(\w+)'$/.exec(last)?.[1];
  const what = met === undefined ? last.replace(/ - \d+:\d+$/, "") : met === "EOF" ? "a {{ is never closed" : `unexpected ${met}`;
  const place = placeOf(file, { line, column: at.column ?? 0 });
  return {
    code: "config/sql-braces",
    message: `the braces in this SQL can't be read: ${what}`,
    hint: 'inside {{ }} go as_of, ago "7 days", before "column" "1 day", source "name", var "name", audience "name"',
    file: file.file,
    ...(at.column === undefined ? { line: place.line } : place),
  };
}
