import { ADDRESS_COLUMNS } from "../channels/registry.js";
import type { Problem } from "../core/errors.js";
import type { Project, Segment } from "../project/types.js";
import { canonicalUserColumn } from "../warehouse/canonical.js";
import { literal, type Dialect } from "../warehouse/dialect.js";
import { Binder, renderSqlFile } from "../warehouse/sql.js";
import type { Column, Statement, Warehouse } from "../warehouse/types.js";
import { checksOf } from "./checks.js";
import { duplicateColumns, unfitTime } from "./columns.js";
import { LONGEST_ID_BYTES } from "./ids.js";
import { missingColumns, missingContract, missingVariables, unfitIds } from "./missing.js";
import { jsonOf } from "./properties.js";
import { renderQuery } from "./query.js";
import { problemsOfRefused } from "./refused.js";
import { has, limit, readingQuery, staging, timeOf } from "./staging.js";
import type { CompiledSegment, TemplateCatalog } from "./types.js";
import { wrongUses } from "./uses.js";

/** Characters of a zone or locale that are kept; the longest IANA name has 32. */
const LONGEST_NAME = 100;

/** Asks the warehouse for the segment's columns and checks them against steps, templates and contract. `failed`: all that is wrong with it. */
export async function compileSegment(
  segment: Segment,
  project: Project,
  templates: TemplateCatalog,
  warehouse: Warehouse,
  asOf: string,
): Promise<{ compiled: CompiledSegment } | { failed: readonly Problem[] }> {
  if (segment.mistakes !== undefined) return { failed: segment.mistakes };
  let columns: Column[];
  const bound = new Binder(warehouse.dialect);
  let asked: Statement;
  let sources: readonly string[];
  try {
    const query = renderQuery(segment, project, asOf, bound);
    asked = { sql: query.sql, params: bound.params, segment: segment.id, ...limit(project.target.maxBytes, segment.maxBytes) };
    sources = query.sources;
    columns = await warehouse.describe(asked);
  } catch (error) {
    return { failed: await problemsOfRefused(segment, error, project, warehouse, asOf) };
  }
  const who = `Segment ${segment.id}`;
  const problems = [
    ...duplicateColumns(who, segment, columns),
    ...missingColumns(segment, project, columns),
    ...unfitIds(segment, project, columns),
    ...unfitTime(who, segment, has(columns, "occurred_at"), warehouse.dialect),
    ...missingVariables(segment, templates, columns),
    ...wrongUses(segment, templates, columns, warehouse.dialect),
    ...missingContract(segment, columns),
  ];
  if (problems.length > 0) return { failed: problems };
  return { compiled: compileStage(segment, project, templates, columns, warehouse.dialect, asOf, { asked, bound, sources }) };
}

function compileStage(
  segment: Segment,
  project: Project,
  templates: TemplateCatalog,
  columns: readonly Column[],
  dialect: Dialect,
  asOf: string,
  { asked, bound, sources }: { asked: Statement; bound: Binder; sources: readonly string[] },
): CompiledSegment {
  const apart = dialect.queriesApart || dialect.stagesInPages;
  const { query, binder } = readingQuery(asked.sql, bound, apart);
  const checks = checksOf(segment, project, templates, columns, dialect, binder);
  const text = (name: string): string => {
    const column = has(columns, name);
    return column === undefined ? `cast(null as ${dialect.types.text})` : `cast(${dialect.quote(column.name)} as ${dialect.types.text})`;
  };
  const own = new Set(["user_id", "occurred_at"]);
  const kept = new Set(segment.keepProperties.map((name) => name.toLowerCase()));
  const properties = columns.filter((column) => !own.has(column.name.toLowerCase()));
  const stage = renderSqlFile(
    "stage.sql",
    dialect,
    null,
    {
      query,
      pages: dialect.stagesInPages,
      segment: literal(segment.id),
      as_of: binder.bind(asOf, "timestamp"),
      user_id: `nullif(${userOf(columns, dialect)}, '')`,
      item_key: segment.key === null ? "''" : text(segment.key),
      occurred_at: timeOf(has(columns, "occurred_at"), dialect),
      addresses: ADDRESS_COLUMNS.map((column) => `${text(column)} as ${column}`).join(",\n    "),
      // No zone and no locale is as long: the rest only tells an odd one from others.
      timezone: `substr(${text("timezone")}, 1, ${String(LONGEST_NAME)})`,
      locale: `substr(${text("locale")}, 1, ${String(LONGEST_NAME)})`,
      longest_id: String(LONGEST_ID_BYTES),
      problems: checks.length === 0 ? "''" : checks.map((check) => `case when ${check.sql} then '${check.code}' else '' end`).join(" ||\n      "),
      properties: jsonOf(properties, dialect),
      kept:
        segment.keepProperties.length === 0
          ? `cast(null as ${dialect.types.text})`
          : jsonOf(
              columns.filter((column) => kept.has(column.name.toLowerCase())),
              dialect,
            ),
    },
    binder,
  );
  const id = literal(segment.id);
  const rows = `${dialect.workTable("segment_rows")} where segment = ${id}`;
  const pages = dialect.stagesInPages
    ? {
        afterPages: {
          ...renderSqlFile("duplicates.sql", dialect, null, { segment: id }),
          // Takes a fifth of what the update takes that finds nothing.
          where: { sql: `select 1 from ${rows} and dropped is null group by user_id, item_key having count(*) > 1 limit 1`, params: [], ours: true },
        },
        undoPages: { sql: `delete from ${rows}`, params: [], ours: true },
      }
    : {};
  return { segment, columns, checks, query: asked, ...staging(asked, { ...stage, ...pages }, apart), sources };
}

/** SQL of the user's id in its one form. */
function userOf(columns: readonly Column[], dialect: Dialect): string {
  const column = has(columns, "user_id");
  return canonicalUserColumn(dialect.quote(column?.name ?? "user_id"), column?.kind ?? "text", dialect);
}
