import type { Problem } from "../core/errors.js";
import type { Audience, Project } from "../project/types.js";
import { canonicalUserColumn } from "../warehouse/canonical.js";
import { literal } from "../warehouse/dialect.js";
import { Binder, renderSqlFile } from "../warehouse/sql.js";
import type { Column, Warehouse } from "../warehouse/types.js";
import { duplicateColumns, unfitTime } from "./columns.js";
import { idProblem, type IdType } from "./ids.js";
import { renderQuery } from "./query.js";
import { problemsOfRefused } from "./refused.js";
import { has, limit, readingQuery, staging, timeOf } from "./staging.js";
import type { CompiledAudience } from "./types.js";

/**
 * An audience has `user_id` and perhaps `occurred_at`; both are looked up in what the warehouse says it returns. `beside`: a segment
 * that uses it.
 */
export async function compileAudience(
  audience: Audience,
  project: Project,
  warehouse: Warehouse,
  asOf: string,
  beside: IdType | null,
): Promise<{ compiled: CompiledAudience } | { failed: readonly Problem[] }> {
  const { dialect } = warehouse;
  if (audience.mistakes !== undefined) return { failed: audience.mistakes };
  let columns: Column[];
  try {
    const rendering = new Binder(dialect);
    const { sql, sources } = renderQuery(audience, project, asOf, rendering);
    const asked = { sql, params: rendering.params, segment: audience.name, ...limit(project.target.maxBytes) };
    columns = await warehouse.describe(asked);
    const user = has(columns, "user_id");
    if (user === undefined) {
      return {
        failed: [
          {
            code: "audience/column",
            message: `Audience ${audience.name} returns no column user_id.`,
            hint: `It returns: ${columns.map((column) => column.name).join(", ")}.`,
            file: audience.file,
            line: audience.sqlLine,
          },
        ],
      };
    }
    const who = `Audience ${audience.name}`;
    const time = has(columns, "occurred_at");
    const problems = [
      ...duplicateColumns(who, audience, columns),
      ...[idProblem(who, audience, user, beside)].flatMap((problem) => problem ?? []),
      ...unfitTime(who, audience, time, dialect),
    ];
    if (problems.length > 0) return { failed: problems };
    const { query, binder } = readingQuery(sql, rendering);
    const stage = renderSqlFile(
      "stage_audience.sql",
      dialect,
      null,
      {
        query,
        audience: literal(audience.name),
        user_id: canonicalUserColumn(dialect.quote(user.name), user.kind, dialect),
        occurred_at: timeOf(time, dialect),
        as_of: binder.bind(asOf, "timestamp"),
      },
      binder,
    );
    return { compiled: { audience, query: asked, ...staging(asked, stage, dialect.queriesApart), sources } };
  } catch (error) {
    return { failed: await problemsOfRefused(audience, error, project, warehouse, asOf) };
  }
}
