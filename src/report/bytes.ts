/** What statements read, or would read: in a run, and in a day at the schedule. */
import { formatBytes } from "../core/bytes.js";
import type { RunResult } from "../run/types.js";

/** Seconds from one time that something is asked to the next, at the soonest. */
export interface Period {
  run: number;
  /** By segment id. */
  segments: Readonly<Record<string, number>>;
  /** By name. */
  audiences: Readonly<Record<string, number>>;
}

const DAY_SECONDS = 86_400;

/** Bytes of one day. */
export function daily(bytes: number, periodSeconds: number): number {
  return (bytes * DAY_SECONDS) / periodSeconds;
}

export interface BytesRead {
  segments: number;
  audiences: number;
  /** Arbitration and everything between. */
  rest: number;
  daily: number;
}

/** Null where the warehouse doesn't say. */
export function bytesRead({ usage, decisions }: Pick<RunResult, "usage" | "decisions">, period: Period): BytesRead | null {
  if (usage.bytes === null) return null;
  let [segments, audiences, perDay] = [0, 0, 0];
  for (const { segment, bytes } of decisions.segments) {
    segments += bytes ?? 0;
    perDay += daily(bytes ?? 0, period.segments[segment] ?? period.run);
  }
  for (const { audience, bytes } of decisions.audiences) {
    audiences += bytes ?? 0;
    perDay += daily(bytes ?? 0, period.audiences[audience] ?? period.run);
  }
  const rest = Math.max(0, usage.bytes - segments - audiences);
  return { segments, audiences, rest, daily: perDay + daily(rest, period.run) };
}

/** One line of a run's summary; none where the warehouse doesn't say. */
export function bytesLines(result: RunResult, period: Period): string[] {
  const read = bytesRead(result, period);
  if (read === null) return [];
  const { segments, audiences, rest } = read;
  return [
    `Read ${formatBytes(segments + audiences + rest)}: segments ${formatBytes(segments)}, audiences ${formatBytes(audiences)}, decisions and ledger ${formatBytes(rest)}. At this schedule ${formatBytes(read.daily)} a day.`,
  ];
}
