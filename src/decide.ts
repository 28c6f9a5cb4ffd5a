import { activate, type Activation, type ActiveStep } from "./arbitration/activation.js";
import { arbitrateStatement } from "./arbitration/arbitrate.js";
import { audiencesAsked, type ArbitratedSegment, type Arbitration } from "./arbitration/constants.js";
import { SURGE_LOOK_BACK_MS, surgeLimit, type Surge } from "./arbitration/surge.js";
import { zoneHours, type ZoneHours } from "./arbitration/zones.js";
import { instant } from "./core/clock.js";
import type { Problem } from "./core/errors.js";
import { saltOf, type Ledger, type SegmentRun } from "./ledger/ledger.js";
import { pauses as readPauses, type Pause } from "./ledger/pauses.js";
import { previousSegmentRuns, usualOffers } from "./ledger/runs.js";
import { statementsOf } from "./ledger/schema.js";
import type { Project, Segment, Source } from "./project/types.js";
import { freshness, newestData } from "./segments/freshness.js";
import { compileProject, stageAudiences, stageSegments, type CompiledProject, type OnStep, type Staged } from "./segments/stage.js";
import type { TemplateCatalog } from "./segments/types.js";
import type { WorkTable } from "./warehouse/dialect.js";
import { renderSqlFile } from "./warehouse/sql.js";
import type { Statement, Warehouse } from "./warehouse/types.js";

export interface DecideOptions {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  /** Segments of this run, in id order. */
  segments: readonly Segment[];
  /** Ids of those whose baseline is lifted. */
  backfill: ReadonlySet<string>;
  /** Ids of those that may offer far more than usual. */
  approved: ReadonlySet<string>;
  /** Null: decide, but append nothing. */
  ledger: Ledger | null;
  templates: TemplateCatalog;
  /** Wall clock, ms since 1970 UTC. */
  now: () => number;
  onStep: OnStep;
  /** Each statement of the run before it runs, for the compiled artefacts; `secrets` are parameters that nobody may be shown. */
  onStatement: (name: string, statement: Statement, secrets: readonly string[]) => void;
}

export interface SegmentDecisions {
  segment: string;
  /** Rows that the query returned; null if it failed. */
  returned: number | null;
  /** Rows that made no candidate, by why. */
  dropped: Record<string, number>;
  /** Decisions by reason, unchanged answers included. */
  reasons: Record<string, number>;
  /** Candidates that no run had offered before, or that waited for approval. */
  offered: number;
  /** Set: held back, as it offers far more than usual. */
  surge: Surge | null;
  problem: Problem | null;
  /** Everything waits: a source is older than its `stale_after`, or can't be read. */
  tooOld: boolean;
  ms: number;
}

export interface Decisions {
  segments: SegmentDecisions[];
  failedAudiences: { audience: string; problem: Problem }[];
  /** Every audience asked, with the duration of its query, ms. */
  audiences: { audience: string; ms: number }[];
  /** Time zones in the rows that don't exist; the project's was used. */
  unknownZones: string[];
  /** From the first audience's query to the last segment's, and what the planner asks to know of their rows, ms. */
  stagingMs: number;
  /** Duration of arbitration, ms. */
  arbitrationMs: number;
  /** Rows appended to the ledger (in a dry run: that would have been). */
  changed: number;
}

/**
 * From SQL files to decisions in the ledger: compiles, stages and arbitrates. Mistakes of the project are thrown, all at
 * once, before anything runs; a query that the warehouse refuses fails alone.
 */
