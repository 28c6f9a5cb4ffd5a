import { randomBytes } from "node:crypto";
import { instant } from "../core/clock.js";
import { OpportuneError, problemsOf, wordsOf, type Problem } from "../core/errors.js";
import { targetOption } from "../core/failures.js";
import type { DeliveryResult } from "../delivery/deliver.js";
import { failedDeliveries } from "../delivery/failures.js";
import { ledgerFacts, type Facts } from "../ledger/facts.js";
import { refuseCopies } from "../ledger/install/home.js";
import { HeldLedger } from "../ledger/lease/held-ledger.js";
import { Ledger } from "../ledger/ledger.js";
import { recover, type Recovered } from "../ledger/recovery/recover.js";
import { standingDoubts, type StandingDoubts } from "../ledger/recovery/standing-doubts.js";
import { refuseSkew, runAhead } from "../ledger/runs/clock.js";
import { recordFailure, recordRunEnd, recordRunStart, type RunKey } from "../ledger/runs/record.js";
import { isTrial } from "../ledger/trial.js";
import { treatments } from "../project/build/treatments.js";
import type { Project } from "../project/types.js";
import { loadRenderer } from "../render/renderer.js";
import { VERSION } from "../version.js";
import { workTables } from "../warehouse/sql.js";
import type { Usage, Warehouse } from "../warehouse/types.js";
import { decide } from "./decide.js";
import { runEnd, runProblems } from "./end.js";
import { deliver, pauseStopped, placeOf, renderAll } from "./send.js";
import type { Decisions, Job, RunOptions, RunResult } from "./types.js";

/** One run: take the lease, recover, decide, deliver, record. @throws OpportuneError before anything is claimed, or when the ledger is lost */
export async function run(project: Project, warehouse: Warehouse, options: RunOptions): Promise<RunResult> {
  const { now, dryRun } = options;
  const started = now();
  const renderer = loadRenderer(project);
  const asOf = options.asOf ?? instant(started);
  const trial = isTrial(project.target, options.asOf);
  const about = { runId: runIdOf(asOf), asOf, trial };
  warehouse.label({ project: project.name, run: about.runId });
  const before = { ...warehouse.usage };
  const versions = new Set(options.segments.flatMap((segment) => treatments(segment).map(({ template }) => renderer.versionOf(template))));
  const asked = { asOf, trial, segments: options.segments.map(({ id }) => id), whole: options.whole, templates: [...versions] };
  const ledger = new Ledger(warehouse, project.target.schema, now);
  const held = dryRun ? null : await HeldLedger.take(ledger, { longestAnswerMs: longestAnswerMs(project), asked });
  try {
    const facts = held?.facts ?? (await ledgerFacts(ledger, asked));
    if (!dryRun && !trial) await refuseCopies(ledger, facts.home);
    // A trial as of some time goes by that.
    if (options.asOf === null) refuseSkew(ledger, facts);
    await refuseEarlier(ledger, project.target, facts, about);
    const recovered = held === null || facts.unfinished === 0 ? NOTHING_LEFT : await recover(held, resendChannels(project));
    const work = workTables(ledger.dialect);
    if (held === null) await warehouse.script({ work, statements: [] });
    else await recordRunStart(held, { ...about, version: VERSION }, work);
    const job = { project, ledger, held, facts, renderer, run: about, options };
    const decisions = await decideOrRecord(job);
    undisturbed(() => options.onDecided(decisions));
    const claimed = decisions.segments.some(({ reasons }) => (reasons["claimed"] ?? 0) > 0);
    const deliveryStarted = now();
    const went = { provider: 0, sandbox: 0, outbox: 0 };
    const delivery = held === null ? null : await deliver({ ...job, held }, decisions, claimed, (event) => (went[placeOf(event, project)] += 1));
    const deliveryMs = now() - deliveryStarted;
    const unrenderable = held === null && claimed ? await renderAll(job, decisions) : {};
    const pausedUntil = await pauseStopped(job, delivery);
    const target = targetOption(project.target);
    const failures = delivery === null ? [] : failedDeliveries(delivery, options.strict === true, target);
    const problems = runProblems({ decisions, delivery, failures, pauses: facts.pauses }, pausedUntil, target);
    const done = {
      ...about,
      dryRun,
      ahead: Date.parse(asOf) > started ? asOf : null,
      pauses: facts.pauses,
      recovered,
      decisions,
      delivery,
      went,
      unrenderable,
      failures,
      problems,
      deliveryMs,
      ms: now() - started,
    };
    if (held !== null) await recordRunEnd(held, about.runId, runEnd(done));
    const left = await doubtsLeft(job, delivery);
    return { ...done, doubts: left.doubts, problems: [...problems, ...left.problems], usage: usedSince(before, warehouse.usage) };
  } finally {
    await held?.release();
  }
}

