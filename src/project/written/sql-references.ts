/** `{{source "x"}}`, `{{var "x"}}` and `{{audience "x"}}` in SQL, checked against what there is. */
import type { Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { dbtWords } from "./dbt-words.js";
import type { Project } from "../types.js";
import type { FrontMatterFile } from "./files.js";
import { list } from "../schema/references.js";
import { callsOf, placeInFile, sqlCalls, type SqlCall } from "./sql-tokens.js";

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
  const dbt = dbtWords(file);
  if (dbt !== null) return [dbt];
  let calls: readonly SqlCall[];
  try {
    calls = sqlCalls(file.sql);
  } catch (error) {
    return [unreadable(file, error)];
  }
  return calls.flatMap(({ helper, text, nameFrom, textFrom }): Problem[] => {
    if (helper === "audience" && text === null) {
      const hint = 'write for example {{audience "customers"}}';
      return [{ code: "config/audience-name", message: "{{audience}} takes a name in quotes", hint, file: file.file, ...placeInFile(file, nameFrom) }];
    }
    if ((helper !== "source" && helper !== "var" && helper !== "audience") || text === null) return [];
    const known = names[helper];
    if (known === null || known.includes(text)) return [];
    const message = `unknown ${helper} "${text}"; known: ${list(known)}`;
    const hint = didYouMean(nearestName(text, known)) ?? WAY_OUT[helper](text);
    return [{ code: `config/unknown-${helper}`, message, hint, file: file.file, ...placeInFile(file, textFrom) }];
  });
}

/** Names of the sources that a segment, or an audience that one goes by, reads: nothing else of them is asked for. */
export function usedSources({ segments, audiences, policy }: Pick<Project, "segments" | "audiences" | "policy">): Set<string> {
  const going = [...segments.values()];
  const named = [...going.flatMap(({ goal, exclude, require }) => [goal?.audience ?? "", ...exclude, ...require]), ...policy.exclude, ...policy.require];
  const files = [...going, ...named.flatMap((name) => audiences.get(name) ?? [])];
  return new Set(files.flatMap(({ sql }) => callsOf("source", sql).map(({ text }) => text)));
}

/** From Handlebars' place in the query (line from 1, column from 0) to that in the file (both from 1). */
function placeOf(file: FrontMatterFile, { line, column }: { line: number; column: number }): { line: number; column: number } {
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
  const place = placeOf(file, { line, column: at.column ?? 0 });
  return {
    code: "config/sql-braces",
    message: `the braces in this SQL can't be read: ${what}`,
    hint: 'inside {{ }} go as_of, ago "7 days", before "column" "1 day", source "name", var "name", audience "name"',
    file: file.file,
    ...(at.column === undefined ? { line: place.line } : place),
  };
}
