/** JSON lines for machines. Only the fields below are ever logged, and each text is searched for keys and addresses first. */
import { pino, type DestinationStream } from "pino";
import { instant } from "../core/clock.js";
import { COMMONEST, short, type Failures } from "../core/failures.js";
import { problemsOf, type Problem } from "../core/errors.js";
import { scrub } from "../core/redact.js";
import type { RunResult } from "../run/types.js";
import type { SchedulerEvent } from "./scheduler.js";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything that a line may hold beside its time, level, event and message. */
export interface LogFields {
  run_id?: string;
  /** ISO 8601 UTC. */
  as_of?: string;
  segments?: readonly string[];
  /** A step of the run. */
  step?: string;
  name?: string;
  rows?: number;
  duration_ms?: number;
  candidates?: number;
  claimed?: number;
  accepted?: number;
  failed?: number;
  in_doubt?: number;
  released?: number;
  /** Why messages failed: the commonest reasons. */
  reasons?: readonly Failures[];
  /** Messages in doubt that nobody has settled, of all runs so far. */
  standing_doubts?: number;
  lag_p50_ms?: number;
  lag_p95_ms?: number;
  problems?: readonly Problem[];
  alert?: string;
  state?: string;
  until?: string;
  url?: string;
  version?: string;
  /** Whatever was thrown. */
  error?: unknown;
}

export type Log = Record<LogLevel, (event: string, message: string, fields?: LogFields) => void>;

/** Should a field of this name ever get into a line, by whatever way, it shows nothing. */
const NEVER_SHOWN = [
  "authorization",
  "Authorization",
  "apiKey",
  "api_key",
  "key",
  "password",
  "token",
  "secret",
  "headers",
  "config",
  "request",
  "address",
  "email",
  "phone",
  "to",
];

/**
 * Lines go to `destination`, one JSON object each. `secrets` gives the values that no text may show; it is asked for every
 * line, as a project that is read anew may have others.
 */
export function createLog(level: LogLevel, destination: DestinationStream, secrets: () => readonly string[]): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: NEVER_SHOWN.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[redacted]" },
    },
    destination,
  );
  const write =
    (at: LogLevel): Log[LogLevel] =>
    (event, message, fields = {}) => {
      const clean = (text: string): string => scrub(text, secrets());
      logger[at]({ event, ...cleaned(fields, clean) }, clean(message));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** The known fields alone: whatever hangs on an error or a problem beside them stays out. */
function cleaned(fields: LogFields, clean: (text: string) => string): Record<string, unknown> {
  const { error, problems = error === undefined ? undefined : problemsOf(error), segments, reasons, ...plain } = fields;
  return {
    ...Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, typeof value === "string" ? clean(value) : value])),
    ...(segments === undefined ? {} : { segments }),
    ...(reasons === undefined ? {} : { reasons: reasons.map((each) => ({ ...each, reason: clean(short(each.reason)) })) }),
    ...(problems === undefined ? {} : { problems: problems.map((problem) => cleanProblem(problem, clean)) }),
  };
}

/** A problem without anybody's data, for logs and for /readyz. */
export function cleanProblem({ code, message, hint, file, line }: Problem, clean: (text: string) => string): Problem {
  return {
    code,
    message: clean(message),
    ...(hint === undefined ? {} : { hint: clean(hint) }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}

/** Reasons to break off that are nobody's mistake. */
const QUIET = ["ledger/lease", "run/stopped"];

/** Logs what the scheduler does. */
export function logEvent(log: Log, event: SchedulerEvent): void {
  switch (event.event) {
    case "nothing_due":
      return log.debug(event.event, "No segment is due.");
    case "merged":
      return log.info(event.event, "A run is under way: one run after it stands for this tick too.");
    case "clock_back":
      return log.warn(event.event, `The clock stands at ${instant(event.at)}, before the last run: nothing runs until it has passed that.`, {
        until: instant(event.until),
      });
    case "project_invalid":
      return log.error(event.event, "The project is not valid: nothing runs until it is.", { problems: event.problems });
    case "remembered":
      return log.debug(event.event, "Read from the ledger when each segment was last asked.");
    case "run_started":
      return log.info(event.event, "A run begins.", { segments: event.segments });
    case "run_ended":
      return log[event.result.problems.length === 0 ? "info" : "error"](event.event, "The run is over.", resultFields(event.result));
    case "run_failed":
      return log[event.problems.every(({ code }) => QUIET.includes(code)) ? "warn" : "error"](event.event, "The run broke off.", { problems: event.problems });
  }
}

function resultFields(result: RunResult): LogFields {
  const { runId, asOf, ms, decisions, delivery, doubts, problems } = result;
  const sum = (of: (reasons: Readonly<Record<string, number>>) => number): number => decisions.segments.reduce((n, { reasons }) => n + of(reasons), 0);
  return {
    run_id: runId,
    as_of: asOf,
    duration_ms: Math.round(ms),
    candidates: sum((reasons) => Object.values(reasons).reduce((n, one) => n + one, 0)),
    claimed: sum((reasons) => reasons["claimed"] ?? 0),
    ...(delivery === null
      ? {}
      : {
          accepted: delivery.counts.accepted,
          failed: delivery.counts.failed.rejected + delivery.counts.failed.invalid,
          in_doubt: delivery.counts.inDoubt,
          released: Object.values(delivery.counts.released).reduce((n, one) => n + one, 0),
          ...(delivery.reasons.length === 0 ? {} : { reasons: delivery.reasons.slice(0, COMMONEST) }),
          ...(delivery.lag.count === 0 ? {} : { lag_p50_ms: Math.round(delivery.lag.p50), lag_p95_ms: Math.round(delivery.lag.p95) }),
        }),
    ...(doubts.length === 0 ? {} : { standing_doubts: doubts.reduce((n, { messages }) => n + messages, 0) }),
    ...(problems.length === 0 ? {} : { problems }),
  };
}
