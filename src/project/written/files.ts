/** The files of a project: which there are, and what a SQL file with front matter is made of. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync, statSync, type Stats } from "node:fs";
import { join, sep } from "node:path";
import type { Problem } from "../../core/errors.js";
import { systemCode } from "../../core/system-error.js";
import { readText, unreadable } from "./text.js";
import type { SqlFile } from "../types.js";
import { frontMatterOf, lineCounterOf, type Marks, type YamlSource } from "./yaml-source.js";

interface Listed {
  /** Paths with `/`, relative to the root, sorted. */
  files: string[];
  /** Of names that look like files to read and can't be, and of folders that can't be walked. */
  problems: Problem[];
}

/**
 * The files under `folder` whose names end in `ending`. Links are followed, out of the project too (a mounted ConfigMap is made
 * of them), but none to the project or a folder above: target/ and what else is there is not meant. Names that begin with a dot are left out: editors', macOS' and Kubernetes' own. None where the folder is missing.
 */
export function listFiles(root: string, folder: string, ending: string): Listed {
  const problems: Problem[] = [];
  const walk = (path: string, above: readonly string[]): string[] => {
    let entries: string[];
    let real: string;
    try {
      real = realpathSync(join(root, path));
      entries = readdirSync(real);
    } catch (error) {
      if (!missing(error) || above.length > 1) problems.push(unlisted(path, error));
      return [];
    }
    if (above.some((folder) => folder === real || folder.startsWith(real.endsWith(sep) ? real : real + sep))) {
      const message = "The link leads back to a folder that it stands in, so that its files never end.";
      problems.push({ code: "project/circular-link", message, hint: "Remove the link.", file: path });
      return [];
    }
    return entries
      .filter((entry) => !entry.startsWith("."))
      .flatMap((entry) => {
        const file = `${path}/${entry}`;
        const found = statOf(root, file);
        if (!(found instanceof Error) && found.isDirectory()) return walk(file, [...above, real]);
        if (!entry.toLowerCase().endsWith(ending)) return [];
        const problem = unfit(file, found, ending);
        if (problem !== null) problems.push(problem);
        return problem === null ? [file] : [];
      });
  };
  const files = walk(folder, existsSync(root) ? [realpathSync(root)] : []).sort((a, b) => (a < b ? -1 : 1));
  return { files, problems: [...problems, ...namesakes(files)] };
}

/** Why a folder can't be walked. */
function unlisted(path: string, error: unknown): Problem {
  if (systemCode(error) !== "ENOTDIR") return unreadable(path, error);
  return {
    code: "project/no-folder",
    message: "This is a file where a folder is expected.",
    hint: "Move it away, and make a folder of this name.",
    file: path,
  };
}

function missing(error: unknown): boolean {
  return systemCode(error) === "ENOENT";
}

function statOf(root: string, file: string): Stats | Error {
  try {
    return statSync(join(root, file));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Why a name that ends like a file to read is none; null where all is well. */
function unfit(file: string, found: Stats | Error, ending: string): Problem | null {
  if (missing(found)) return { code: "project/broken-link", message: "The link leads nowhere.", hint: "Mend the link, or remove it.", file };
  if (found instanceof Error) return unreadable(file, found);
  if (!found.isFile()) return { code: "project/unreadable", message: "This is not a file with text, but a device, pipe or socket.", hint: "Remove it.", file };
  if (file.endsWith(ending)) return null;
  const hint = `Rename it: ${file.slice(0, -ending.length)}${ending}.`;
  return { code: "project/file-name", message: `The file's name ends in ${file.slice(-ending.length)}, not in ${ending}.`, hint, file };
}

/** Names that macOS and Windows take for one: but for capitals, and for accents as one character or as two, they are the same. */
function namesakes(files: readonly string[]): Problem[] {
  const first = new Map<string, string>();
  return files.flatMap((file) => {
    const folded = file.normalize("NFC").toLowerCase();
    const other = first.get(folded);
    first.set(folded, other ?? file);
    if (other === undefined) return [];
    const how = other.normalize("NFC") === file.normalize("NFC") ? "by how its accents are encoded" : "by capitals";
    const message = `The file's name differs from ${other} only ${how}; on macOS and Windows both are one file.`;
    return [{ code: "project/file-name", message, hint: "Rename one of the two, or remove it.", file }];
  });
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
const MARKS: Marks = { opening: /^\s*\/\*[ \t]*---(?!-)/, closing: /---[ \t]*\*\//g };

/** Reads a SQL file and takes its front matter apart from its query. */
export function readSqlFile(root: string, file: string): { sqlFile: FrontMatterFile; problems: Problem[] } {
  const { text, problems } = readText(root, file);
  const version = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const base = file.slice(file.lastIndexOf("/") + 1, -".sql".length);
  const whole = { file, base, version, sql: text, sqlLine: 1, sqlColumn: 1, frontMatter: null };
  if (problems.length > 0) return { sqlFile: whole, problems };

  const read = frontMatterOf(file, text, MARKS);
  if (read === null) return { sqlFile: whole, problems: emptyQuery(whole) };
  const { end, opened, source } = read;
  const counter = lineCounterOf(text);
  if (end === null) {
    const { line, col } = counter.linePos(opened - 1);
    const message = "the front matter has no end";
    const hint = "close it with a line ---*/";
    return { sqlFile: whole, problems: [{ code: "config/front-matter", message, hint, file, line, column: col }] };
  }
  const begin = end + (/^[ \t]*\n/.exec(text.slice(end))?.[0].length ?? 0);
  const { line, col } = counter.linePos(begin);
  const sqlFile = { ...whole, sql: text.slice(begin), sqlLine: line, sqlColumn: col, frontMatter: source };
  return { sqlFile, problems: [...read.problems, ...emptyQuery(sqlFile)] };
}

function emptyQuery({ file, sql, sqlLine, sqlColumn }: FrontMatterFile): Problem[] {
  if (sql.trim() !== "") return [];
  const hint = "write a select that returns user_id and occurred_at";
  return [{ code: "project/no-query", message: "the file holds no query", hint, file, line: sqlLine, column: sqlColumn }];
}
