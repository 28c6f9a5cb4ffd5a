import { formatBytes } from "../core/bytes.js";
import { firstOf, type Problem } from "../core/errors.js";
import type { Project, Segment } from "../project/types.js";
import { literal } from "../warehouse/dialect.js";
import { WarehouseError } from "../warehouse/error.js";
import type { Warehouse } from "../warehouse/types.js";
import { compileAudience } from "./audience.js";
import { compileSegment } from "./compile.js";
import type { IdType } from "./ids.js";
import { queryProblem } from "./query.js";
import type { CompiledAudience, CompiledSegment, NumberColumns, TemplateCatalog } from "./types.js";

/** The project as the warehouse understands it. Segments and audiences with a mistake are failed, each alone. */
export interface CompiledProject {
  segments: ReadonlyMap<string, CompiledSegment>;
  /** All that is wrong with each. */
  failedSegments: ReadonlyMap<string, readonly Problem[]>;
  audiences: ReadonlyMap<string, CompiledAudience>;
  failedAudiences: ReadonlyMap<string, readonly Problem[]>;
}

/** Compiles segments and the audiences they use. */
export async function compileProject(
  project: Project,
  segments: readonly Segment[],
  audiences: readonly string[],
  templates: TemplateCatalog,
  warehouse: Warehouse,
  asOf: string,
): Promise<CompiledProject> {
  const collect = async <T>(
    work: Promise<{ compiled: T } | { failed: readonly Problem[] }>,
    name: string,
    compiled: Map<string, T>,
    failed: Map<string, readonly Problem[]>,
  ): Promise<void> => {
    const outcome = await work;
    if ("failed" in outcome) failed.set(name, outcome.failed);
    else compiled.set(name, outcome.compiled);
  };
  const result = {
    segments: new Map<string, CompiledSegment>(),
    failedSegments: new Map<string, readonly Problem[]>(),
    audiences: new Map<string, CompiledAudience>(),
    failedAudiences: new Map<string, readonly Problem[]>(),
  };
  for (const segment of segments)
    await collect(compileSegment(segment, project, templates, warehouse, asOf), segment.id, result.segments, result.failedSegments);
  for (const name of audiences) {
    const audience = project.audiences.get(name);
    if (audience === undefined) continue;
    await collect(
      compileAudience(audience, project, warehouse, asOf, idsBeside(name, project, result.segments)),
      name,
      result.audiences,
      result.failedAudiences,
    );
  }
  return result;
}

/** What templates must know of the columns to tell a number from a text. */
export function numberColumns({ segments }: CompiledProject): NumberColumns {
  return new Map(
    [...segments].map(([id, { columns }]) => [
      id,
      new Map(columns.flatMap(({ name, kind }): [string, "exact" | "float"][] => (kind === "exact" || kind === "float" ? [[name, kind]] : []))),
    ]),
  );
}

/** The ids of the first segment that compares its own with the audience's. */
function idsBeside(audience: string, { policy }: Project, segments: ReadonlyMap<string, CompiledSegment>): IdType | null {
  const everybody = [...policy.exclude, ...policy.require].includes(audience);
  for (const { segment, columns } of segments.values()) {
    if (!everybody && segment.goal?.audience !== audience && ![...segment.exclude, ...segment.require].includes(audience)) continue;
    const column = columns.find(({ name }) => name.toLowerCase() === "user_id");
    if (column !== undefined) return { segment: segment.id, type: column.type };
  }
  return null;
}

export interface StageStep {
  kind: "audience" | "segment";
  name: string;
  index: number;
  total: number;
}

export type OnStep = (step: StageStep & { state: "start" | "done"; rows?: number; ms?: number; bytes?: number; problem?: Problem }) => void;

export interface Staged {
  /** Rows that the query returned; null where it failed. */
  returned: number | null;
  problem: Problem | null;
  ms: number;
  /** What its statement read; null where the warehouse doesn't say. */
  bytes: number | null;
}

