/** How a run ended: its problems, and its row in the ledger. */
import { REASONS } from "../arbitration/reasons.js";
import type { Problem } from "../core/errors.js";
import { pausedProblem, segmentInvalidProblem, stoppedProblem } from "../delivery/failures.js";
import type { StandingPause } from "../ledger/pauses.js";
import type { RunEnd } from "../ledger/runs/record.js";
import type { RunResult } from "./types.js";

/** What failed and was handled. `pausedUntil`: until when each channel stands still that stopped, ISO 8601 UTC. */
export function runProblems(
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

/** What the ledger keeps of a run. */
export function runEnd({ decisions, delivery, problems, ms }: Omit<RunResult, "usage" | "doubts">): RunEnd {
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
