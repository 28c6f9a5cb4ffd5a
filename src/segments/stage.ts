import type { Problem } from "../core/errors.js";
import { OpportuneError } from "../core/errors.js";
import type { Project, Segment } from "../project/types.js";
import { WarehouseError } from "../warehouse/error.js";
import type { Warehouse } from "../warehouse/types.js";
import { compileAudience, compileSegment } from "./compile.js";
import { queryProblem } from "./query.js";
import type { CompiledAudience, CompiledSegment, TemplateCatalog } from "./types.js";

/** The project as the warehouse understands it. Queries that it refused are failed, each alone. */
export interface CompiledProject {
  segments: ReadonlyMap<string, CompiledSegment>;
  failedSegments: ReadonlyMap<string, Problem>;
  audiences: ReadonlyMap<string, CompiledAudience>;
  failedAudiences: ReadonlyMap<string, Problem>;
}

/**
 * Compiles segments and the audiences they use.
 * @throws OpportuneError (exit 2) with all mistakes of the project at once: nothing has run by then
 */
export async function compileProject(
  project: Project,
  segments: readonly Segment[],
  audiences: readonly string[],
  templates: TemplateCatalog,
  warehouse: Warehouse,
  asOf: string,
): Promise<CompiledProject> {
  const problems: Problem[] = [];
  const collect = async <T>(
    work: Promise<{ compiled: T } | { problems: Problem[] } | { failed: Problem }>,
    name: string,
    compiled: Map<string, T>,
    failed: Map<string, Problem>,
  ): Promise<void> => {
    const outcome = await work;
    if ("problems" in outcome) problems.push(...outcome.problems);
    else if ("failed" in outcome) failed.set(name, outcome.failed);
    else compiled.set(name, outcome.compiled);
  };
  const result = {
    segments: new Map<string, CompiledSegment>(),
    failedSegments: new Map<string, Problem>(),
    audiences: new Map<string, CompiledAudience>(),
    failedAudiences: new Map<string, Problem>(),
  };
  for (const segment of segments)
    await collect(compileSegment(segment, project, templates, warehouse, asOf), segment.id, result.segments, result.failedSegments);
  for (const name of audiences) {
    const audience = project.audiences.get(name);
    if (audience !== undefined) await collect(compileAudience(audience, project, warehouse, asOf), name, result.audiences, result.failedAudiences);
  }
  if (problems.length > 0) throw new OpportuneError(problems, 2);
  return result;
}

export interface StageStep {
  kind: "audience" | "segment";
  name: string;
  index: number;
  total: number;
}

export type OnStep = (step: StageStep & { state: "start" | "done"; rows?: number; ms?: number; problem?: Problem }) => void;

export interface Staged {
  /** Rows that the query returned; null where it failed. */
  returned: number | null;
  problem: Problem | null;
  ms: number;
}

/** Runs each audience's INSERT by itself: a failed one, or one of too few users, leaves no member behind. */
export async function stageAudiences(
  compiled: CompiledProject,
  names: readonly string[],
  warehouse: Warehouse,
  now: () => number,
  onStep: OnStep,
): Promise<Map<string, Staged>> {
  return stageEach("audience", names, now, onStep, async (name) => {
    const known = compiled.audiences.get(name);
    if (known === undefined) return compiled.failedAudiences.get(name) ?? { code: "audience/missing", message: `There is no audience ${name}.` };
    const rows = await guarded(
      () => warehouse.execute(known.stage),
      (error) => queryProblem(known.audience, error, known.queryLine),
    );
    if (typeof rows !== "number" || rows >= known.audience.minRows) return rows;
    await warehouse.execute({ sql: `delete from ${warehouse.dialect.workTable("audience_members")} where audience = '${name}'`, params: [] });
    return {
      code: "audience/min-rows",
      message: `Audience ${name} has ${String(rows)} users, fewer than its min_rows of ${String(known.audience.minRows)}.`,
      file: known.audience.file,
    };
  });
}

/** Runs each segment's INSERT … SELECT; a broken one fails alone. */
export async function stageSegments(
  compiled: CompiledProject,
  segments: readonly Segment[],
  warehouse: Warehouse,
  now: () => number,
  onStep: OnStep,
): Promise<Map<string, Staged>> {
  return stageEach(
    "segment",
    segments.map((segment) => segment.id),
    now,
    onStep,
    async (id) => {
      const known = compiled.segments.get(id);
      if (known === undefined) return compiled.failedSegments.get(id) ?? { code: "segment/missing", message: `There is no segment ${id}.` };
      return guarded(
        () => warehouse.execute(known.stage),
        (error) => queryProblem(known.segment, error, known.queryLine),
      );
    },
  );
}

async function guarded(work: () => Promise<number>, problem: (error: unknown) => Problem): Promise<number | Problem> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WarehouseError) return problem(error);
    throw error;
  }
}

async function stageEach(
  kind: StageStep["kind"],
  names: readonly string[],
  now: () => number,
  onStep: OnStep,
  work: (name: string) => Promise<number | Problem>,
): Promise<Map<string, Staged>> {
  const staged = new Map<string, Staged>();
  for (const [i, name] of names.entries()) {
    const step = { kind, name, index: i + 1, total: names.length };
    onStep({ ...step, state: "start" });
    const started = now();
    const result = await work(name);
    const ms = now() - started;
    const rows = typeof result === "number" ? result : null;
    const problem = typeof result === "number" ? null : result;
    staged.set(name, { returned: rows, problem, ms });
    onStep({ ...step, state: "done", ms, ...(rows === null ? {} : { rows }), ...(problem === null ? {} : { problem }) });
  }
  return staged;
}