export async function decide(project: Project, warehouse: Warehouse, options: DecideOptions): Promise<Decisions> {
  const { segments, now } = options;
  const { compiled, audiences } = await compileAll(project, warehouse, options);
  await createWorkTables(warehouse, project.target.schema);
  const stagingStarted = now();
  const stagedAudiences = await stageAudiences(compiled, audiences, warehouse, now, options.onStep);
  const stagedSegments = await stageSegments(compiled, segments, warehouse, now, options.onStep);
  await filled(warehouse, "audience_members");
  await filled(warehouse, "segment_rows");
  const stagingMs = now() - stagingStarted;

  let arbitration = await gather(project, warehouse, options, compiled, stagedAudiences, stagedSegments);
  const started = now();
  let decided = await arbitrate(arbitration, warehouse, options);
  let summary = await summarise(warehouse, arbitration.segments, stagedSegments);
  const held = await surging(project, warehouse, options, arbitration, summary.summaries);
  if (held.size > 0) {
    // Rare, and then worth the second pass: those held back must not stand in the way of others.
    arbitration = { ...arbitration, segments: arbitration.segments.map((s) => ({ ...s, surge: held.get(s.segment.id) ?? null })) };
    await warehouse.execute({ sql: `delete from ${warehouse.dialect.workTable("decisions")} where true`, params: [] });
    decided = await arbitrate(arbitration, warehouse, options);
    summary = await summarise(warehouse, arbitration.segments, stagedSegments);
  }
  await filled(warehouse, "decisions");
  const arbitrationMs = now() - started;
  const { summaries, changed } = summary;
  await options.ledger?.appendDecisions(
    options,
    arbitration.segments.map((s) => segmentRun(s, summaries)),
    decided,
    now(),
  );
  return {
    segments: summaries,
    audiences: [...stagedAudiences].map(([audience, { ms }]) => ({ audience, ms })),
    failedAudiences: [...stagedAudiences].flatMap(([audience, { problem }]) => (problem === null ? [] : [{ audience, problem }])),
    unknownZones: arbitration.zones.filter((zone) => !zone.known).map((zone) => zone.zone),
    stagingMs,
    arbitrationMs,
    changed,
  };
}

/** What `compile` asks for: the same statements, none of them run. */
export type CompileOptions = Pick<DecideOptions, "asOf" | "segments" | "backfill" | "templates" | "onStatement"> & {
  /** Audiences to compile although no segment uses them. */
  audiences?: readonly string[];
};

/**
 * Makes every statement of a run as of `asOf` and hands it to `onStatement`, without staging anything: the time zones of the
 * rows are not known then, so arbitration's table of zones is empty. Mistakes of the project are thrown, all at once.
 */
export async function compileRun(project: Project, warehouse: Warehouse, options: CompileOptions): Promise<CompiledProject> {
  const { compiled, audiences } = await compileAll(project, warehouse, options);
  await createWorkTables(warehouse, project.target.schema);
  const unasked = (names: readonly string[], failed: ReadonlyMap<string, Problem>): Map<string, Staged> =>
    new Map(names.map((name) => [name, { returned: null, problem: failed.get(name) ?? null, ms: 0 }]));
  const segments = unasked(
    options.segments.map(({ id }) => id),
    compiled.failedSegments,
  );
  const arbitration = await gather(project, warehouse, options, compiled, unasked(audiences, compiled.failedAudiences), segments);
  arbitrateStatementOf(arbitration, warehouse, options);
  return compiled;
}

async function compileAll(project: Project, warehouse: Warehouse, options: CompileOptions): Promise<{ compiled: CompiledProject; audiences: string[] }> {
  const { asOf, segments, templates } = options;
  const audiences = [...new Set([...segments.flatMap((segment) => audiencesUsed(project, segment)), ...(options.audiences ?? [])])].sort();
  const compiled = await compileProject(project, segments, audiences, templates, warehouse, asOf);
  for (const [name, { stage }] of compiled.audiences) options.onStatement(`audiences/${name}`, stage, []);
  for (const [id, { stage }] of compiled.segments) options.onStatement(`segments/${id}`, stage, []);
  return { compiled, audiences };
}

/** Fills the table of decisions; gives how many there are. */
async function arbitrate(arbitration: Arbitration, warehouse: Warehouse, options: CompileOptions): Promise<number> {
  const statement = arbitrateStatementOf(arbitration, warehouse, options);
  const { before, after } = warehouse.dialect.arbitration;
  for (const sql of before) await warehouse.execute({ sql, params: [] });
  const decided = await warehouse.execute(statement);
  for (const sql of after) await warehouse.execute({ sql, params: [] });
  return decided;
}

