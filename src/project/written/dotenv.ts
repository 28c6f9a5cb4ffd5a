/** `.env`: NAME=value lines. */
import type { Problem } from "../../core/errors.js";

const FILE = ".env";

/** `export`, a name and the sign; the value begins behind it. */
const ASSIGNMENT = /[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*/y;
/** `export NAME` alone sets nothing. */
const NOTHING = /[ \t]*(?:export(?:[ \t]+[A-Za-z_]\w*)+[ \t]*)?(?:#.*)?(?:\n|$)/y;
/** To the end of the line, or to a # that follows a space: a # within a password is a part of it. */
const BARE = /(?:#.*|((?:(?![ \t]+#).)*).*)(?:\n|$)/y;
/** Each may go over several lines. */
const QUOTED = /"((?:[^"\\]|\\[^])*)"|'([^']*)'|`([^`]*)`/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$" };

/**
 * The variables of a `.env` file with `\n` line ends; of two with one name the last. Quotes keep spaces, # and line ends; in double
 * quotes \n, \r, \t, \$, \" and \\ stand for one character. Nothing is expanded. Problems never quote a value.
 */
export function parseDotenv(text: string): { values: Record<string, string>; problems: Problem[] } {
  const values: Record<string, string> = {};
  const problems: Problem[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const complain = (offset: number, message: string, hint: string): void => {
    problems.push({ code: "project/dotenv", message, hint, file: FILE, line: text.slice(0, offset).split("\n").length });
    const end = text.indexOf("\n", offset);
    at = end === -1 ? text.length : end + 1;
  };
  while (at < text.length) {
    const start = at;
    if (take(NOTHING) !== null) continue;
    const name = take(ASSIGNMENT)?.[1];
    if (name === undefined) {
      complain(start, "The line is not NAME=value.", "Write it so, begin it with #, or put a value of several lines into quotes.");
      continue;
    }
    if (!/["'`]/.test(text[at] ?? "")) {
      values[name] = (take(BARE)?.[1] ?? "").trim();
      continue;
    }
    const quoted = take(QUOTED);
    if (quoted === null) complain(start, `The value of ${name} has no closing quote.`, "Close it; put a value that begins with a quote into other quotes.");
    else if (take(NOTHING) === null) complain(start, `Text follows the closing quote of ${name}.`, "Put the whole value into quotes, or a # before a comment.");
    else values[name] = quoted[1]?.replace(/\\(.)/gs, (whole, escaped: string) => ESCAPES[escaped] ?? whole) ?? quoted[2] ?? quoted[3] ?? "";
  }
  return { values, problems };
}
