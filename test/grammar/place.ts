/** Where a line of a statement was written: in sql/, in a segment or an audience. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const FOLDERS = ["sql", "segments"];

interface WrittenLine {
  file: string;
  line: number;
  pattern: RegExp;
  /** Characters that are not left to the templating. */
  weight: number;
}

const written: WrittenLine[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".sql"))
    .flatMap((entry) => linesOf(join(entry.parentPath, entry.name))),
);

function linesOf(path: string): WrittenLine[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((text, i) => {
      const parts = text.trim().split(/\{\{.*?\}\}+/);
      const weight = parts.join("").replaceAll(/\s/g, "").length;
      if (weight === 0) return [];
      const pattern = new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);
      return [{ file: relative(ROOT, path), line: i + 1, pattern, weight }];
    });
}

/** Below this a line says too little to be known by: a bracket, a comma. */
const TELLING = 8;

/**
 * The place of a statement's line (1-based), as file:line; for one that a helper wrote, of the nearest one above. Files that more
 * of the statement stands in come first. Null for what stands in no file.
 */
export function placeOf(sql: string, line: number): string | null {
  const lines = sql.split("\n").map((text) => text.trim());
  const share = new Map<string, number>();
  for (const text of lines)
    for (const each of written) if (each.weight >= TELLING && each.pattern.test(text)) share.set(each.file, (share.get(each.file) ?? 0) + each.weight);
  for (let at = line; at > 0; at--) {
    const matching = written.filter(({ weight, pattern }) => weight >= TELLING && pattern.test(lines[at - 1] ?? ""));
    const best = matching.sort((a, b) => b.weight - a.weight || (share.get(b.file) ?? 0) - (share.get(a.file) ?? 0))[0];
    if (best !== undefined) return `${best.file}:${String(best.line)}`;
  }
  return null;
}
