import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import type { Paint } from "./paint.js";

const BORDERLESS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Rows under headings, without lines: what a terminal and `cut` both read. Columns with numbers stand to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[], paint: Paint): string {
  const numeric = headings.map((_, i) => rows.some((row) => typeof row[i] === "number"));
  const drawn = new Table({
    chars: BORDERLESS,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
    colAligns: numeric.map((right) => (right ? "right" : "left")),
    head: headings.map((heading) => paint.bold(heading)),
  });
  for (const row of rows) drawn.push(row.map((cell) => (typeof cell === "number" ? count(cell) : visible(cell))));
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Least width of the column with the list, however narrow the terminal. */
const NARROWEST = 24;

/** A table whose last column holds a list, which goes on below where it doesn't fit into `width` columns. */
export function tableWithList(
  headings: readonly string[],
  rows: readonly { cells: readonly (string | number)[]; list: readonly string[] }[],
  width: number,
  paint: Paint,
): string {
  const lines = table(
    headings,
    rows.map(({ cells }) => [...cells, ""]),
    paint,
  ).split("\n");
  const left = Math.max(...lines.slice(1).map((line) => line.length));
  return table(
    headings,
    rows.flatMap(({ cells, list }) => {
      const [first = "", ...rest] = filled(list, Math.max(NARROWEST, width - left - 2));
      return [[...cells, first], ...rest.map((line) => [...cells.map(() => ""), line])];
    }),
    paint,
  );
}

/** As `tableWithList`; where that is too wide, each list stands below its row, after the column's heading. */
export function tableWithin(
  headings: readonly string[],
  rows: readonly { cells: readonly (string | number)[]; list: readonly string[] }[],
  width: number,
  paint: Paint,
): string {
  const beside = tableWithList(headings, rows, width, paint);
  if (beside.split("\n").every((line) => columnsOf(line) <= width)) return beside;
  const [heading = ""] = headings.slice(-1);
  const indent = "    ";
  const [head, ...lines] = table(
    headings.slice(0, -1),
    rows.map(({ cells }) => cells),
    paint,
  ).split("\n");
  const below = rows.map(({ list }) =>
    list.length === 0 ? [] : filled([`${heading}: ${list[0] ?? ""}`, ...list.slice(1)], width - indent.length).map((line) => indent + visible(line)),
  );
  return [head, ...lines.flatMap((line, i) => [line, ...(below[i] ?? [])])].join("\n");
}

/** Columns that a text takes in the terminal, without its colours. */
function columnsOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/**
 * A line on as many lines as it needs in a terminal of so many columns, broken at spaces; a longer word stays whole. The lines after the first
 * begin below column `hang` (from 0), or two columns in where that leaves no room.
 */
export function wrapped(line: string, width: number, hang: number): string {
  const indent = " ".repeat(width - hang < NARROWEST ? (/^ */.exec(line)?.[0].length ?? 0) + 2 : hang);
  const lines: string[] = [];
  let current = "";
  let gap = "";
  for (const part of line.split(/( +)/)) {
    if (/^ *$/.test(part)) gap += part;
    else if (current === "" || columnsOf(current) + gap.length + columnsOf(part) <= width) {
      current += gap + part;
      gap = "";
    } else {
      lines.push(current);
      current = indent + part;
      gap = "";
    }
  }
  return [...lines, current].join("\n");
}

/** Parts joined by commas, on lines of at most so many columns. */
function filled(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  parts.forEach((part, i) => {
    const text = i < parts.length - 1 ? `${part},` : part;
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${text}`.length <= width) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(text);
  });
  return lines;
}

/** A whole number with thousands separated: `12,345`. */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** `1 row`, `2 rows`. */
export function counted(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}

/** Milliseconds as seconds with two digits: `0.08s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`;
}

/** Counts by name, in their order: `2 null_user, 1 duplicate`. */
export function counts(byName: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(byName)
    .filter(([, n]) => (n ?? 0) > 0)
    .map(([name, n]) => `${count(n ?? 0)} ${name}`)
    .join(", ");
}

/** Text from the warehouse with its control characters made visible: none may steer the reader's terminal. */
export function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) =>
    character === "\n" ? "\\n" : character === "\t" ? "\\t" : `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`,
  );
}
