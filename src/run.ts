import { randomBytes } from "node:crypto";
import { messageOf, readClaims, type Claim } from "./claims.js";
import { instant } from "./core/clock.js";
import { OpportuneError, type Problem } from "./core/errors.js";
import { decide, type DecideOptions, type Decisions } from "./decide.js";
import { deliverClaims, type DeliveryProgress, type DeliveryResult } from "./delivery/deliver.js";
import { openLanes } from "./delivery/lanes.js";
import type { DeliveryEvent, PauseState } from "./delivery/types.js";
import { LEASE_MS, Ledger, type ClaimEvent } from "./ledger/ledger.js";
import type { Project, Segment } from "./project/types.js";
import { loadRenderer, type Renderer } from "./render/renderer.js";
import { VERSION } from "./version.js";
import type { Warehouse } from "./warehouse/types.js";

/** Claims read, rendered and marked `sending` together: the most that a crash leaves in doubt is two of these. */
const BATCH = 2_500;
/** The lease's last part is kept free, so that a request under way ends before another run may begin, ms. */
const LEASE_MARGIN_MS = 120_000;

export interface RunOptions extends Pick<DecideOptions, "onStep" | "onStatement"> {
  segments: readonly Segment[];
  backfill: ReadonlySet<string>;
  dryRun: boolean;
  /** ISO 8601 UTC, given on the command line: decide as of then, and deliver to sandbox or outbox alone. */
  asOf: string | null;
  /** Wall clock, ms since 1970 UTC. */
  now: () => number;
  /** Ends the run early: what is under way is finished, the rest is released. */
  stop?: AbortSignal;
  onProgress: (progress: DeliveryProgress) => void;
  /** Once, when the decisions stand. */
  onDecided: (decisions: Decisions) => void;
}

export interface RunResult {
  runId: string;
  /** ISO 8601 UTC. */
  asOf: string;
  dryRun: boolean;
  /** What an earlier run had left behind. */
  recovered: { released: number; inDoubt: number };
  decisions: Decisions;
  /** Null in a dry run. */
  delivery: DeliveryResult | null;
  /** Dry run: claims that the renderer finds invalid, by reason. */
  unrenderable: Record<string, number>;
  /** What failed and was handled: the exit code is 1 if there is any. */
  problems: Problem[];
  /** From the first claim read to the last outcome written. */
  deliveryMs: number;
  ms: number;
}

/** One run: take the lease, recover, decide, deliver, record. */
export async function run(project: Project, warehouse: Warehouse, options: RunOptions): Promise<RunResult> {
  const { now, dryRun } = options;
  const started = now();
  const renderer = loadRenderer(project);
  const ledger = await Ledger.open(warehouse, project.target.schema, now, dryRun ? "read" : "lease");
  try {
    const asOf = options.asOf ?? instant(started);
    await refuseEarlier(ledger, asOf);
    const recovered = dryRun ? { released: 0, inDoubt: 0 } : await ledger.recover(now());
    const run = { runId: runIdOf(asOf), asOf };
    if (!dryRun) await ledger.recordRunStart({ ...run, version: VERSION }, now());
    const decisions = await decideOrRecord(project, warehouse, ledger, renderer, run, options);
    options.onDecided(decisions);
    const deliveryStarted = now();
    const delivery = dryRun ? null : await deliver(project, warehouse, ledger, renderer, run, options);
    const deliveryMs = now() - deliveryStarted;
    const unrenderable = dryRun ? await renderAll(project, warehouse, renderer, run) : {};
    const problems = problemsOf(decisions, delivery);
    const result: RunResult = { ...run, dryRun, recovered, decisions, delivery, unrenderable, problems, deliveryMs, ms: now() - started };
    if (!dryRun) await ledger.recordRunEnd(run.runId, runEnd(result), now());
    return result;
  } finally {
    if (!dryRun) await ledger.release();
  }
}

/** Sorts by time and tells runs of one instant apart. */
function runIdOf(asOf: string): string {
  return `${asOf.slice(0, 19).replaceAll(/[-:]/g, "")}Z_${randomBytes(4).toString("hex")}`;
}

async function refuseEarlier(ledger: Ledger, asOf: string): Promise<void> {
  const last = await ledger.lastAsOf();
  if (last === null || Date.parse(last) <= Date.parse(asOf)) return;
  throw new OpportuneError({
    code: "run/as-of",
    message: `The ledger knows a run as of ${last}; this one would be as of ${asOf}, earlier than that.`,
    hint: "Check this machine's clock. To look at an earlier time, use a copy of the ledger: another `schema` of a target.",
  });
}

