/** The suite's own account of what it did, a line for each story. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Table from "cli-table3";
import { COMPILED } from "./paths.js";
import type { Kind } from "./shop.js";
import type { Verdict } from "./verdict.js";

const FILE = join(COMPILED, "results.jsonl");

export interface Line {
  point: string;
  warehouse: Kind;
  /** Where exactly it was struck. */
  struck: string;
  verdict: Verdict;
}

export function tell(line: Line): void {
  appendFileSync(FILE, `${JSON.stringify(line)}\n`);
}

export function printTable(): void {
  if (!existsSync(FILE)) return;
  const lines = readFileSync(FILE, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const table = new Table({ head: ["point", "warehouse", "struck", "received", "in doubt", "twice", "lost"], style: { head: [], border: [], compact: true } });
  for (const { point, warehouse, struck, verdict } of lines.sort((a, b) => (a.warehouse < b.warehouse ? -1 : a.warehouse > b.warehouse ? 1 : 0)))
    table.push([point, warehouse, struck, verdict.received, verdict.inDoubt, verdict.twice.length, verdict.lost.length]);
  process.stdout.write(`${table.toString()}\n`);
}