/** A ledger in which no run ever left a doubt is not asked. What went out is recorded by now: a question that fails is one more problem. */
async function doubtsLeft({ ledger, facts, run }: Job, delivery: DeliveryResult | null): Promise<{ doubts: StandingDoubts[]; problems: Problem[] }> {
  const from = facts.doubtedFrom ?? ((delivery?.counts.inDoubt ?? 0) > 0 ? run.asOf : null);
  if (from === null) return { doubts: [], problems: [] };
  try {
    return { doubts: await standingDoubts(ledger, run.trial, from), problems: [] };
  } catch (error) {
    return { doubts: [], problems: [...problemsOf(error)] };
  }
}

/** Claims stand by now: a listener that fails must not keep them from being delivered. */
function undisturbed(tell: () => void): void {
  try {
    tell();
  } catch {
    // Only a line of progress.
  }
}

function usedSince(before: Usage, now: Usage): Usage {
  return { statements: now.statements - before.statements, bytes: now.bytes === null ? null : now.bytes - (before.bytes ?? 0) };
}

const NOTHING_LEFT: Recovered = { released: 0, inDoubt: 0, liveInDoubt: 0 };

/** The longest that a request of any channel may be under way, ms. */
function longestAnswerMs(project: Project): number {
  return Math.max(0, ...[...project.channels.values()].map(({ settings }) => settings.timeoutSeconds * 1000));
}

function resendChannels(project: Project): string[] {
  return [...project.channels.values()].filter(({ settings }) => settings.onDoubt === "resend").map(({ name }) => name);
}

/** Sorts by time and tells runs of one instant apart. */
function runIdOf(asOf: string): string {
  return `${asOf.slice(0, 19).replaceAll(/[-:]/g, "")}Z_${randomBytes(4).toString("hex")}`;
}

async function refuseEarlier(ledger: Ledger, target: Project["target"], facts: Facts, { asOf, trial }: RunKey): Promise<void> {
  const last = await runAhead(ledger, facts, trial, Date.parse(asOf));
  if (last === null) return;
  throw new OpportuneError({
    code: "run/as-of",
    message: `The ledger knows a ${trial ? "" : "live "}run as of ${last.asOf}; this one would be as of ${asOf}, earlier than that.`,
    hint: `Check this machine's clock. If the clock of that run was ahead, take it back: \`opportune ledger forget${targetOption(target)} ${last.runId}\`. To look at an earlier time, use a copy of the ledger: another \`schema\` of a target.`,
  });
}

/** A run that fails before anything is claimed is closed as failed, so that the next one has nothing to recover. */
async function decideOrRecord({ project, ledger, held, facts, renderer, run, options }: Job): Promise<Decisions> {
  try {
    return await decide(project, ledger, { ...options, ...run, held, facts, templates: renderer });
  } catch (error) {
    if (held !== null) await recordFailure(held, run, wordsOf(error)).catch(() => undefined);
    throw error;
  }
}
