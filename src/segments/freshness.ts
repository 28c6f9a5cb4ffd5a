import { secondsBefore } from "../core/clock.js";
import { OpportuneError, type Problem } from "../core/errors.js";
import { PROJECT_FILE } from "../project/written/project-file.js";
import type { Project, Source } from "../project/types.js";
import { WarehouseError } from "../warehouse/error.js";
import { isoText } from "../warehouse/sql.js";
import type { Statement, Warehouse } from "../warehouse/types.js";
import { tellsTime } from "./columns.js";

export interface Freshness {
  /** Oldest `loaded_at` of the sources, ISO 8601 UTC; null: none is known. */
  loadedAt: string | null;
  /** One is older than its `stale_after`, empty, or can't be read. */
  tooOld: boolean;
}

/** When the newest data of a source arrived, as far as the warehouse says. */
export interface Newest {
  /** ISO 8601 UTC; null: empty or unreadable. */
  at: string | null;
  /** The warehouse's complaint; null: it was read. */
  complaint: string | null;
}

/** A source that says when its data arrived. */
export type DatedSource = Source & { loadedAt: string };

/** Those of these sources. */
export function datedSources(project: Project, names: ReadonlySet<string>): DatedSource[] {
  return [...names].flatMap((name) => project.sources.get(name) ?? []).filter((source): source is DatedSource => source.loadedAt !== null);
}

/** When the newest data of each arrived, each asked by itself. */
export async function newestData(sources: readonly DatedSource[], warehouse: Warehouse): Promise<Map<string, Newest>> {
  const { dialect } = warehouse;
  const newest = new Map<string, Newest>();
  for (const { name, table, loadedAt } of sources) {
    const at = isoText(dialect.toUtc(`${dialect.builtIn("max")}(${loadedAt})`), dialect);
    try {
      const rows = await warehouse.query({ sql: `select ${at} as loaded_at from ${table}`, params: [] });
      newest.set(name, { at: (rows[0]?.["loaded_at"] as string | null | undefined) ?? null, complaint: null });
    } catch (error) {
      if (!(error instanceof OpportuneError)) throw error;
      newest.set(name, { at: null, complaint: error instanceof WarehouseError ? error.reason : error.message });
    }
  }
  return newest;
}

/** What is wrong with the sources' `loaded_at`; runs nothing. */
export async function undatable(sources: readonly DatedSource[], warehouse: Warehouse): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const source of sources) {
    const asked: Statement = { sql: `select ${warehouse.dialect.builtIn("max")}(${source.loadedAt}) as loaded_at from ${source.table}`, params: [] };
    try {
      const [column] = await warehouse.describe(asked);
      if (column !== undefined && !tellsTime(column)) problems.push(sourceProblem(source, `it is of type ${column.type}, which doesn't say a day and time`));
    } catch (error) {
      if (!(error instanceof WarehouseError)) throw error;
      problems.push(sourceProblem(source, error.reason));
    }
  }
  return problems;
}

/** The first of these sources that the warehouse refused to read; null: all were read. */
export function unreadableSource(sources: readonly Source[], newest: ReadonlyMap<string, Newest>): Problem | null {
  for (const source of sources) {
    const complaint = newest.get(source.name)?.complaint ?? null;
    if (complaint !== null) return sourceProblem(source, complaint);
  }
  return null;
}

function sourceProblem({ name, table, loadedAt, line }: Source, complaint: string): Problem {
  return {
    code: "source/loaded-at",
    message: `Source ${name}: loaded_at ${JSON.stringify(loadedAt)} of ${table} can't be read: ${complaint.replace(/\.$/, "")}.`,
    hint: `Correct \`sources.${name}\`, or grant access to the table. The segments that read it wait as stale_data.`,
    file: PROJECT_FILE,
    line,
  };
}

/** What the sources of one segment, its goal and its exclusions allow to be said about it at `asOf`. */
export function freshness(sources: readonly Source[], newest: ReadonlyMap<string, Newest>, asOf: string): Freshness {
  const dated = sources.filter((source) => source.loadedAt !== null).map((source) => ({ source, at: newest.get(source.name)?.at ?? null }));
  const times = dated.flatMap(({ at }) => (at === null ? [] : [at])).sort((a, b) => Date.parse(a) - Date.parse(b));
  return {
    loadedAt: times[0] ?? null,
    tooOld: dated.some(
      ({ source, at }) => at === null || (source.staleAfterSeconds !== null && Date.parse(at) < Date.parse(secondsBefore(asOf, source.staleAfterSeconds))),
    ),
  };
}