/** A run that fails before anything is claimed is closed as failed, so that the next one has nothing to recover. */
async function decideOrRecord(
  project: Project,
  warehouse: Warehouse,
  ledger: Ledger,
  renderer: Renderer,
  run: { runId: string; asOf: string },
  options: RunOptions,
): Promise<Decisions> {
  try {
    return await decide(project, warehouse, ledger, { ...options, ...run, templates: renderer });
  } catch (error) {
    const counts = { candidates: 0, claimed: 0, accepted: 0, failed: 0, in_doubt: 0, released: 0, duration_ms: 0 };
    if (!options.dryRun)
      await ledger
        .recordRunEnd(run.runId, { status: "error", ...counts, error: error instanceof Error ? error.message : String(error) }, options.now())
        .catch(() => undefined);
    throw error;
  }
}

async function deliver(
  project: Project,
  warehouse: Warehouse,
  ledger: Ledger,
  renderer: Renderer,
  run: { runId: string; asOf: string },
  options: RunOptions,
): Promise<DeliveryResult> {
  const { now } = options;
  const lanes = await openLanes(project, options.asOf !== null, now);
  // In a replay the windows of as_of's day count, so that what it would have sent in time is not too late today.
  const offset = options.asOf === null ? 0 : Date.parse(options.asOf) - now();
  const clock = (): number => now() + offset;
  let leased = now();
  try {
    return await deliverClaims(
      readClaims(project, warehouse, BATCH),
      {
        render: (claim) => messageOf(claim, project, renderer, run),
        lane: (message) => lanes.laneOf(message),
        append: async (events) => {
          const at = now();
          await ledger.appendEvents(
            run,
            events.map((event) => toLedger(event, offset)),
            at,
          );
          leased = at;
        },
        paused: async () => pauseState(project, await ledger.pauses()),
        now: clock,
      },
      {
        sendUntil: () => leased + offset + LEASE_MS - LEASE_MARGIN_MS,
        onProgress: options.onProgress,
        ...(options.stop === undefined ? {} : { stop: options.stop }),
      },
    );
  } finally {
    await lanes.close();
  }
}

/** `offset` is how far the delivery's clock is ahead of the wall's, which the ledger records. */
function toLedger(event: DeliveryEvent<Claim>, offset: number): ClaimEvent {
  const failure = event.event === "sending" || event.event === "accepted" ? null : event;
  return {
    messageId: event.claim.messageId,
    event: event.event,
    at: event.at - offset,
    reason: failure === null ? event.event : failure.event === "in_doubt" ? "no_answer" : failure.reason,
    detail: failure === null ? null : JSON.stringify({ because: failure.detail }),
    providerId: event.event === "accepted" ? event.providerId : null,
  };
}

function pauseState(project: Project, pauses: Awaited<ReturnType<Ledger["pauses"]>>): PauseState {
  const named = (scope: string): Set<string> => new Set(pauses.filter((pause) => pause.scope === scope).map((pause) => pause.name));
  return { project: named("project").size > 0, segments: named("segment"), channels: named("channel") };
}

/** A dry run proves that what it would send can be rendered. */
async function renderAll(project: Project, warehouse: Warehouse, renderer: Renderer, run: { runId: string; asOf: string }): Promise<Record<string, number>> {
  const invalid: Record<string, number> = {};
  for await (const claims of readClaims(project, warehouse, BATCH)) {
    for (const claim of claims) {
      const message = messageOf(claim, project, renderer, run);
      if ("invalid" in message) invalid[message.invalid] = (invalid[message.invalid] ?? 0) + 1;
    }
  }
  return invalid;
}

function problemsOf(decisions: Decisions, delivery: DeliveryResult | null): Problem[] {
  return [
    ...decisions.failedAudiences.map(({ problem }) => problem),
    ...decisions.segments.flatMap(({ problem }) => (problem === null ? [] : [problem])),
    ...[...(delivery?.stoppedChannels ?? [])].map(([channel, reason]) => ({
      code: "delivery/channel-stopped",
      message: `Channel ${channel} was refused by its provider and stopped: ${reason}`,
      hint: "Its untouched claims were released and are decided again in the next run. Check the channel's api_key and sender.",
    })),
  ];
}

function runEnd({ decisions, delivery, problems, ms }: RunResult): Parameters<Ledger["recordRunEnd"]>[1] {
  const total = (reasons: Record<string, number>): number => Object.values(reasons).reduce((sum, n) => sum + n, 0);
  const { counts } = delivery ?? { counts: null };
  return {
    status: problems.length === 0 ? "success" : "error",
    candidates: decisions.segments.reduce((sum, segment) => sum + total(segment.reasons), 0),
    claimed: decisions.segments.reduce((sum, segment) => sum + (segment.reasons["claimed"] ?? 0), 0),
    accepted: counts?.accepted ?? 0,
    failed: (counts?.failed.rejected ?? 0) + (counts?.failed.invalid ?? 0),
    in_doubt: counts?.inDoubt ?? 0,
    released: total(counts?.released ?? {}),
    duration_ms: Math.round(ms),
    error: problems.length === 0 ? null : problems.map((problem) => problem.message).join("; "),
  };
}
