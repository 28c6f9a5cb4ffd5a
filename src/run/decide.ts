import { activate, type Activation, type ActiveStep } from "../arbitration/activation.js";
import { arbitrationStatements } from "../arbitration/arbitrate.js";
import { arbitrate, asked, stopsOf } from "../arbitration/ask.js";
import { audiencesAsked, type ArbitratedSegment, type Arbitration } from "../arbitration/constants.js";
import { hasNewQuery, renamedSegments } from "../arbitration/renamed.js";
import { LEAST_RUNS, SURGE_LOOK_BACK_MS, surgeOf, type Surge } from "../arbitration/surge.js";
import { zoneHours } from "../arbitration/zones.js";
import { instant } from "../core/clock.js";
import type { Problem } from "../core/errors.js";
import type { Facts } from "../ledger/facts.js";
import { appendDecisions, type SegmentRun, type SentTemplate } from "../ledger/events/append.js";
import type { Pause } from "../ledger/pauses.js";
import { endRemoved, removedSegments } from "../ledger/events/removed.js";
import { otherSegmentRuns, usualOffers, type PreviousSegmentRun } from "../ledger/runs/segment-runs.js";
import type { HeldLedger } from "../ledger/lease/held-ledger.js";
import type { Ledger } from "../ledger/ledger.js";
import { treatments } from "../project/build/treatments.js";
import type { Project, Segment, Source } from "../project/types.js";
import { freshness, unreadableSource } from "../segments/freshness.js";
import { plannedProject } from "../segments/plan.js";
import { compileProject, numberColumns, stageAudiences, stageSegments, type CompiledProject, type OnStep, type Staged } from "../segments/stage.js";
import type { NumberColumns, TemplateCatalog } from "../segments/types.js";
import { NOTHING_STAGED, readStaged, unsharedAudiences, type StagedRows } from "./staged.js";
import { workTables } from "../warehouse/sql.js";
import type { Row, Statement } from "../warehouse/types.js";

export interface DecideOptions {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  trial: boolean;
  /** Segments of this run, in id order. */
  segments: readonly Segment[];
  /** Of every segment that is due: what waits in segments without a file ends. */
  whole: boolean;
  /** Ids of those whose baseline is lifted. */
  backfill: ReadonlySet<string>;
  /** Ids of those that may offer far more than usual. */
  approved: ReadonlySet<string>;
  /** The ledger in the hands of this run; null: decide, but append nothing. */
  held: HeldLedger | null;
  /** As they stood when the run began. */
  facts: Facts;
  templates: TemplateCatalog;
  /** A user of whose candidates every reason that stops them is asked for too. */
  stopsOf?: string;
  onStep: OnStep;
  /** The statements of a query or of arbitration before they run, for the compiled artefacts; `secrets` are parameters that nobody may be shown. */
  onStatement: (name: string, statements: readonly Statement[], secrets: readonly string[]) => void;
}

export interface SegmentDecisions {
  segment: string;
  /** The ledger has no run of it in which its query worked: those who qualify already are baseline. */
  first: boolean;
  /** Rows that the query returned; null if it failed. */
  returned: number | null;
  /** Rows that made no candidate, by why. */
  dropped: Record<string, number>;
  /** Decisions by reason, unchanged answers included. */
  reasons: Record<string, number>;
  /** Candidates that wait for a paused channel, by its name. */
  channelPaused: Record<string, number>;
  /** Candidates that no run had offered before, or that waited for approval. */
  offered: number;
  /** Set: held back, as it offers far more than usual. */
  surge: Surge | null;
  problem: Problem | null;
  /** Everything waits: a source is older than its `stale_after`, or can't be read. */
  tooOld: boolean;
  ms: number;
  /** What its query read; null where the warehouse doesn't say. */
  bytes: number | null;
}

export interface Decisions {
  segments: SegmentDecisions[];
  failedAudiences: { audience: string; problem: Problem }[];
  /** Every audience asked, with the duration of its query, ms, and what it read, where the warehouse says. */
  audiences: { audience: string; ms: number; bytes: number | null }[];
  /** In a dry run: audiences not one of whose users is in a row of any segment, though there are many of both. */
  unsharedAudiences: string[];
  /** Time zones in the rows that don't exist; the project's was used. */
  unknownZones: string[];
  /** From the first audience's query to the last segment's, ms. */
  stagingMs: number;
  /** Duration of arbitration, ms. */
  arbitrationMs: number;
  /** Rows appended to the ledger (in a dry run: that would have been). */
  changed: number;
  numbers: NumberColumns;
  /** See `stopsOf`. */
  stops: Row[];
}

