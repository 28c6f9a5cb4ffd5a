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

/** When the newest data of each source with a `loaded_at` arrived, ISO 8601 UTC; null: empty or unreadable. */
export async function newestData(project: Project, sources: ReadonlySet<string>, warehouse: Warehouse): Promise<Map<string, string | null>> {
  const { dialect } = warehouse;
  const newest = new Map<string, string | null>();
  for (const name of sources) {
    const source = project.sources.get(name);
    if (source === undefined || source.loadedAt === null) continue;
    const at = isoText(dialect.toUtc(`max(${source.loadedAt})`), dialect);
    try {
      const rows = await warehouse.query({ sql: `select ${at} as loaded_at from ${source.table}`, params: [] });
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
