import { Alerts } from "../../alerts/alerts.js";
import { parseOptionDuration } from "../../core/durations.js";
import { OpportuneError } from "../../core/errors.js";
import { writeOrDrop } from "../../core/output.js";
import { scrub } from "../../core/redact.js";
import { sleep } from "../../delivery/lanes/limits.js";
import { runHistory } from "../../ledger/runs/history.js";
import { Ledger } from "../../ledger/ledger.js";
import { isTrial } from "../../ledger/trial.js";
import { loadProject } from "../../project/build/load.js";
import { secretsOf } from "../../project/build/secrets.js";
import type { Project, Segment } from "../../project/types.js";
import { run } from "../../run/run.js";
import type { RunOptions, RunResult } from "../../run/types.js";
import { startBeats } from "../../schedule/beats.js";
import { cleanProblem, createLog, type LogLevel } from "../../schedule/log.js";
import { createMetrics } from "../../schedule/metrics.js";
import { Scheduler, type SchedulerEvent } from "../../schedule/scheduler.js";
import { startStatusServer } from "../../server/status.js";
import { cancelStatements, openWarehouse } from "../../warehouse/open.js";
import type { Warehouse } from "../../warehouse/types.js";
import { alerted, STOPPED } from "../shared/alerted.js";
import { findProject } from "../shared/context.js";
import { portOf } from "../shared/port.js";
import { listenForSignals } from "../shared/signals.js";
import { jsonTeller, textTeller, type Teller } from "./tellers.js";
import type { GlobalOptions, Terminal } from "../shared/terminal.js";

export interface StartCommandOptions extends GlobalOptions {
  host: string;
  port: string;
  grace: string;
  logFormat?: "json" | "text";
  logLevel: LogLevel;
}

/** Of the grace period, what is left for writing down what is in doubt and closing everything. */
const LAST_PART = 0.2;

/** Runs the job at each tick until SIGINT, SIGTERM or SIGHUP; 0 once everything has ended in good order. */
export async function startCommand(terminal: Terminal, options: StartCommandOptions): Promise<number> {
  const port = portOf(options.port);
  const graceMs = graceOf(options.grace);
  const root = findProject(process.cwd(), options.projectDir);
  const load = (): Project => loadProject(root, { target: options.target, brokenAlone: true });
  /** The last valid one: what is secret, and whom to alert. */
  let project = load();
  const json = (options.logFormat ?? (process.stderr.isTTY ? "text" : "json")) === "json";
  const level = options.quiet === true ? "warn" : options.logLevel;
  const log = createLog(level, { write: (line) => writeOrDrop(process.stderr, line) }, () => secretsOf(project));
  const teller: Teller = json ? jsonTeller(log) : textTeller(terminal);
  if (!json && options.logLevel !== "info")
    terminal.warn(`--log-level ${options.logLevel} has no effect on lines of text: it is for \`--log-format json\`, and \`--quiet\` leaves out progress.`);

  const signals = listenForSignals({ warn: (text) => teller.warn("signal", text) });
  const abandon = new AbortController();
  const alerts = new Alerts({
    now: Date.now,
    onFailure: (message) => teller.warn("alert_failed", message),
    onAlert: (payload) => teller.warn("alert", payload.text),
  });
  const open = (): Promise<Warehouse> =>
    openWarehouse(project.target.connection, { root, create: false, onWait: (message) => teller.warn("waiting", message) });
  const metrics = createMetrics(() => scheduler.notReady === null);
  let beats: { stop(): void } | null = null;
  const beat = (seconds: number): void => {
    beats?.stop();
    beats = startBeats(
      seconds,
      (at) => {
        void scheduler.beat(at);
        void alerts.whileWaiting(project);
      },
      () => scheduler.clockSetBack(Date.now()),
    );
  };
  const on = (event: SchedulerEvent): void => {
    metrics.on(event);
    teller.on(event, project);
    // Where nothing is due, no run is missed.
    if (event.event === "nothing_due") alerts.sawThrough(event.at);
    if (event.event === "project_invalid") void alerts.after({ went: "wrong", problems: event.problems, subject: "project" }, project, null);
  };
  const scheduler = new Scheduler(
    {
      load: () => (project = load()),
      history: (project) => history(project, alerts, open),
      run: (project, segments) =>
        alerted(project, alerts, open, (warehouse) =>
          oneRun(project, warehouse, segments, teller, signals.stop, AbortSignal.any([abandon.signal, signals.abandon])),
        ),
      onInterval: beat,
      random: Math.random,
      sleep,
      on,
    },
    project.intervalSeconds,
    Date.now(),
  );
  const server = await startStatusServer({
    port,
    host: options.host,
    healthy: () => scheduler.healthy(Date.now()),
    notReady: () => scheduler.notReady?.map((problem) => cleanProblem(problem, (text) => scrub(text, secretsOf(project)))) ?? null,
    metrics: metrics.text,
  });
  teller.started(project, server.url);
  alerts.sawThrough(Date.now());
  beat(project.intervalSeconds);
  void scheduler.beat(Date.now());
  await aborted(signals.stop);

  const late = [setTimeout(() => abandon.abort(), graceMs * (1 - LAST_PART)), setTimeout(() => endNow(teller), graceMs)];
  stopBeats(beats);
  await scheduler.stop();
  await server.close();
  for (const timer of late) clearTimeout(timer);
  teller.stopped();
  signals.close();
  return 0;
}

/** Null but for its last value, which the compiler can't follow through the callbacks. */
function stopBeats(beats: { stop(): void } | null): void {
  beats?.stop();
}

/** What earlier runs did. A warehouse that can't be asked is one that no run would reach: alerted alike. */
async function history(project: Project, alerts: Alerts, open: () => Promise<Warehouse>): ReturnType<typeof runHistory> {
  const read: Awaited<ReturnType<typeof runHistory>>[] = [];
  await alerted(project, alerts, open, async (warehouse) => {
    read.push(await runHistory(new Ledger(warehouse, project.target.schema), isTrial(project.target, null)));
    return null;
  });
  const [found] = read;
  if (found === undefined) throw new Error("no history was read");
  return found;
}

function oneRun(
  project: Project,
  warehouse: Warehouse,
  segments: readonly Segment[],
  teller: Teller,
  stop: AbortSignal,
  abandon: AbortSignal,
): Promise<RunResult> {
  const told: Pick<RunOptions, "onStep" | "onDecided" | "onProgress" | "onStatement"> = teller.duringRun();
  return run(project, warehouse, {
    ...told,
    onStep(step) {
      told.onStep(step);
      // Between two queries, before anything is decided: there is nothing to finish or to release.
      if (step.state === "start" && stop.aborted)
        throw new OpportuneError({ code: STOPPED, message: "The run was asked to stop before it had decided anything." });
    },
    segments,
    whole: true,
    backfill: new Set(),
    approved: new Set(),
    dryRun: false,
    asOf: null,
    now: Date.now,
    stop,
    abandon,
  });
}

/** A statement that is under way can't be waited for: it is cancelled, nothing of it is committed, and the hold on the ledger ends by itself. */
function endNow(teller: Teller): void {
  teller.warn("grace_over", "The grace period is over: ended before everything was finished. The next run sorts out what was under way.");
  void cancelStatements().finally(() => process.exit(1));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function graceOf(text: string): number {
  const seconds = parseOptionDuration(text);
  if (seconds !== undefined && seconds > 0) return seconds * 1000;
  throw new OpportuneError(
    { code: "usage/grace", message: `--grace can't be ${JSON.stringify(text)}.`, hint: "Write a duration such as 25 seconds or 2 minutes." },
    2,
  );
}
