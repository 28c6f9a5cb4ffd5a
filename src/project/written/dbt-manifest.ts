/** `sources` of opportune.yml from the manifest.json that dbt writes: what `ref` can name, and dbt's sources. */
import * as z from "zod";
import { formatDuration } from "../../core/durations.js";
import { OpportuneError } from "../../core/errors.js";
import { nearestAllowedName } from "../schema/fields.js";

/** A source as it stands in opportune.yml. */
export type WrittenSource = string | { table: string; loaded_at: string; stale_after?: string };

export interface DbtProject {
  name: string | null;
  /** `duckdb`, `postgres`, `snowflake` …; null where the manifest doesn't say. */
  adapter: string | null;
  /** What most of its tables are in: the database of the target. */
  database: string | null;
  /** In the order of opportune.yml. */
  sources: ReadonlyMap<string, WrittenSource>;
}

const SECONDS = { minute: 60, hour: 3600, day: 86_400 } as const;
const REFERABLE = ["model", "snapshot", "seed"];

// Only what is read here, as dbt has written it since manifest v1 (2021); v12 is that of dbt 1.8 to 1.11.
const relation = z.object({
  unique_id: z.string(),
  name: z.string().min(1),
  package_name: z.string(),
  database: z.string().nullish(),
  schema: z.string(),
  relation_name: z.string().nullish(),
});

const node = relation.extend({
  alias: z.string().nullish(),
  version: z.union([z.string(), z.number()]).nullish(),
  latest_version: z.union([z.string(), z.number()]).nullish(),
  config: z.object({ materialized: z.string().nullish() }).nullish(),
});

const threshold = z.object({ count: z.int().nullish(), period: z.enum(["minute", "hour", "day"]).nullish() }).nullish();
const freshness = z.object({ warn_after: threshold, error_after: threshold }).nullish();

const source = relation.extend({
  source_name: z.string(),
  identifier: z.string().nullish(),
  loaded_at_field: z.string().nullish(),
  freshness,
});

const metadata = z.object({ dbt_schema_version: z.string(), adapter_type: z.string().nullish(), project_name: z.string().nullish() });

type Node = z.output<typeof node>;
type Source = z.output<typeof source>;

/**
 * Reads a manifest. Names: what `ref` knows keeps its own (of a model's versions the latest does, another is `NAME_vN`), then
 * dbt's sources by their table's; a name that is taken is written with the package or source before it, and numbered if that is
 * taken too. Ephemeral models are no tables and left out.
 * @param file as named in errors
 * @throws OpportuneError (exit 2) with what is wrong and the way out
 */
export function readDbtManifest(file: string, text: string): DbtProject {
  const { meta, nodes, sources } = parse(file, text);
  const root = meta.project_name ?? nodes[0]?.package_name ?? null;
  const tables = nodes.filter(({ config }) => config?.materialized !== "ephemeral");
  if (tables.length + sources.length === 0)
    throw problem(file, "holds neither a model nor a source", "Run `dbt parse` in a project that has some, and name its target/manifest.json.");
  const adapter = meta.adapter_type ?? null;
  const database = mostCommon((tables.length > 0 ? tables : sources).map((each) => each.database ?? null));
  const named = new Map<string, WrittenSource>();
  for (const each of tables.sort(byRank(root))) {
    const name = isOldVersion(each) ? `${each.name}_v${String(each.version)}` : each.name;
    named.set(freeName(named, [name, `${each.package_name}_${name}`]), tableOf(each, each.alias ?? each.name, database, adapter));
  }
  for (const each of sources.sort((a, b) => compare(a.unique_id, b.unique_id)))
    named.set(freeName(named, [each.name, `${each.source_name}_${each.name}`]), sourceOf(each, database, adapter));
  return { name: meta.project_name ?? null, adapter, database, sources: named };
}

