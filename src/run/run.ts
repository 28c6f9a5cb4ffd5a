import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { REASONS } from "../arbitration/reasons.js";
import { messageOf, readClaims, type Claim } from "./claims.js";
import { instant } from "../core/clock.js";
import { OpportuneError, wordsOf, problemsOf, type Problem } from "../core/errors.js";
import { targetOption } from "../core/failures.js";
import { OUTBOX_ID } from "../core/outbox-id.js";
import { decide, type DecideOptions, type Decisions } from "./decide.js";
import { deliverClaims, type DeliveryProgress, type DeliveryResult } from "../delivery/deliver.js";
import { openLanes } from "../delivery/lanes/lanes.js";
import { failedDeliveries, pausedProblem, segmentInvalidProblem, stoppedProblem, type FailedDelivery } from "../delivery/failures.js";
import type { DeliveryEvent, Earlier, PauseState } from "../delivery/types.js";
import { earlierAnswers } from "../ledger/events/answers.js";
import { appendEvents, type ClaimEvent } from "../ledger/events/append.js";
import { ledgerFacts, type Facts } from "../ledger/facts.js";
import { HeldLedger } from "../ledger/lease/held-ledger.js";
import { Ledger } from "../ledger/ledger.js";
import { refuseSkew, runAhead } from "../ledger/runs/clock.js";
import { refuseCopies } from "../ledger/install/home.js";
import { setPause, type Pause, type StandingPause } from "../ledger/pauses.js";
import { isTrial } from "../ledger/trial.js";
import { recover, type Recovered } from "../ledger/recovery/recover.js";
import { standingDoubts, type StandingDoubts } from "../ledger/recovery/standing-doubts.js";
import { recordFailure, recordRunEnd, recordRunStart, type RunEnd, type RunKey } from "../ledger/runs/record.js";
import type { Project, Segment } from "../project/types.js";
import { treatments } from "../project/build/treatments.js";
import { loadRenderer, type Renderer } from "../render/renderer.js";
import { VERSION } from "../version.js";
import { workTables } from "../warehouse/sql.js";
import type { Usage, Warehouse } from "../warehouse/types.js";

/** Claims read and rendered together. */
const BATCH = 2_500;

export interface RunOptions extends Pick<DecideOptions, "onStep" | "onStatement"> {
  segments: readonly Segment[];
  /** Nothing of the project was left out by name: --select, --exclude. */
  whole: boolean;
  backfill: ReadonlySet<string>;
  approved: ReadonlySet<string>;
  dryRun: boolean;
  /** ISO 8601 UTC, given on the command line: decide as of then, and deliver to sandbox or outbox alone. */
  asOf: string | null;
  /** Any message that failed makes the run fail. */
  strict?: boolean;
  /** Wall clock, ms since 1970 UTC. */
  now: () => number;
  /** Resolves after `ms` milliseconds, or as soon as the signal fires. Default: a timer. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the run early: what is under way is finished, the rest is released. */
  stop?: AbortSignal;
  /** Gives up answers that are still awaited: those messages are in doubt. Fire `stop` first. */
  abandon?: AbortSignal;
  onProgress: (progress: DeliveryProgress) => void;
  /** Once, when the decisions stand. */
  onDecided: (decisions: Decisions) => void;
}

/** Where a message went: to the channel's provider, to `opportune sandbox`, or into a file. */
export type Place = "provider" | "sandbox" | "outbox";

export interface RunResult {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  /** A live run reads nothing of what this one wrote. */
  trial: boolean;
  dryRun: boolean;
  /** A dry run as of a time to come: that time, ISO 8601 UTC. */
  ahead: string | null;
  /** What was paused by command, or by a breaker, as the run began. */
  pauses: readonly StandingPause[];
  /** What an earlier run had left behind. */
  recovered: Recovered;
  decisions: Decisions;
  /** Null in a dry run. */
  delivery: DeliveryResult | null;
  /** Accepted messages by where they went. */
  went: Readonly<Record<Place, number>>;
  /** Dry run: claims that the renderer finds invalid, by reason. */
  unrenderable: Record<string, number>;
  /** Channels whose delivery failed without stopping them. */
  failures: readonly FailedDelivery[];
  /** Messages in doubt that nobody has settled, of every run of this kind so far; the oldest first. */
  doubts: readonly StandingDoubts[];
  /** What failed and was handled: the exit code is 1 if there is any. */
  problems: Problem[];
  /** From the first claim read to the last outcome written. */
  deliveryMs: number;
  ms: number;
  /** What the run asked of the warehouse. */
  usage: Usage;
}

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

