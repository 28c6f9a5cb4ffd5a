/** A query that was refused: in which file the mistake is, and on which line. */
import { OpportuneError, type Problem } from "../core/errors.js";
import type { Project, SqlFile } from "../project/types.js";
import { Binder } from "../warehouse/sql.js";
import type { Warehouse } from "../warehouse/types.js";
import { queryProblem, renderQuery } from "./query.js";

/**
 * What is wrong with an audience that a refused query builds on, in that audience's own file; null where all of them are right.
 * Such a query holds the audience's on one line, so its own line says little.
 */
async function mistakesBelow({ buildsOn }: SqlFile, project: Project, warehouse: Warehouse, asOf: string): Promise<readonly Problem[] | null> {
  for (const name of buildsOn) {
    const audience = project.audiences.get(name);
    if (audience === undefined) continue;
    const below = audience.mistakes ?? (await mistakesBelow(audience, project, warehouse, asOf));
    if (below !== null) return below;
    try {
      const binder = new Binder(warehouse.dialect);
      await warehouse.describe({ sql: renderQuery(audience, project, asOf, binder).sql, params: binder.params });
    } catch (error) {
      return problemsOfQuery(audience, error);
    }
  }
  return null;
}

/** What is wrong with a query that was refused: with the audiences that it builds on first. */
export async function problemsOfRefused(file: SqlFile, error: unknown, project: Project, warehouse: Warehouse, asOf: string): Promise<readonly Problem[]> {
  return (await mistakesBelow(file, project, warehouse, asOf)) ?? problemsOfQuery(file, error);
}

/** Mistakes in the SQL file, each with its place, or what the warehouse says of the query. */
function problemsOfQuery(file: SqlFile, error: unknown): readonly Problem[] {
  if (error instanceof OpportuneError && error.exitCode === 2) return error.problems;
  return [queryProblem(file, error, 1)];
}
