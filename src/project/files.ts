/** The files of a project: which there are, and what a SQL file with front matter is made of. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../core/errors.js";
import type { SqlFile } from "./types.js";
import { lineCounterOf, parseYaml, type YamlSource } from "./yaml-source.js";

/**
 * The files under `folder` whose names end in `ending`, as paths with `/` relative to `root`, sorted. Links are followed
 * (a mounted ConfigMap is made of them); names that begin with a dot are left out. Empty where the folder is missing.
 */
export function listFiles(root: string, folder: string, ending: string): string[] {
  const absolute = join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute)
    .filter((entry) => !entry.startsWith("."))
    .flatMap((entry) => {
      const path = `${folder}/${entry}`;
      const stat = statSync(join(root, path), { throwIfNoEntry: false });
      if (stat?.isDirectory() === true) return listFiles(root, path, ending);
      return stat?.isFile() === true && entry.endsWith(ending) ? [path] : [];
    })
    .sort((a, b) => (a < b ? -1 : 1));
}

/** The text of a file, without a byte order mark; a problem where it isn't UTF-8. */
export function readText(root: string, file: string): { bytes: Buffer; text: string; problems: Problem[] } {
  const bytes = readFileSync(join(root, file));
  try {
    return { bytes, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), problems: [] };
  } catch {
    const problem = {
      code: "project/encoding",
      message: "the file is not UTF-8",
      hint: "save it as UTF-8",
      file,
      line: 1,
      column: 1,
    };
    return { bytes, text: "", problems: [problem] };
  }
}

/** A SQL file with its front matter read but not yet checked. */
export interface FrontMatterFile extends Omit<SqlFile, "buildsOn"> {
  /** The file's name without folder and `.sql`. */
  base: string;
  /** Column (1-based) at which `sql` begins: 1, unless the query stands on the front matter's last line. */
  sqlColumn: number;
  /** Null where there is none, or it could not be read. */
  frontMatter: YamlSource | null;
}

/** Longer runs of dashes are somebody's banner, not front matter. */
const OPENING = /^\s*\/\*[ \t]*---(?!-)/;
const CLOSING = /---[ \t]*\*\//g;

/** Reads a SQL file and takes its front matter apart from its query. */
export function readSqlFile(root: string, file: string): { sqlFile: FrontMatterFile; problems: Problem[] } {
  const { bytes, text, problems } = readText(root, file);
  const version = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const base = file.slice(file.lastIndexOf("/") + 1, -".sql".length);
  const whole = { file, base, version, sql: text, sqlLine: 1, sqlColumn: 1, frontMatter: null };
  if (problems.length > 0) return { sqlFile: whole, problems };

  const opening = OPENING.exec(text)?.[0];
  if (opening === undefined) return { sqlFile: whole, problems: emptyQuery(whole) };
  CLOSING.lastIndex = opening.length;
  const closing = CLOSING.exec(text);
  const counter = lineCounterOf(text);
  if (closing === null) {
    const { line, col } = counter.linePos(opening.length - 1);
    const message = "the front matter has no end";
    const hint = "close it with a line ---*/";
    return { sqlFile: whole, problems: [{ code: "config/front-matter", message, hint, file, line, column: col }] };
  }
  const parsed = parseYaml(file, text, opening.length, closing.index);
  const end = closing.index + closing[0].length;
  const begin = end + (/^[ \t]*\r?\n/.exec(text.slice(end))?.[0].length ?? 0);
  const { line, col } = counter.linePos(begin);
  const sqlFile = { ...whole, sql: text.slice(begin), sqlLine: line, sqlColumn: col, frontMatter: parsed.source };
  return { sqlFile, problems: [...parsed.problems, ...emptyQuery(sqlFile)] };
}

function emptyQuery({ file, sql, sqlLine, sqlColumn }: FrontMatterFile): Problem[] {
  if (sql.trim() !== "") return [];
  const hint = "write a select that returns user_id and occurred_at";
  return [{ code: "project/no-query", message: "the file holds no query", hint, file, line: sqlLine, column: sqlColumn }];
}
