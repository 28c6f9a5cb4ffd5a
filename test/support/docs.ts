/** The fenced blocks of the documentation: what they are, and where. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

export interface Block {
  /** Relative to the repository. */
  document: string;
  /** Of its first line within the fence, from 1. */
  line: number;
  language: string;
  body: string;
  /** The path in the line before, where that is a path in backticks and a colon: a file of that content. */
  file: string | null;
  /** What `<!-- not run: … -->` in the line before says. */
  notRun: string | null;
  /** The text of the paragraph before. */
  before: string;
}

/** README.md and every page below docs/. */
export function documents(): string[] {
  return ["README.md", ...readdirSync(join(ROOT, "docs")).flatMap((file) => (file.endsWith(".md") ? [`docs/${file}`] : []))];
}

export function readDocument(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}

/** The fenced blocks of a document, in order. */
export function blocksOf(document: string): Block[] {
  const text = readDocument(document);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((found) => {
    const [, language = "", body = ""] = found;
    const above = text.slice(0, found.index).trimEnd();
    const before = above.slice(above.lastIndexOf("\n\n") + 1).trim();
    return {
      document,
      line: text.slice(0, found.index).split("\n").length + 1,
      language,
      body,
      file: /^`([\w./-]+)`:$/.exec(before)?.[1] ?? null,
      notRun: /<!-- not run: (.+) -->$/.exec(before)?.[1] ?? null,
      before,
    };
  });
}

/** A table in Markdown. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Fails unless `wanted` stands in the document between `<!-- NAME -->` and the next `<!-- end -->`; with UPDATE_DOCS=1 writes it there. */
export function expectGenerated(document: string, name: string, wanted: string): void {
  const text = readDocument(document);
  const start = `<!-- ${name} -->\n`;
  const from = text.indexOf(start) + start.length;
  const to = text.indexOf("\n<!-- end -->", from);
  expect(text.includes(start) && to >= from, `${document} needs <!-- ${name} --> … <!-- end -->`).toBe(true);
  const whole = `\n${wanted}\n`;
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(join(ROOT, document), text.slice(0, from) + whole + text.slice(to));
  else expect(text.slice(from, to), `run the test of ${document} with UPDATE_DOCS=1`).toBe(whole);
}

/** The table of rules in docs/decisions.md: the reasons of each, in order. */
export function rulesOfDecisions(): string[][] {
  const rows = readDocument("docs/decisions.md").matchAll(/^\| \d+ \| ([^|]+) \|/gm);
  return [...rows].map(([, reasons = ""]) => [...reasons.matchAll(/`(\w+)`/g)].map(([, reason = ""]) => reason));
}
