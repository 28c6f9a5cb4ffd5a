/** Everything that a run asks and knows before it decides: its statements, and what arbitration needs beside the staged rows. */
import { activate, type ActiveStep } from "../arbitration/activation.js";
import { arbitrationStatements } from "../arbitration/arbitrate.js";
import { asked } from "../arbitration/ask.js";
import { audiencesAsked, type ArbitratedSegment, type Arbitration } from "../arbitration/constants.js";
import { hasNewQuery, renamedSegments } from "../arbitration/renamed.js";
import { zoneHours } from "../arbitration/zones.js";
import type { Problem } from "../core/errors.js";
import type { Ledger } from "../ledger/ledger.js";
import type { Pause } from "../ledger/pauses.js";
import { otherSegmentRuns, type PreviousSegmentRun } from "../ledger/runs/segment-runs.js";
import type { Project, Segment, Source } from "../project/types.js";
import { freshness } from "../segments/freshness.js";
import { plannedProject } from "../segments/plan.js";
import { compileProject, type CompiledProject, type Staged } from "../segments/stage.js";
import { workTables } from "../warehouse/sql.js";
import type { Statement } from "../warehouse/types.js";
import { NOTHING_STAGED, type StagedRows } from "./staged.js";
import type { CompileOptions } from "./types.js";

/**
 * Makes every statement of a run as of `asOf`, hands it to `onStatement` and has the warehouse plan it, without staging anything:
 * the time zones of the rows are not known then, so arbitration's table of zones is empty. `decides`: arbitration as one statement.
 */
export async function compileRun(project: Project, ledger: Ledger, options: CompileOptions): Promise<CompiledProject & { decides: Statement }> {
  const { warehouse } = ledger;
  const { compiled: described, audiences, previous } = await compileAll(project, ledger, options);
  await warehouse.script({ work: workTables(warehouse.dialect), statements: [] });
  const compiled = await plannedProject(described, warehouse);
  const unasked = (names: readonly string[], failed: ReadonlyMap<string, readonly Problem[]>): Map<string, Staged> =>
    new Map(names.map((name) => [name, { returned: null, problem: failed.get(name)?.[0] ?? null, ms: 0, bytes: null }]));
  const segments = unasked(
    options.segments.map(({ id }) => id),
    compiled.failedSegments,
  );
  const arbitration = gather(project, { ...options, previous }, compiled, unasked(audiences, compiled.failedAudiences), segments, NOTHING_STAGED);
  asked(arbitration, warehouse.dialect, options);
  // The kept tables aren't there: what is planned is the same chapters as one statement.
  const decides = arbitrationStatements(arbitration, (template) => options.templates.versionOf(template), warehouse.dialect, true).write;
  await warehouse.plan(decides);
  return { ...compiled, decides };
}

interface CompiledRun {
  compiled: CompiledProject;
  audiences: string[];
  /** Of each segment of the run, its last run in which the query worked. */
  previous: ReadonlyMap<string, PreviousSegmentRun>;
}

/** A segment that looks renamed is failed like one whose query the warehouse refuses: the others go on. */
export async function compileAll(project: Project, ledger: Ledger, options: CompileOptions): Promise<CompiledRun> {
  const { asOf, segments, templates } = options;
  const audiences = [...new Set([...segments.flatMap((segment) => audiencesUsed(project, segment)), ...(options.audiences ?? [])])]
    .filter((name) => project.audiences.has(name))
    .sort();
  const all = await compileProject(project, segments, audiences, templates, ledger.warehouse, asOf);
  const previous = await previousRunsOf(ledger, options);
  const renamed = renamedSegments(project.segments, segments, previous);
  const compiled: CompiledProject = {
    ...all,
    segments: new Map([...all.segments].filter(([id]) => !renamed.has(id))),
    failedSegments: new Map([...all.failedSegments, ...[...renamed].map(([id, problem]) => [id, [problem]] as const)]),
  };
  for (const [name, { stage }] of compiled.audiences) options.onStatement(`audiences/${name}`, [stage], []);
  for (const [id, { stage }] of compiled.segments) options.onStatement(`segments/${id}`, [stage], []);
  return { compiled, audiences, previous };
}