/** The segments that offer far more than they usually do, and that nobody approved. */
async function surging(
  project: Project,
  warehouse: Warehouse,
  { asOf, approved, backfill }: DecideOptions,
  { segments }: Arbitration,
  summaries: readonly SegmentDecisions[],
): Promise<Map<string, Surge>> {
  const surges = new Map<string, Surge>();
  // Without many candidates nothing surges: the question costs a statement.
  const { surge } = project.policy;
  if (surge === null || !summaries.some(({ offered }) => offered > surge.atLeast)) return surges;
  const usual = await usualOffers(warehouse, project.target.schema, instant(Date.parse(asOf) - SURGE_LOOK_BACK_MS));
  for (const { segment } of segments) {
    const offered = summaries.find((summary) => summary.segment === segment.id)?.offered ?? 0;
    const limit = surgeLimit(project.policy, usual.get(segment.id));
    if (limit !== null && offered > limit && !approved.has(segment.id) && !backfill.has(segment.id)) surges.set(segment.id, { offered, limit });
  }
  return surges;
}

function arbitrateStatementOf(arbitration: Arbitration, warehouse: Warehouse, { templates, onStatement }: CompileOptions): Statement {
  const statement = arbitrateStatement(arbitration, (template) => templates.versionOf(template), warehouse.dialect);
  // Whoever knows the salt can tell from a user's id which holdout they are in, and their messages' ids.
  onStatement("arbitrate", statement, [arbitration.salt]);
  return statement;
}

/** Every audience that a segment depends on, in the order in which a failed one is named. */
function audiencesUsed(project: Project, segment: Segment): string[] {
  return [...(segment.goal === null ? [] : [segment.goal.audience]), ...audiencesAsked(project, segment).map((use) => use.audience)];
}

/** Makes the work tables of one run anew. */
export async function createWorkTables(warehouse: Warehouse, schema: string): Promise<void> {
  for (const sql of statementsOf(renderSqlFile("work.sql", warehouse.dialect, schema, { types: warehouse.dialect.columnTypes }).sql))
    await warehouse.execute({ sql, params: [] });
}

/** What the warehouse wants done once a work table is full. */
async function filled(warehouse: Warehouse, table: WorkTable): Promise<void> {
  for (const sql of warehouse.dialect.afterFilling(table)) await warehouse.execute({ sql, params: [] });
}

/** Everything that arbitration needs beside the staged rows and the ledger. */
async function gather(
  project: Project,
  warehouse: Warehouse,
  options: CompileOptions,
  compiled: CompiledProject,
  audiences: ReadonlyMap<string, Staged>,
  staged: ReadonlyMap<string, Staged>,
): Promise<Arbitration> {
  const { asOf, segments } = options;
  const { schema } = project.target;
  const previous = await previousSegmentRuns(
    warehouse,
    schema,
    segments.map(({ id }) => id),
    asOf,
  );
  const pauses = await readPauses(warehouse, schema, Date.parse(asOf));
  const newest = await newestData(
    project,
    new Set([...compiled.segments.values(), ...compiled.audiences.values()].flatMap(({ sources }) => sources)),
    warehouse,
  );
  const sourcesOf = (segment: Segment): Source[] => {
    const read = [
      compiled.segments.get(segment.id),
      ...[segment.goal?.audience ?? "", ...project.policy.exclude, ...segment.exclude].map((name) => compiled.audiences.get(name)),
    ];
    return [...new Set(read.flatMap((query) => query?.sources ?? []))].flatMap((name) => project.sources.get(name) ?? []);
  };
  return {
    project,
    asOf,
    salt: await saltOf(warehouse, schema),
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
        ...freshness(sourcesOf(segment), newest, asOf),
      };
    }),
    pausedChannels: new Set(pauses.filter((pause) => pause.scope === "channel").map((pause) => pause.name)),
    zones: await zonesOfRows(project, warehouse, asOf),
  };
}

