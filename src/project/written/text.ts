/** The text of a project's files, the same on every machine: UTF-8 without a mark, lines that end in `\n`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../core/errors.js";
import { systemCode, systemReason } from "../../core/system-error.js";

/** What no text needs: control characters but for tab, line feed, form feed and carriage return, and U+FFFD. */
const UNFIT = /(?![\t\n\f\r])[\p{Cc}\uFFFD]/u;

/** Of these, what files really come with. */
const ORIGINS: Readonly<Record<string, string>> = {
  "\u0000": "a NUL byte, as in UTF-16 or a damaged file",
  "\u001a": "Ctrl-Z, the end mark of old editors",
  "\ufffd": "which stands for characters that were lost when it was saved",
};

/**
 * The text of a file below `root`, without a byte order mark and with `\n` at the end of every line, whatever ended it. Where it
 * can't be read, is not UTF-8 or holds characters that no text needs, problems that name line and byte, and an empty text. Never throws.
 */
export function readText(root: string, file: string): { text: string; problems: Problem[] } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(root, file));
  } catch (error) {
    return { text: "", problems: [unreadable(file, error)] };
  }
  const wrong = encodingProblem(bytes, file);
  if (wrong !== null) return { text: "", problems: [wrong] };
  const text = new TextDecoder().decode(bytes).replaceAll(/\r\n?/g, "\n");
  const unfit = UNFIT.exec(text);
  if (unfit === null) return { text, problems: [] };
  const code = (unfit[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const origin = ORIGINS[unfit[0]];
  const message = `The file holds the character U+${code}${origin === undefined ? "" : `, ${origin}`}.`;
  return { text: "", problems: [{ code: "project/character", message, hint: "Remove it, and save the file as UTF-8.", file, ...placeIn(text, unfit.index) }] };
}

/** Why the system can't read it, in its own words. */
export function unreadable(file: string, error: unknown): Problem {
  const code = systemCode(error);
  const hint =
    code === "EACCES" || code === "EPERM"
      ? "Let the user that runs Opportune read it: `chmod a+r`."
      : "Check that it is a file that can be read, or remove it.";
  return { code: "project/unreadable", message: `The file can't be read: ${systemReason(error)}.`, hint, file };
}

/** What is wrong with bytes that are not UTF-8, at the first that shows it; null where they are. */
function encodingProblem(bytes: Buffer, file: string): Problem | null {
  const problem = (name: string, from: string, place: { line: number; column: number }): Problem => ({
    code: "project/encoding",
    message: `The file is not UTF-8${name}.`,
    hint: `Save it as UTF-8, or convert it: \`iconv -f ${from} -t UTF-8 ${quotedName(file)}\`.`,
    file,
    ...place,
  });
  const mark = bytes.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") return problem(": it begins with the mark of UTF-16", "UTF-16", { line: 1, column: 1 });
  const at = firstInvalid(bytes);
  if (at === null) return null;
  const before = new TextDecoder().decode(bytes.subarray(0, at)).replaceAll(/\r\n?/g, "\n");
  return problem(`: the byte 0x${(bytes[at] ?? 0).toString(16).toUpperCase()} stands for no character`, "WINDOWS-1252", placeIn(before, before.length));
}

/** Where the first byte stands that belongs to no character of UTF-8; null for none. */
function firstInvalid(bytes: Buffer): number | null {
  // Decoding puts U+FFFD in its place, so that written again it is other bytes.
  const again = Buffer.from(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  if (again.equals(bytes)) return null;
  const at = bytes.findIndex((byte, index) => byte !== again[index]);
  return at === -1 ? bytes.length - 1 : at;
}

function placeIn(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

/** A path as a shell takes it. */
function quotedName(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
}
