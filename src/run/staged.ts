/** What is read between staging and arbitration: of the staged rows and of the sources. */
import type { Project } from "../project/types.js";
import { datedSources, newestData, type Newest } from "../segments/freshness.js";
import type { CompiledProject } from "../segments/stage.js";
import { isoText, renderSqlFile } from "../warehouse/sql.js";
import { WarehouseError } from "../warehouse/error.js";
import type { Row, Statement, Warehouse } from "../warehouse/types.js";

export interface StagedRows {
  /** Time zones of the rows, '' for none. */
  zones: readonly string[];
  /** Segment → rows that made no candidate, by why. */
  dropped: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** When the newest data of each dated source arrived. */
  newest: ReadonlyMap<string, Newest>;
}

export const NOTHING_STAGED: StagedRows = { zones: [], dropped: new Map(), newest: new Map() };

/** Reads all of it in one statement; a source that can't be read costs one for each source. */
export async function readStaged(project: Project, warehouse: Warehouse, compiled: CompiledProject): Promise<StagedRows> {
  const { dialect } = warehouse;
  const sources = datedSources(project, new Set([...compiled.segments.values(), ...compiled.audiences.values()].flatMap((query) => query.sources)));
  const text = (expression: string): string => `cast(${expression} as ${dialect.types.text})`;
  const table = dialect.workTable("segment_rows");
  const about: Statement[] = [
    {
      // The rows are wide: they are read once for both.
      sql: `select fact, name, ${text("count(*)")} as content
from (select case when dropped is null then 'zone' else 'dropped: ' || dropped end as fact, case when dropped is null then coalesce(timezone, '') else segment end as name from ${table}) told
group by fact, name`,
      params: [],
    },
  ];
  const dated = sources.map(({ name, table: from, loadedAt }): Statement => {
    return {
      sql: `select 'loaded' as fact, '${name}' as name, ${isoText(dialect.toUtc(`${dialect.builtIn("max")}(${loadedAt})`), dialect)} as content from ${from}`,
      params: [],
    };
  });
  const read = async (parts: readonly Statement[]): Promise<Row[]> =>
    warehouse.query({ sql: parts.map(({ sql }) => sql).join("\nunion all\n"), params: parts.flatMap(({ params }) => params) });
  try {
    const rows = await read([...about, ...dated]);
    const newest = new Map(sources.map(({ name }): [string, Newest] => [name, { at: null, complaint: null }]));
    for (const { fact, name, content } of rows)
      if (fact === "loaded") newest.set(String(name), { at: content === null || content === undefined ? null : String(content), complaint: null });
    return { ...stagedRows(rows), newest };
  } catch (error) {
    if (!(error instanceof WarehouseError) || dated.length === 0) throw error;
    return { ...stagedRows(await read(about)), newest: await newestData(sources, warehouse) };
  }
}

function stagedRows(rows: readonly Row[]): Omit<StagedRows, "newest"> {
  const dropped = new Map<string, Record<string, number>>();
  for (const { fact, name, content } of rows) {
    const [kind, why = ""] = String(fact).split(": ");
    if (kind === "dropped") dropped.set(String(name), { ...dropped.get(String(name)), [why]: Number(content) });
  }
  return {
    zones: rows
      .filter(({ fact }) => fact === "zone")
      .map(({ name }) => String(name))
      .sort(),
    dropped,
  };
}

/** Fewer users may share none by chance. */
const LEAST_UNSHARED = 20;

/** Audiences not one of whose users is in a row of any segment, though both are many: ids of another kind, as a rule. */
export async function unsharedAudiences(warehouse: Warehouse): Promise<string[]> {
  const rows = await warehouse.query(renderSqlFile("unshared_audiences.sql", warehouse.dialect, null, { least: String(LEAST_UNSHARED) }));
  return rows.map(({ audience }) => String(audience));
}
