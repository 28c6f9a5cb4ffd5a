/** The scheduler's numbers for Prometheus: counters since the process began, in seconds and UTC epoch seconds. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Latency } from "../delivery/latency.js";
import type { RunResult } from "../run/types.js";
import { VERSION } from "../version.js";
import type { SchedulerEvent } from "./scheduler.js";

/** From a tenth of a second, for statements of small warehouses, to the longest that a scheduler's statement may take. */
const STATEMENT_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];
const RUN_SECONDS = [0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1800];
/** Providers answer in tens of milliseconds, and are given up after half a minute. */
const PROVIDER_SECONDS = [0.01, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
/** A message waits for its tick (minutes) or for hours that are open (up to a day). */
const LAG_SECONDS = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600];

export interface Metrics {
  on(event: SchedulerEvent): void;
  /** In Prometheus' text format. */
  text(): Promise<{ contentType: string; text: string }>;
}

/** `ready`: whether the scheduler is. Labels are names from the project, reasons and outcomes: a bounded number. */
export function createMetrics(ready: () => boolean): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const runs = new Counter({
    name: "opportune_runs_total",
    help: "Runs by how they ended: success, error (something failed), lease_held (another run had the ledger), stopped.",
    labelNames: ["status"],
    registers,
  });
  const ticks = new Counter({
    name: "opportune_ticks_total",
    help: "Ticks by what came of them: run, nothing_due, merged (a run was under way), project_invalid.",
    labelNames: ["outcome"],
    registers,
  });
  const candidates = new Counter({
    name: "opportune_candidates_total",
    help: "Candidates decided on, again in each run that they wait.",
    labelNames: ["segment"],
    registers,
  });
  const decisions = new Counter({ name: "opportune_decisions_total", help: "Decisions by reason.", labelNames: ["segment", "reason"], registers });
  const sends = new Counter({
    name: "opportune_sends_total",
    help: "Claims by what became of them: accepted, failed, in_doubt, released.",
    labelNames: ["channel", "outcome"],
    registers,
  });
  const lag = new Histogram({
    name: "opportune_trigger_lag_seconds",
    help: "From a message's due time until the provider accepted it.",
    buckets: LAG_SECONDS,
    registers,
  });
  const answers = new Histogram({
    name: "opportune_provider_latency_seconds",
    help: "From handing a message to the provider until its answer.",
    buckets: PROVIDER_SECONDS,
    registers,
  });
  const statements = new Histogram({
    name: "opportune_statement_seconds",
    help: "Statements on the warehouse: audience and segment (one each), arbitration.",
    labelNames: ["statement"],
    buckets: STATEMENT_SECONDS,
    registers,
  });
  const duration = new Histogram({ name: "opportune_run_duration_seconds", help: "Whole runs.", buckets: RUN_SECONDS, registers });
  const doubts = new Gauge({
    name: "opportune_in_doubt",
    help: "Messages in doubt that nobody has settled, as of the last run.",
    labelNames: ["channel"],
    registers,
  });
  const success = new Gauge({ name: "opportune_last_success_timestamp_seconds", help: "When a run last ended without any problem.", registers });
  const running = new Gauge({ name: "opportune_run_in_progress", help: "1 while a run is under way.", registers });
  new Gauge({
    name: "opportune_ready",
    help: "As /readyz.",
    registers,
    collect() {
      this.set(ready() ? 1 : 0);
    },
  });
  new Gauge({ name: "opportune_build_info", help: "The version that runs.", labelNames: ["version"], registers }).set({ version: VERSION }, 1);
  for (const status of ["success", "error", "lease_held", "stopped"]) runs.inc({ status }, 0);

  const ended = (result: RunResult): void => {
    runs.inc({ status: result.problems.length === 0 ? "success" : "error" });
    if (result.problems.length === 0) success.set(Date.parse(result.asOf) / 1000 + result.ms / 1000);
    duration.observe(result.ms / 1000);
    for (const { segment, reasons, returned, ms } of result.decisions.segments) {
      for (const [reason, n] of Object.entries(reasons)) {
        candidates.inc({ segment }, n);
        decisions.inc({ segment, reason }, n);
      }
      if (returned !== null) statements.observe({ statement: "segment" }, ms / 1000);
    }
    for (const { ms } of result.decisions.audiences) statements.observe({ statement: "audience" }, ms / 1000);
    statements.observe({ statement: "arbitration" }, result.decisions.arbitrationMs / 1000);
    doubts.reset();
    for (const channel of result.delivery?.channels.keys() ?? []) doubts.set({ channel }, 0);
    for (const { channel, messages } of result.doubts) doubts.inc({ channel }, messages);
    if (result.delivery === null) return;
    for (const [channel, { accepted, failed, inDoubt, released }] of result.delivery.channels)
      for (const [outcome, n] of Object.entries({ accepted, failed, in_doubt: inDoubt, released })) sends.inc({ channel, outcome }, n);
    observeAll(answers, result.delivery.latency);
    observeAll(lag, result.delivery.lag);
  };
  return {
    on(event) {
      switch (event.event) {
        case "remembered":
          if (event.history.lastSuccess !== null) success.set(event.history.lastSuccess / 1000);
          return;
        case "nothing_due":
        case "merged":
        case "project_invalid":
          ticks.inc({ outcome: event.event });
          return;
        case "run_started":
          ticks.inc({ outcome: "run" });
          running.set(1);
          return;
        case "run_ended":
          running.set(0);
          ended(event.result);
          return;
        case "run_failed": {
          running.set(0);
          const only = event.problems.length === 1 ? event.problems[0]?.code : undefined;
          runs.inc({ status: only === "ledger/lease" ? "lease_held" : only === "run/stopped" ? "stopped" : "error" });
          return;
        }
        case "clock_back":
      }
    },
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** Times as exact as they were kept: at most 9 % too long. */
function observeAll(histogram: Histogram, { buckets }: Latency): void {
  for (const { ms, count } of buckets) for (let i = 0; i < count; i += 1) histogram.observe(ms / 1000);
}