function parse(file: string, text: string): { meta: z.output<typeof metadata>; nodes: Node[]; sources: Source[] } {
  const again = "Name the manifest.json that `dbt parse` or `dbt build` writes to the dbt project's target folder.";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw problem(file, `is not JSON: ${error instanceof Error ? error.message : String(error)}`, again);
  }
  const outer = z.object({ metadata, nodes: z.record(z.string(), z.unknown()), sources: z.record(z.string(), z.unknown()) }).safeParse(value);
  const schema = z.object({ metadata }).safeParse(value).data?.metadata.dbt_schema_version;
  if (schema !== undefined && !schema.includes("/manifest/")) throw problem(file, `is no manifest of dbt's, but ${schema}`, again);
  if (!outer.success) throw problem(file, `is no manifest of dbt's: ${words(outer.error, [])}`, again);
  const { data } = outer;
  const read = <T>(shape: z.ZodType<T>, group: "nodes" | "sources", id: string): T => {
    const checked = shape.safeParse(data[group][id]);
    if (checked.success) return checked.data;
    throw problem(
      file,
      `(${data.metadata.dbt_schema_version}) holds something unexpected: ${words(checked.error, [group, id])}`,
      "Make it anew with `dbt parse`.",
    );
  };
  return {
    meta: data.metadata,
    // Tests, analyses and hooks are nodes too; the first part of an id is its kind.
    nodes: Object.keys(data.nodes)
      .filter((id) => REFERABLE.includes(id.split(".")[0] ?? ""))
      .map((id) => read(node, "nodes", id)),
    sources: Object.keys(data.sources).map((id) => read(source, "sources", id)),
  };
}

/** The project's own models first, then those of packages; of each, models before snapshots and seeds, latest versions first. */
function byRank(root: string | null): (a: Node, b: Node) => number {
  const rank = (each: Node): number[] => [
    each.package_name === root ? 0 : 1,
    REFERABLE.indexOf(each.unique_id.split(".")[0] ?? ""),
    isOldVersion(each) ? 1 : 0,
  ];
  return (a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const first = left.findIndex((value, index) => value !== right[index]);
    return first === -1 ? compare(a.unique_id, b.unique_id) : (left[first] ?? 0) - (right[first] ?? 0);
  };
}

function isOldVersion({ version, latest_version: latest }: Node): boolean {
  return version !== null && version !== undefined && String(version) !== String(latest ?? version);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first of the names that is free, as opportune.yml allows names; the last one numbered where none is. */
function freeName(taken: ReadonlyMap<string, unknown>, names: readonly [string, string]): string {
  const [short, long] = names.map((name) => nearestAllowedName(name) ?? nearestAllowedName(`t_${name}`) ?? "table") as [string, string];
  if (!taken.has(short)) return short;
  let name = long;
  for (let number = 2; taken.has(name); number++) name = `${long}_${String(number)}`;
  return name;
}

/**
 * The relation as dbt itself writes it, but for the target's own database: a connection has one, whose name differs between
 * targets (in DuckDB it is the file's). On BigQuery it stays: there a dataset alone belongs to the project that is billed.
 */
function tableOf(each: z.output<typeof relation>, identifier: string, database: string | null, adapter: string | null): string {
  const quote = (name: string): string => (adapter === "bigquery" ? `\`${name}\`` : `"${name.replaceAll('"', '""')}"`);
  const own = each.database === undefined || each.database === null || (each.database === database && adapter !== "bigquery");
  const written = each.relation_name ?? [...(own ? [] : [each.database ?? ""]), each.schema, identifier].map(quote).join(".");
  if (!own || database === null) return written;
  for (const prefix of [`${quote(database)}.`, `${database}.`]) {
    // What remains must be schema and table still: a relation may be written without its database.
    if (written.startsWith(prefix) && written.slice(prefix.length).includes(".")) return written.slice(prefix.length);
  }
  return written;
}

/** An error in dbt is what holds messages back here; a mere warning counts where nothing is an error. */
function sourceOf(each: Source, database: string | null, adapter: string | null): WrittenSource {
  const table = tableOf(each, each.identifier ?? each.name, database, adapter);
  const loadedAt = each.loaded_at_field ?? "";
  if (loadedAt === "") return table;
  const seconds = secondsOf(each.freshness?.error_after) ?? secondsOf(each.freshness?.warn_after);
  return { table, loaded_at: loadedAt, ...(seconds === null ? {} : { stale_after: formatDuration(seconds) }) };
}

function secondsOf(limit: z.output<typeof threshold>): number | null {
  const { count, period } = limit ?? {};
  return count === null || count === undefined || count <= 0 || period === null || period === undefined ? null : count * SECONDS[period];
}

function mostCommon(values: readonly (string | null)[]): string | null {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

function words(error: z.ZodError, path: readonly string[]): string {
  const [issue] = error.issues;
  return `${[...path, ...(issue?.path ?? []).map(String)].join(" → ")}: ${issue?.message ?? "unreadable"}`;
}

function problem(file: string, message: string, hint: string): OpportuneError {
  return new OpportuneError({ code: "init/dbt-manifest", message: `${file} ${message}.`, hint }, 2);
}