/** From SQL files to decisions in the ledger: compiles, stages and arbitrates. A segment or audience with a mistake fails alone. */
export async function decide(project: Project, ledger: Ledger, options: DecideOptions): Promise<Decisions> {
  const { warehouse, now } = ledger;
  const { segments, held } = options;
  const { compiled, audiences, previous } = await compileAll(project, ledger, options);
  const stagingStarted = now();
  const stagedAudiences = await stageAudiences(compiled, audiences, warehouse, now, options.onStep);
  const stagedSegments = await stageSegments(compiled, segments, warehouse, now, options.onStep);
  const stagingMs = now() - stagingStarted;

  const rows = await readStaged(project, warehouse, compiled);
  let arbitration = gather(project, { ...options, previous }, compiled, stagedAudiences, stagedSegments, rows);
  const started = now();
  const { afterFilling } = warehouse.dialect;
  let decided = await arbitrate(arbitration, warehouse, options, [...afterFilling("audience_members"), ...afterFilling("segment_rows")]);
  const unreadable = (segment: Segment): Problem | null => unreadableSource(sourcesOf(segment, project, compiled), rows.newest);
  let summaries = summarise(arbitration.segments, stagedSegments, rows, decided, unreadable);
  const surges = await surging(project, ledger, options, summaries);
  if (surges.size > 0) {
    // Rare, and then worth the second pass: those held back must not stand in the way of others.
    arbitration = { ...arbitration, segments: arbitration.segments.map((s) => ({ ...s, surge: surges.get(s.segment.id) ?? null })) };
    decided = await arbitrate(arbitration, warehouse, options, [`delete from ${warehouse.dialect.workTable("decisions")} where true`]);
    summaries = summarise(arbitration.segments, stagedSegments, rows, decided, unreadable);
  }
  const arbitrationMs = now() - started;
  if (held !== null) {
    await appendDecisions(held, options, {
      rows: total(decided, "row_total"),
      changed: total(decided, "changed"),
      segmentRuns: arbitration.segments.map((s) => segmentRun(s, summaries)),
      templates: newTemplates(summaries, options),
    });
    await endWaits(project, held, options, summaries);
  }
  return {
    segments: summaries,
    audiences: [...stagedAudiences].map(([audience, { ms, bytes }]) => ({ audience, ms, bytes })),
    failedAudiences: [...stagedAudiences].flatMap(([audience, { problem }]) => (problem === null ? [] : [{ audience, problem }])),
    unsharedAudiences: held === null ? await unsharedAudiences(warehouse) : [],
    unknownZones: arbitration.zones.filter((zone) => !zone.known).map((zone) => zone.zone),
    stagingMs,
    arbitrationMs,
    changed: total(decided, "changed"),
    numbers: numberColumns(compiled),
    stops: options.stopsOf === undefined ? [] : await stopsOf(options.stopsOf, arbitration, warehouse, options.templates),
  };
}

/** Ends what waits in segments that were removed. Not while a file looks renamed: it may be one of them. */
async function endWaits(project: Project, ledger: HeldLedger, options: DecideOptions, summaries: readonly SegmentDecisions[]): Promise<void> {
  const { facts, whole, asOf } = options;
  if (!whole || summaries.some(({ problem }) => problem?.code === "segment/renamed")) return;
  const removed = removedSegments(facts.previous, new Set(project.segments.keys()), asOf);
  if (removed.length > 0) await endRemoved(ledger, removed, options);
}

