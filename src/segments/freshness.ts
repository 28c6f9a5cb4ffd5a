import { secondsBefore } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";
import type { Project, Source } from "../project/types.js";
import { isoText } from "../warehouse/sql.js";
import type { Warehouse } from "../warehouse/types.js";

export interface Freshness {
  /** Oldest `loaded_at` of the sources, ISO 8601 UTC; null: none is known. */
  loadedAt: string | null;
  /** One is older than its `stale_after`, empty, or can't be read. */
  tooOld: boolean;
}

/** A source that says when its data arrived. */
export type DatedSource = Source & { loadedAt: string };

/** Those of these sources. */
export function datedSources(project: Project, names: ReadonlySet<string>): DatedSource[] {
  return [...names].flatMap((name) => project.sources.get(name) ?? []).filter((source): source is DatedSource => source.loadedAt !== null);
}

/** When the newest data of each arrived, ISO 8601 UTC, each asked by itself; null: empty or unreadable. */
export async function newestData(sources: readonly DatedSource[], warehouse: Warehouse): Promise<Map<string, string | null>> {
  const { dialect } = warehouse;
  const newest = new Map<string, string | null>();
  for (const { name, table, loadedAt } of sources) {
    const at = isoText(dialect.toUtc(`${dialect.builtIn("max")}(${loadedAt})`), dialect);
    try {
      const rows = await warehouse.query({ sql: `select ${at} as loaded_at from ${table}`, params: [] });
      newest.set(name, (rows[0]?.["loaded_at"] as string | null | undefined) ?? null);
    } catch (error) {
      if (!(error instanceof OpportuneError)) throw error;
      newest.set(name, null);
    }
  }
  return newest;
}

/** What the sources of one segment, its goal and its exclusions allow to be said about it at `asOf`. */
export function freshness(sources: readonly Source[], newest: ReadonlyMap<string, string | null>, asOf: string): Freshness {
  const dated = sources.filter((source) => source.loadedAt !== null).map((source) => ({ source, at: newest.get(source.name) ?? null }));
  const times = dated.flatMap(({ at }) => (at === null ? [] : [at])).sort((a, b) => Date.parse(a) - Date.parse(b));
  return {
    loadedAt: times[0] ?? null,
    tooOld: dated.some(
      ({ source, at }) => at === null || (source.staleAfterSeconds !== null && Date.parse(at) < Date.parse(secondsBefore(asOf, source.staleAfterSeconds))),
    ),
  };
}
