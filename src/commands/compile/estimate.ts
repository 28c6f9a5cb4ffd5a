/** What a run would read, asked of the warehouse without running it. */
import { formatBytes } from "../../core/bytes.js";
import type { Problem } from "../../core/errors.js";
import type { Project } from "../../project/types.js";
import { daily } from "../../report/bytes.js";
import type { Paint } from "../../report/paint.js";
import { table } from "../../report/tables.js";
import { overLimit, type CompiledProject } from "../../segments/stage.js";
import { WarehouseError } from "../../warehouse/error.js";
import { workTables } from "../../warehouse/sql.js";
import type { Statement, Warehouse } from "../../warehouse/types.js";
import { schedule } from "../run.js";

export interface Estimates {
  /** A table for the terminal; nothing of bytes where the warehouse doesn't say. */
  lines(paint: Paint): string[];
  /** Queries above their limit. */
  problems: Problem[];
}

interface Line {
  query: string;
  bytes: number | null;
  periodSeconds: number;
  most: number | null;
}

/** `arbitration` reads the ledger and the work tables, which are made for the question. */
export async function estimate(project: Project, warehouse: Warehouse, compiled: CompiledProject, arbitration: Statement): Promise<Estimates> {
  const period = schedule(project);
  const lines: Line[] = [];
  const problems: Problem[] = [];
  const queries = [
    ...[...compiled.audiences].map(([name, query]) => ({ query: `audience ${name}`, compiled: query, periodSeconds: period.audiences[name] ?? period.run })),
    ...[...compiled.segments].map(([id, query]) => ({ query: `segment ${id}`, compiled: query, periodSeconds: period.segments[id] ?? period.run })),
  ];
  for (const { query, compiled: asked, periodSeconds } of queries) {
    const bytes = await warehouse.estimate(asked.query);
    const problem = overLimit(asked, bytes);
    if (problem !== null) problems.push(problem);
    lines.push({ query, bytes, periodSeconds, most: asked.query.maxBytes ?? null });
  }
  // Where queries can't be estimated the decisions can't either, and nothing is to be made for it.
  if (lines.some(({ bytes }) => bytes !== null)) {
    await warehouse.script({ work: workTables(warehouse.dialect), statements: [] });
    const bytes = await warehouse.estimate(arbitration).catch((error: unknown) => {
      if (error instanceof WarehouseError) return null;
      throw error;
    });
    lines.push({ query: "decisions", bytes, periodSeconds: period.run, most: null });
  }
  return { lines: (paint) => estimateLines(lines, paint), problems };
}

function estimateLines(lines: readonly Line[], paint: Paint): string[] {
  const known = lines.flatMap((line) => (line.bytes === null ? [] : [{ ...line, bytes: line.bytes }]));
  if (known.length === 0) return ["This warehouse doesn't say what a query would read."];
  const unknown = lines.length - known.length;
  const inRun = known.reduce((sum, { bytes }) => sum + bytes, 0);
  const perDay = known.reduce((sum, { bytes, periodSeconds }) => sum + daily(bytes, periodSeconds), 0);
  return [
    table(
      ["would read", "bytes", "a day", "limit"],
      lines.map(({ query, bytes, periodSeconds, most }) => [
        query,
        bytes === null ? "unknown" : formatBytes(bytes),
        bytes === null ? "" : formatBytes(daily(bytes, periodSeconds)),
        most === null ? "" : formatBytes(most),
      ]),
      paint,
    ),
    `A run of all of them would read ${formatBytes(inRun)}, a day at this schedule ${formatBytes(perDay)}${unknown === 0 ? "" : `, without what is unknown`}.`,
  ];
}