/** What the parts of a run share. */
interface Job {
  project: Project;
  ledger: Ledger;
  /** The same in the hands of this run; null in a dry run. */
  held: HeldLedger | null;
  facts: Facts;
  renderer: Renderer;
  run: RunKey;
  options: RunOptions;
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

/** `claims`: whether there are any to read. */
async function deliver(
  { project, ledger, held, facts, renderer, run, options }: Job & { held: HeldLedger },
  { numbers }: Decisions,
  claims: boolean,
  onAccepted: (event: DeliveryEvent<Claim> & { event: "accepted" }) => void,
): Promise<DeliveryResult> {
  const { now } = options;
  // A sender whose last runs went well has nothing to ask.
  const earlier: ReadonlyMap<string, Earlier> = claims && facts.troubled ? await earlierAnswers(ledger, run) : new Map();
  // Without claims no channel is opened: the providers' libraries are a tenth of what such a run takes.
  const lanes = await openLanes(claims ? project : { ...project, channels: new Map() }, options.asOf !== null, earlier, now);
  // In a replay the windows of as_of's day count, so that what it would have sent in time is not too late today.
  const offset = options.asOf === null ? 0 : Date.parse(options.asOf) - now();
  const clock = (): number => now() + offset;
  try {
    return await deliverClaims(
      claims ? readClaims(project, ledger.warehouse, BATCH) : Readable.from([]),
      {
        render: (claim) => messageOf(claim, project, renderer, { ...run, numbers, judged: true }),
        lane: (message) => lanes.laneOf(message),
        append: async (events) => {
          for (const event of events) if (event.event === "accepted") onAccepted(event);
          return pauseState(
            await appendEvents(
              held,
              run,
              events.map((event) => toLedger(event, offset)),
            ),
          );
        },
        now: clock,
        ...(options.sleep === undefined ? {} : { sleep: options.sleep }),
      },
      {
        flushAfterMs: ledger.dialect.outcomesWaitMs,
        marks: ledger.dialect.marks,
        sendUntil: () => clock() + held.sendingLeftMs(),
        onProgress: options.onProgress,
        ...(options.stop === undefined ? {} : { stop: options.stop }),
        ...(options.abandon === undefined ? {} : { abandon: options.abandon }),
      },
    );
  } finally {
    await lanes.close();
  }
}

function placeOf({ claim, providerId }: DeliveryEvent<Claim> & { event: "accepted" }, { channels }: Project): Place {
  if (providerId?.startsWith(OUTBOX_ID) === true) return "outbox";
  return channels.get(claim.channel)?.settings.sandbox === true ? "sandbox" : "provider";
}

/** `offset` is how far the delivery's clock is ahead of the wall's, which the ledger records. */
function toLedger(event: DeliveryEvent<Claim>, offset: number): ClaimEvent {
  const failure = event.event === "sending" || event.event === "accepted" ? null : event;
  return {
    messageId: event.claim.messageId,
    place: event.claim.place,
    event: event.event,
    at: event.at - offset,
    reason: failure === null ? event.event : failure.event === "in_doubt" ? "no_answer" : failure.reason,
    detail: failure === null ? null : JSON.stringify({ because: failure.detail }),
    providerId: event.event === "accepted" ? event.providerId : null,
    ...(event.event === "failed" && event.unposted === true ? { unposted: true } : {}),
  };
}

function pauseState(standing: readonly Pause[]): PauseState {
  const named = (scope: string): Set<string> => new Set(standing.filter((pause) => pause.scope === scope).map((pause) => pause.name));
  return { project: named("project").size > 0, segments: named("segment"), channels: named("channel") };
}

/** A dry run proves that what it would send can be rendered. */
async function renderAll({ project, ledger, renderer, run }: Job, { numbers }: Decisions): Promise<Record<string, number>> {
  const invalid: Record<string, number> = {};
  for await (const claims of readClaims(project, ledger.warehouse, BATCH)) {
    for (const claim of claims) {
      const message = messageOf(claim, project, renderer, { ...run, numbers, judged: true });
      if ("invalid" in message) invalid[message.invalid] = (invalid[message.invalid] ?? 0) + 1;
    }
  }
  return invalid;
}

/** Leaves the channels alone that stopped: what they would send waits as `paused`, instead of being claimed and released by each run. */
async function pauseStopped({ ledger, run }: Job, delivery: DeliveryResult | null): Promise<Map<string, string>> {
  const pausedUntil = new Map<string, string>();
  const now = ledger.now();
  const stop = { kind: "breaker", paused: true, trial: run.trial } as const;
  for (const [name, { pauseMs, reason }] of delivery?.stoppedChannels ?? []) {
    await setPause(ledger, { ...stop, scope: "channel", name, until: now + pauseMs, note: reason });
    pausedUntil.set(name, instant(now + pauseMs));
  }
  return pausedUntil;
}

function runProblems(
  { decisions, delivery, failures, pauses }: Pick<RunResult, "decisions" | "delivery" | "failures" | "pauses">,
  pausedUntil: ReadonlyMap<string, string>,
  target: string,
): Problem[] {
  return [
    ...decisions.failedAudiences.map(({ problem }) => problem),
    ...decisions.segments.flatMap(({ problem }) => (problem === null ? [] : [problem])),
    ...[...(delivery?.stoppedChannels ?? [])].map(([channel, stopped]) => stoppedProblem(channel, stopped, pausedUntil.get(channel) ?? "", target)),
    ...byBreakers(pauses).flatMap((pause) => {
      const waiting = decisions.segments.reduce((sum, { channelPaused }) => sum + (channelPaused[pause.name] ?? 0), 0);
      return waiting === 0 ? [] : [pausedProblem(pause.name, pause, waiting, target)];
    }),
    ...failures.map(({ problem }) => problem),
    ...(delivery?.invalidSegments ?? []).map((invalid) => segmentInvalidProblem(invalid, target)),
  ];
}

/** Pauses of channels that a breaker set and nobody by command. */
function byBreakers(pauses: readonly StandingPause[]): StandingPause[] {
  const channels = pauses.filter(({ scope }) => scope === "channel");
  return channels.filter(({ kind, name }) => kind === "breaker" && !channels.some((other) => other.kind === "operator" && other.name === name));
}

/** Reasons by which a guard holds candidates back. */
const GUARDS = REASONS.filter(({ guard }) => guard !== null).map(({ name }) => name);

function runEnd({ decisions, delivery, problems, ms }: Omit<RunResult, "usage" | "doubts">): RunEnd {
  const total = (reasons: Record<string, number>): number => Object.values(reasons).reduce((sum, n) => sum + n, 0);
  const { counts } = delivery ?? { counts: null };
  const lag = delivery === null || delivery.lag.count === 0 ? null : delivery.lag;
  return {
    status: problems.length === 0 ? "success" : "error",
    candidates: decisions.segments.reduce((sum, segment) => sum + total(segment.reasons), 0),
    claimed: decisions.segments.reduce((sum, segment) => sum + (segment.reasons["claimed"] ?? 0), 0),
    accepted: counts?.accepted ?? 0,
    failed: (counts?.failed.rejected ?? 0) + (counts?.failed.invalid ?? 0),
    in_doubt: counts?.inDoubt ?? 0,
    released: total(counts?.released ?? {}),
    held: decisions.segments.reduce((sum, segment) => sum + GUARDS.reduce((n, guard) => n + (segment.reasons[guard] ?? 0), 0), 0),
    lag_p50_ms: lag === null ? null : Math.round(lag.p50),
    lag_p95_ms: lag === null ? null : Math.round(lag.p95),
    duration_ms: Math.round(ms),
    error: problems.length === 0 ? null : problems.map((problem) => problem.message).join("; "),
  };
}
