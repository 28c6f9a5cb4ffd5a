import { arbitrate, stopsOf } from "../arbitration/ask.js";
import { LEAST_RUNS, SURGE_LOOK_BACK_MS, surgeOf, type Surge } from "../arbitration/surge.js";
import { instant } from "../core/clock.js";
import type { Problem } from "../core/errors.js";
import { appendDecisions } from "../ledger/events/append.js";
import { endRemoved, removedSegments } from "../ledger/events/removed.js";
import type { HeldLedger } from "../ledger/lease/held-ledger.js";
import type { Ledger } from "../ledger/ledger.js";
import { usualOffers } from "../ledger/runs/segment-runs.js";
import type { Project, Segment } from "../project/types.js";
import { unreadableSource } from "../segments/freshness.js";
import { numberColumns, stageAudiences, stageSegments } from "../segments/stage.js";
import { compileAll, gather, sourcesOf } from "./prepare.js";
import { readStaged, unsharedAudiences } from "./staged.js";
import { newTemplates, segmentRun, summarise, total } from "./summary.js";
import type { DecideOptions, Decisions, SegmentDecisions } from "./types.js";

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
    unsharedAudiences: held === null && options.stopsOf === undefined ? await unsharedAudiences(warehouse) : [],
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