function pausedBy(segment: Segment, pauses: readonly Pause[]): "project" | "segment" | null {
  if (pauses.some((pause) => pause.scope === "project")) return "project";
  return segment.status === "paused" || pauses.some((pause) => pause.scope === "segment" && pause.name === segment.id) ? "segment" : null;
}

async function zonesOfRows(project: Project, warehouse: Warehouse, asOf: string): Promise<ZoneHours[]> {
  const rows = await warehouse.query({
    sql: `select distinct coalesce(timezone, '') as zone from ${warehouse.dialect.workTable("segment_rows")} where dropped is null order by 1`,
    params: [],
  });
  return zoneHours(
    rows.map((row) => String(row["zone"])),
    project.policy.timezone,
    project.policy.quietHours,
    asOf,
  );
}

async function summarise(
  warehouse: Warehouse,
  segments: readonly ArbitratedSegment[],
  staged: ReadonlyMap<string, Staged>,
): Promise<{ summaries: SegmentDecisions[]; changed: number }> {
  const { dialect } = warehouse;
  const dropped = await warehouse.query({
    sql: `select segment, dropped, count(*) as n from ${dialect.workTable("segment_rows")} where dropped is not null group by segment, dropped order by segment, dropped`,
    params: [],
  });
  const decided = await warehouse.query({
    sql: `select segment, event, reason, sum(row_count) as n, sum(changed) as changed, sum(is_new) as is_new from ${dialect.workTable("decisions")} group by segment, event, reason order by segment, event, reason`,
    params: [],
  });
  const summaries = segments.map(({ segment: { id }, surge, tooOld }): SegmentDecisions => {
    const mine = decided.filter((row) => row["segment"] === id);
    const count = (rows: typeof decided, column: string): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const row of rows) counts[String(row[column])] = (counts[String(row[column])] ?? 0) + Number(row["n"]);
      return counts;
    };
    const state = staged.get(id);
    return {
      segment: id,
      returned: state?.returned ?? null,
      dropped: {
        ...count(
          dropped.filter((row) => row["segment"] === id),
          "dropped",
        ),
        ...count(
          mine.filter((row) => row["event"] === "none"),
          "reason",
        ),
      },
      reasons: count(
        mine.filter((row) => row["event"] !== "none"),
        "reason",
      ),
      offered: mine.reduce((sum, row) => sum + Number(row["is_new"]), 0),
      surge,
      problem: state?.problem ?? (surge === null ? null : surgeProblem(id, surge)),
      tooOld,
      ms: state?.ms ?? 0,
    };
  });
  return { summaries, changed: decided.reduce((sum, row) => sum + Number(row["changed"]), 0) };
}

function surgeProblem(segment: string, { offered, limit }: Surge): Problem {
  return {
    code: "run/surge",
    message: `Segment ${segment} offers ${offered.toLocaleString("en")} candidates, more than the ${limit.toLocaleString("en")} that policy.surge allows: they wait.`,
    hint: `If that is right, let them go with \`opportune run --approve ${segment}\`; otherwise correct the segment.`,
  };
}

function segmentRun({ segment, activation, queried, surge }: ArbitratedSegment, summaries: readonly SegmentDecisions[]): SegmentRun {
  const summary = summaries.find((s) => s.segment === segment.id);
  return {
    segment: segment.id,
    segment_version: segment.version,
    ...stored(activation),
    succeeded: queried ? 1 : 0,
    returned: summary?.returned ?? null,
    dropped: JSON.stringify(summary?.dropped ?? {}),
    decisions: JSON.stringify(summary?.reasons ?? {}),
    offered: surge === null ? (summary?.offered ?? null) : null,
    duration_ms: Math.round(summary?.ms ?? 0),
    error: summary?.problem?.message ?? null,
  };
}

function stored(activation: Activation): { shape: string; activated_at: string | null; steps: string } {
  return { shape: activation.shape, activated_at: activation.activatedAt, steps: JSON.stringify(activation.steps) };
}
