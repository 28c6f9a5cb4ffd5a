/** How `start` tells what it does: JSON lines, or the lines that `run` prints. */
import { hostClock, instant } from "../../core/clock.js";
import { formatDuration } from "../../core/durations.js";
import type { Project } from "../../project/types.js";
import { problemLines } from "../../report/error-lines.js";
import type { RunOptions } from "../../run/types.js";
import { logEvent, type Log } from "../../schedule/log.js";
import type { SchedulerEvent } from "../../schedule/scheduler.js";
import { VERSION } from "../../version.js";
import { conclude, narrated } from "../run.js";
import type { Terminal } from "../shared/terminal.js";

export interface Teller {
  started(project: Project, url: string): void;
  on(event: SchedulerEvent, project: Project): void;
  /** A run's callbacks; afresh for each. */
  duringRun(): Pick<RunOptions, "onStep" | "onDecided" | "onProgress" | "onStatement">;
  warn(event: string, message: string): void;
  stopped(): void;
}

const nothing = (): undefined => undefined;

/** For machines: what goes well with a run's steps is for `debug`, what fails is an error. */
export function jsonTeller(log: Log): Teller {
  return {
    started: (project, url) =>
      log.info("started", `Serving ${url}/healthz, /readyz and /metrics; a tick every ${formatDuration(project.intervalSeconds)}.`, { url, version: VERSION }),
    on: (event) => logEvent(log, event),
    duringRun: () => ({
      onStep(step) {
        if (step.state === "start") return;
        const fields = { step: step.kind, name: step.name, duration_ms: Math.round(step.ms ?? 0), ...(step.rows === undefined ? {} : { rows: step.rows }) };
        if (step.problem === undefined) log.debug("step", "A query is done.", fields);
        else log.error("step", "A query failed.", { ...fields, problems: [step.problem] });
      },
      onDecided: ({ changed, arbitrationMs }) =>
        log.debug("decided", "The decisions stand in the ledger.", { rows: changed, duration_ms: Math.round(arbitrationMs) }),
      onProgress: nothing,
      onStatement: nothing,
    }),
    warn: (event, message) => log.warn(event, message),
    stopped: () => log.info("stopped", "Stopped; nothing is under way."),
  };
}

/** For people at a terminal. */
export function textTeller(terminal: Terminal): Teller {
  return {
    started: (project, url) =>
      terminal.note(
        `${project.name} on ${project.target.name}: a tick every ${formatDuration(project.intervalSeconds)}. ${url}/healthz, /readyz, /metrics. Ctrl-C ends it.`,
      ),
    on(event, project) {
      switch (event.event) {
        case "run_started":
          return terminal.note(`\n${now()} A run of ${event.segments.join(", ")}.`);
        case "run_ended":
          return conclude(terminal, event.result, project, false);
        case "run_failed":
        case "project_invalid":
          return problemLines(event.problems, terminal.errPaint).forEach((line) => terminal.warn(line));
        case "clock_back":
          return terminal.warn(`${now()} The clock stands before the last run: nothing runs until it has passed ${instant(event.until)}.`);
        case "merged":
        case "nothing_due":
        case "remembered":
      }
    },
    duringRun: () => ({ ...narrated(terminal), onStatement: nothing }),
    warn: (_event, message) => terminal.warn(message),
    stopped: () => terminal.note("Stopped."),
  };
}

function now(): string {
  return instant(hostClock());
}