/**
 * The last runs of the segments, as the facts know them if they were lately. Where a segment is new or has a new query, those
 * of all others that ever ran are asked for too: once an edit, as it reads the whole history.
 */
async function previousRunsOf(ledger: Ledger, { segments, trial, facts }: CompileOptions): Promise<Map<string, PreviousSegmentRun>> {
  const lately = facts.previous;
  const settled = facts.lastAsOf === null || !segments.some((segment) => hasNewQuery(segment, lately.get(segment.id)));
  return new Map([...lately, ...(settled ? [] : await otherSegmentRuns(ledger, [...lately.keys()], trial))]);
}

/** Seconds between two times that each is asked, at the soonest: a segment's `every`, in whole intervals, an audience with any segment that uses it. */
export function periods(project: Project, segments: readonly Segment[]): { run: number; segments: Record<string, number>; audiences: Record<string, number> } {
  const { intervalSeconds } = project;
  const period = { run: Infinity, segments: {} as Record<string, number>, audiences: {} as Record<string, number> };
  for (const segment of segments) {
    const seconds = intervalSeconds * Math.ceil((segment.everySeconds ?? intervalSeconds) / intervalSeconds);
    period.segments[segment.id] = seconds;
    period.run = Math.min(period.run, seconds);
    for (const name of audiencesUsed(project, segment)) period.audiences[name] = Math.min(period.audiences[name] ?? Infinity, seconds);
  }
  return period;
}

/** Every audience that a segment depends on, in the order in which a failed one is named. */
function audiencesUsed(project: Project, segment: Segment): string[] {
  return [...(segment.goal === null ? [] : [segment.goal.audience]), ...audiencesAsked(project, segment).map((use) => use.audience)];
}

/** Everything that arbitration needs beside the staged rows and the ledger. */
export function gather(
  project: Project,
  options: CompileOptions & Pick<CompiledRun, "previous">,
  compiled: CompiledProject,
  audiences: ReadonlyMap<string, Staged>,
  staged: ReadonlyMap<string, Staged>,
  rows: StagedRows,
): Arbitration {
  const { asOf, trial, segments, facts, previous } = options;
  const { pauses } = facts;
  return {
    project,
    asOf,
    trial,
    salt: facts.salt,
    forgotten: facts.forgotten,
    prunedTo: facts.prunedTo,
    segments: segments.map((segment): ArbitratedSegment => {
      const stored = previous.get(segment.id);
      const before = stored === undefined ? undefined : { ...stored, steps: JSON.parse(stored.steps) as ActiveStep[] };
      return {
        segment,
        activation: activate(segment, before, asOf),
        previous: before,
        checks: compiled.segments.get(segment.id)?.checks ?? [],
        queried: staged.get(segment.id)?.problem === null,
        backfill: options.backfill.has(segment.id),
        failedAudience: audiencesUsed(project, segment).find((name) => audiences.get(name)?.problem !== null) ?? null,
        pausedBy: pausedBy(segment, pauses),
        surge: null,
        ...freshness(sourcesOf(segment, project, compiled), rows.newest, asOf),
      };
    }),
    pausedChannels: new Set(pauses.filter((pause) => pause.scope === "channel").map((pause) => pause.name)),
    zones: zoneHours([...new Set(["", ...rows.zones])], project.policy.timezone, project.policy.quietHours, asOf),
  };
}

/** The sources that a segment, its goal and its exclusions read. */
export function sourcesOf(segment: Segment, project: Project, compiled: CompiledProject): Source[] {
  const read = [
    compiled.segments.get(segment.id),
    ...[segment.goal?.audience ?? "", ...project.policy.exclude, ...segment.exclude].map((name) => compiled.audiences.get(name)),
  ];
  return [...new Set(read.flatMap((query) => query?.sources ?? []))].flatMap((name) => project.sources.get(name) ?? []);
}

function pausedBy(segment: Segment, pauses: readonly Pause[]): "project" | "segment" | null {
  if (pauses.some((pause) => pause.scope === "project")) return "project";
  return segment.status === "paused" || pauses.some((pause) => pause.scope === "segment" && pause.name === segment.id) ? "segment" : null;
}