/** What `compile` asks for: the same statements, none of them run. */
export type CompileOptions = Pick<DecideOptions, "asOf" | "trial" | "segments" | "backfill" | "templates" | "facts" | "onStatement"> & {
  /** Audiences to compile although no segment uses them. */
  audiences?: readonly string[];
};

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
async function compileAll(project: Project, ledger: Ledger, options: CompileOptions): Promise<CompiledRun> {
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

function total(rows: readonly Row[], column: string): number {
  return rows.reduce((sum, row) => sum + Number(row[column]), 0);
}

/** The segments that offer far more than they usually do, and that nobody approved. */
async function surging(
  project: Project,
  ledger: Ledger,
  { asOf, trial, approved, backfill }: DecideOptions,
  summaries: readonly SegmentDecisions[],
): Promise<Map<string, Surge>> {
  const surges = new Map<string, Surge>();
  // Without many candidates nothing surges: the question costs a statement.
  const { surge } = project.policy;
  if (surge === null) return surges;
  const many = summaries.filter(({ segment, offered }) => offered > surge.atLeast && !approved.has(segment) && !backfill.has(segment));
  if (many.length === 0) return surges;
  const asked = many.map(({ segment }) => segment);
  const usual = await usualOffers(ledger, trial, asked, { since: instant(Date.parse(asOf) - SURGE_LOOK_BACK_MS) });
  const seldom = asked.filter((segment) => (usual.get(segment)?.runs ?? 0) < LEAST_RUNS);
  const last = seldom.length === 0 ? usual : await usualOffers(ledger, trial, seldom, { last: LEAST_RUNS });
  for (const { segment, offered } of many) {
    const found = surgeOf(surge, seldom.includes(segment) ? last.get(segment) : usual.get(segment), offered);
    if (found !== null) surges.set(segment, found);
  }
  return surges;
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
function gather(
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
function sourcesOf(segment: Segment, project: Project, compiled: CompiledProject): Source[] {
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

function summarise(
  segments: readonly ArbitratedSegment[],
  staged: ReadonlyMap<string, Staged>,
  rows: StagedRows,
  decided: readonly Row[],
  unreadable: (segment: Segment) => Problem | null,
): SegmentDecisions[] {
  return segments.map(({ segment, previous, surge, tooOld }): SegmentDecisions => {
    const { id } = segment;
    const mine = decided.filter((row) => row["segment"] === id);
    const by = (column: "reason" | "paused_channel", those: readonly Row[]): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const row of those) counts[String(row[column])] = (counts[String(row[column])] ?? 0) + Number(row["n"]);
      return counts;
    };
    const state = staged.get(id);
    return {
      segment: id,
      first: previous === undefined,
      returned: state?.returned ?? null,
      dropped: {
        ...rows.dropped.get(id),
        ...by(
          "reason",
          mine.filter((row) => row["event"] === "none"),
        ),
      },
      reasons: by(
        "reason",
        mine.filter((row) => row["event"] !== "none"),
      ),
      channelPaused: by(
        "paused_channel",
        mine.filter((row) => row["paused_channel"] !== null),
      ),
      offered: mine.reduce((sum, row) => sum + Number(row["is_new"]), 0),
      surge,
      problem: state?.problem ?? (surge === null ? unreadable(segment) : surgeProblem(id, surge)),
      tooOld,
      ms: state?.ms ?? 0,
      bytes: state?.bytes ?? null,
    };
  });
}

function surgeProblem(segment: string, { offered, limit, young }: Surge): Problem {
  return {
    code: "run/surge",
    message: `Segment ${segment} offers ${offered.toLocaleString("en")} candidates, more than the ${limit.toLocaleString("en")} that policy.surge allows${young ? ` until ${String(LEAST_RUNS)} runs of it are known` : ""}: they wait.`,
    hint: `If that is right, let them go with \`opportune run --approve ${segment}\`; otherwise correct the segment.`,
  };
}

/** The templates of segments that claimed something, as far as the ledger hasn't their text yet. */
function newTemplates(summaries: readonly SegmentDecisions[], { segments, facts, templates }: DecideOptions): SentTemplate[] {
  const claiming = segments.filter(({ id }) => summaries.some(({ segment, reasons }) => segment === id && (reasons["claimed"] ?? 0) > 0));
  const used = new Map(claiming.flatMap((segment) => treatments(segment).map(({ template }) => [templates.versionOf(template), template] as const)));
  return [...used].filter(([version]) => !facts.templates.has(version)).map(([version, template]) => ({ version, text: templates.sourceOf(template) }));
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
    bytes_scanned: summary?.bytes ?? null,
    duration_ms: Math.round(summary?.ms ?? 0),
    error: summary?.problem?.message ?? null,
  };
}

function stored(activation: Activation): { shape: string; activated_at: string | null; steps: string } {
  return { shape: activation.shape, activated_at: activation.activatedAt, steps: JSON.stringify(activation.steps) };
}
