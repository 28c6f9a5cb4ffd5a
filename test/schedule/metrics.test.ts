/** Numbers for Prometheus: what a run adds, and that the documentation names them all. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Latency } from "../../src/delivery/latency.js";
import { LatencyHistogram } from "../../src/delivery/latency.js";
import type { RunResult } from "../../src/run/types.js";
import { createMetrics } from "../../src/schedule/metrics.js";

const latency = (...ms: number[]): Latency => {
  const histogram = new LatencyHistogram();
  for (const each of ms) histogram.record(each);
  return histogram.summary();
};

const result = {
  asOf: "2026-03-02T12:00:00Z",
  ms: 2_500,
  problems: [],
  doubts: [
    { runId: "r1", channel: "email", messages: 3, since: "2026-03-01T12:00:00Z" },
    { runId: "r2", channel: "email", messages: 1, since: "2026-03-02T12:00:00Z" },
  ],
  decisions: {
    segments: [
      { segment: "cart", returned: 9, reasons: { claimed: 3, cap: 2 }, ms: 40 },
      { segment: "broken", returned: null, reasons: {}, ms: 5 },
    ],
    audiences: [{ audience: "ordered", ms: 20 }],
    arbitrationMs: 400,
  },
  delivery: {
    channels: new Map([["email", { accepted: 2, failed: 0, inDoubt: 1, released: 0, untaken: 0 }]]),
    reasons: [],
    latency: latency(15, 15, 700),
    lag: latency(65_000, 3_500_000),
  },
} as unknown as RunResult;

async function samples(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  return (await metrics.text()).text.split("\n").filter((line) => line.startsWith("opportune_"));
}

it("adds up what runs did", async () => {
  const metrics = createMetrics(() => false);
  metrics.on({ event: "run_started", segments: ["cart"] });
  expect(await samples(metrics)).toContain("opportune_run_in_progress 1");
  metrics.on({ event: "run_ended", result });
  metrics.on({ event: "run_ended", result });
  metrics.on({ event: "nothing_due", at: 0 });
  for (const code of ["ledger/lease", "run/stopped", "warehouse/unreachable"]) metrics.on({ event: "run_failed", problems: [{ code, message: "" }] });
  expect(await samples(metrics)).toEqual(
    expect.arrayContaining([
      'opportune_runs_total{status="success"} 2',
      'opportune_runs_total{status="lease_held"} 1',
      'opportune_runs_total{status="stopped"} 1',
      'opportune_runs_total{status="error"} 1',
      'opportune_ticks_total{outcome="run"} 1',
      'opportune_ticks_total{outcome="nothing_due"} 1',
      'opportune_candidates_total{segment="cart"} 10',
      'opportune_decisions_total{segment="cart",reason="cap"} 4',
      'opportune_sends_total{channel="email",outcome="in_doubt"} 2',
      'opportune_in_doubt{channel="email"} 4',
      'opportune_trigger_lag_seconds_bucket{le="60"} 0',
      'opportune_trigger_lag_seconds_bucket{le="120"} 2',
      'opportune_trigger_lag_seconds_bucket{le="3600"} 4',
      'opportune_provider_latency_seconds_bucket{le="0.03"} 4',
      "opportune_provider_latency_seconds_count 6",
      'opportune_statement_seconds_count{statement="segment"} 2',
      'opportune_statement_seconds_count{statement="audience"} 2',
      'opportune_statement_seconds_sum{statement="arbitration"} 0.8',
      "opportune_run_duration_seconds_sum 5",
      "opportune_last_success_timestamp_seconds 1772452802.5",
      "opportune_run_in_progress 0",
      "opportune_ready 0",
    ]),
  );
});

it("are all in docs/scheduling.md, with their types", async () => {
  const text = (await createMetrics(() => true).text()).text;
  const there = [...text.matchAll(/^# TYPE (opportune_\w+) (\w+)$/gm)].map(([, name, type]) => `${String(name)} ${String(type)}`);
  const document = readFileSync(new URL("../../docs/scheduling.md", import.meta.url), "utf8");
  const documented = [...document.matchAll(/^\| `(opportune_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${String(name)} ${String(type)}`);
  expect(there.length).toBeGreaterThan(10);
  expect(documented.sort()).toEqual(there.sort());
});
