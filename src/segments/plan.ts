/** What a run would find out only at the statement itself: `compile` has the warehouse plan each one, and runs none. */
import type { Problem } from "../core/errors.js";
import { WarehouseError } from "../warehouse/error.js";
import type { Warehouse } from "../warehouse/types.js";
import { queryProblem } from "./query.js";
import type { CompiledProject } from "./stage.js";
import type { CompiledAudience, CompiledSegment } from "./types.js";

/** The project as the warehouse plans it: what it refuses is failed. The work tables must be there. */
export async function plannedProject(compiled: CompiledProject, warehouse: Warehouse): Promise<CompiledProject> {
  const segments = new Map(compiled.segments);
  const failedSegments = new Map(compiled.failedSegments);
  const audiences = new Map(compiled.audiences);
  const failedAudiences = new Map(compiled.failedAudiences);
  for (const [id, segment] of compiled.segments) {
    const refused = await refusal(segment, warehouse);
    if (refused === null) continue;
    segments.delete(id);
    failedSegments.set(id, [refused]);
  }
  for (const [name, audience] of compiled.audiences) {
    const refused = await refusal(audience, warehouse);
    if (refused === null) continue;
    audiences.delete(name);
    failedAudiences.set(name, [refused]);
  }
  return { segments, failedSegments, audiences, failedAudiences };
}

async function refusal(compiled: CompiledSegment | CompiledAudience, warehouse: Warehouse): Promise<Problem | null> {
  try {
    await warehouse.plan(compiled.stage);
    return null;
  } catch (error) {
    if (!(error instanceof WarehouseError)) throw error;
    const file = "segment" in compiled ? compiled.segment : compiled.audience;
    // What is refused outside of the query is refused for what it returns.
    return { line: file.sqlLine, ...queryProblem(file, error, compiled.queryLine) };
  }
}