/** Runs each audience's INSERT by itself: a failed one, or one of too few users, leaves no member behind. */
export async function stageAudiences(
  compiled: CompiledProject,
  names: readonly string[],
  warehouse: Warehouse,
  now: () => number,
  onStep: OnStep,
): Promise<Map<string, Staged>> {
  return stageEach("audience", names, warehouse, now, onStep, async (name) => {
    const known = compiled.audiences.get(name);
    if (known === undefined) return oneOf(compiled.failedAudiences.get(name)) ?? { code: "audience/missing", message: `There is no audience ${name}.` };
    const rows = await guarded(
      () => stageOne(known, warehouse),
      (error) => queryProblem(known.audience, error, known.queryLine),
    );
    if (typeof rows !== "number" || rows >= known.audience.minRows) return rows;
    await warehouse.execute({
      sql: `delete from ${warehouse.dialect.workTable("audience_members")} where audience = ${literal(name)}`,
      params: [],
      ours: true,
    });
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
    warehouse,
    now,
    onStep,
    async (id) => {
      const known = compiled.segments.get(id);
      if (known === undefined) return oneOf(compiled.failedSegments.get(id)) ?? { code: "segment/missing", message: `There is no segment ${id}.` };
      return guarded(
        () => stageOne(known, warehouse),
        (error) => queryProblem(known.segment, error, known.queryLine),
      );
    },
  );
}

function oneOf(problems: readonly Problem[] = []): Problem | null {
  return firstOf(problems, "opportune compile");
}

/** A query that would read more than it may is not run; where the warehouse can't say beforehand, it refuses itself or not at all. */
async function stageOne(compiled: CompiledSegment | CompiledAudience, warehouse: Warehouse): Promise<number | Problem> {
  const { query, stage } = compiled;
  const bytes = query.maxBytes === undefined ? null : await warehouse.estimate(query);
  return overLimit(compiled, bytes) ?? warehouse.execute(stage);
}

/** What is wrong with a query that would read so many bytes; null: nothing, or nobody knows. */
export function overLimit(compiled: CompiledSegment | CompiledAudience, bytes: number | null): Problem | null {
  const most = compiled.query.maxBytes;
  if (bytes === null || most === undefined || bytes <= most) return null;
  const segment = "segment" in compiled ? compiled.segment : null;
  const file = "segment" in compiled ? compiled.segment : compiled.audience;
  const name = "segment" in compiled ? `Segment ${compiled.segment.id}` : `Audience ${compiled.audience.name}`;
  const own = segment?.maxBytes === most;
  return {
    code: "segment/max-bytes",
    message: `${name} would read ${formatBytes(bytes)}, more than the ${formatBytes(most)} of ${own ? "its" : "the target's"} max_bytes_billed: it is not run.`,
    hint: `Have its query read fewer days or columns, or raise max_bytes_billed ${own ? "here" : "of the target in opportune.yml"}.`,
    file: file.file,
    line: (own ? segment.places.get("max_bytes_billed")?.line : undefined) ?? file.sqlLine,
  };
}

async function guarded(work: () => Promise<number | Problem>, problem: (error: unknown) => Problem): Promise<number | Problem> {
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
  warehouse: Warehouse,
  now: () => number,
  onStep: OnStep,
  work: (name: string) => Promise<number | Problem>,
): Promise<Map<string, Staged>> {
  const staged = new Map<string, Staged>();
  for (const [i, name] of names.entries()) {
    const step = { kind, name, index: i + 1, total: names.length };
    onStep({ ...step, state: "start" });
    const started = now();
    const before = warehouse.usage.bytes ?? 0;
    const result = await work(name);
    const ms = now() - started;
    const bytes = warehouse.usage.bytes === null ? null : warehouse.usage.bytes - before;
    const rows = typeof result === "number" ? result : null;
    const problem = typeof result === "number" ? null : result;
    staged.set(name, { returned: rows, problem, ms, bytes });
    onStep({ ...step, state: "done", ms, ...(bytes === null ? {} : { bytes }), ...(rows === null ? {} : { rows }), ...(problem === null ? {} : { problem }) });
  }
  return staged;
}
