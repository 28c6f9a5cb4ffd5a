import type { Project, Segment, Step } from "../project/types.js";
import { addressColumn, firstStep, treatments } from "../project/build/treatments.js";
import { secondsBefore } from "../core/clock.js";
import type { ForgottenRun } from "../ledger/facts.js";
import type { Check } from "../segments/types.js";
import type { Constant, ConstantTable } from "../warehouse/sql.js";
import type { Activation, PreviousActivation } from "./activation.js";
import type { Surge } from "./surge.js";
import type { ZoneHours } from "./zones.js";

/** What arbitration has to know of one segment in this run. */
export interface ArbitratedSegment {
  segment: Segment;
  activation: Activation;
  /** Its last run in which the query worked. */
  previous: PreviousActivation | undefined;
  checks: readonly Check[];
  /** False: its query failed; nothing of it is offered, and nothing counts as having left. */
  queried: boolean;
  backfill: boolean;
  /** Name of the first audience it uses that failed. */
  failedAudience: string | null;
  pausedBy: "project" | "segment" | null;
  /** Set: far more candidates than usual, which nobody approved. */
  surge: Surge | null;
  /** Oldest `loaded_at` of its sources, ISO 8601 UTC; null: none is known. */
  loadedAt: string | null;
  /** One of its sources is older than its `stale_after`, or can't be read. */
  tooOld: boolean;
}

export interface Arbitration {
  project: Project;
  /** ISO 8601 UTC. */
  asOf: string;
  /** Reads what live runs and trials wrote; a live run reads live rows alone. */
  trial: boolean;
  salt: string;
  /** Runs whose rows are skipped. */
  forgotten: readonly ForgottenRun[];
  /** Answers before were pruned, ISO 8601 UTC; null: none were. */
  prunedTo: string | null;
  segments: readonly ArbitratedSegment[];
  pausedChannels: ReadonlySet<string>;
  zones: readonly ZoneHours[];
}

/** Longest time from a behaviour to the end of its last step's window, seconds. */
export function lookBackSeconds(segment: Segment): number {
  return Math.max(...treatments(segment).map((step) => step.afterSeconds + step.withinSeconds));
}

/**
 * How far back the ledger can matter to a segment, ISO 8601 UTC. A candidate's behaviour is at most two look-backs old, now or,
 * for what still waits, in the segment's last run; `repeat: every` asks for the whole of a journey that began up to its
 * interval earlier still; and a backfill asks whether a behaviour of any age was backfilled before.
 */
export function historyFrom({ segment, previous, backfill }: Pick<ArbitratedSegment, "segment" | "previous" | "backfill">, asOf: string): string {
  if (backfill) return "1970-01-01T00:00:00Z";
  const lookBack = Math.max(lookBackSeconds(segment), ...(previous?.steps ?? []).map((step) => step.afterSeconds + step.withinSeconds));
  const reach = segment.repeat.kind === "every" ? 3 * lookBack + segment.repeat.seconds : 2 * lookBack;
  return secondsBefore(previous?.asOf ?? asOf, reach);
}

/** Audiences that exclude or are required, in the order in which they are asked; transactional mail skips the project's requirements. */
export function audiencesAsked(project: Project, segment: Segment): { role: "exclude" | "require"; audience: string }[] {
  const requires = segment.class === "transactional" ? segment.require : [...project.policy.require, ...segment.require];
  return [
    ...[...project.policy.exclude, ...segment.exclude].map((audience) => ({ role: "exclude" as const, audience })),
    ...requires.map((audience) => ({ role: "require" as const, audience })),
  ];
}

export function segmentConstants({ segments, asOf }: Arbitration): ConstantTable {
  return {
    columns: [
      { name: "segment", type: "text" },
      { name: "version", type: "text" },
      { name: "class", type: "text" },
      { name: "topic", type: "text" },
      { name: "priority", type: "bigint" },
      { name: "repeat_kind", type: "text" },
      { name: "repeat_seconds", type: "bigint" },
      { name: "look_back_seconds", type: "bigint" },
      { name: "history_from", type: "timestamp" },
      { name: "activated_at", type: "timestamp" },
      { name: "backfill", type: "boolean" },
      { name: "queried", type: "boolean" },
      { name: "goal", type: "text" },
      { name: "failed_audience", type: "text" },
      { name: "paused_by", type: "text" },
      { name: "surge_offered", type: "bigint" },
      { name: "surge_limit", type: "bigint" },
      { name: "loaded_at", type: "timestamp" },
      { name: "too_old", type: "boolean" },
      { name: "max_per_run", type: "bigint" },
      { name: "holdout_below", type: "text" },
    ],
    rows: segments.map((s): Constant[] => [
      s.segment.id,
      s.segment.version,
      s.segment.class,
      s.segment.topic,
      s.segment.priority,
      s.segment.repeat.kind,
      s.segment.repeat.kind === "every" ? s.segment.repeat.seconds : null,
      lookBackSeconds(s.segment),
      { timestamp: historyFrom(s, asOf) },
      { timestamp: s.activation.activatedAt },
      s.backfill,
      s.queried,
      s.segment.goal?.audience ?? null,
      s.failedAudience,
      s.pausedBy,
      s.surge?.offered ?? null,
      s.surge?.limit ?? null,
      { timestamp: s.loadedAt },
      s.tooOld,
      s.segment.maxPerRun,
      bucketBelow(s.segment.holdout / 100),
    ]),
  };
}

/** The bucket that the given share (0 to 1) of all buckets is below, as 8 hex digits compared as text; `g` is above every digit. */
export function bucketBelow(share: number): string {
  const below = Math.floor(share * 2 ** 32);
  return below >= 2 ** 32 ? "g" : below.toString(16).padStart(8, "0");
}

export function stepConstants({ project, segments, pausedChannels }: Arbitration, templateVersion: (template: string) => string): ConstantTable {
  return {
    columns: [
      { name: "segment", type: "text" },
      { name: "step", type: "text" },
      { name: "variant", type: "text" },
      { name: "after_seconds", type: "bigint" },
      { name: "within_seconds", type: "bigint" },
      { name: "channel", type: "text" },
      { name: "channel_paused", type: "boolean" },
      { name: "address_kind", type: "text" },
      { name: "template", type: "text" },
      { name: "template_version", type: "text" },
      { name: "from_bucket", type: "text" },
      { name: "to_bucket", type: "text" },
      { name: "siblings", type: "text" },
      { name: "factor", type: "text" },
      { name: "active_since", type: "timestamp" },
    ],
    rows: segments.flatMap(({ segment, activation }) =>
      segment.steps.flatMap((step) =>
        variantRanges(step).map((version): Constant[] => {
          const active = activation.steps.find((s) => s.step === version.step && s.variant === version.variant);
          return [
            segment.id,
            version.step,
            version.variant,
            version.afterSeconds,
            version.withinSeconds,
            version.channel,
            pausedChannels.has(version.channel),
            addressColumn(project, version.channel),
            version.template,
            templateVersion(version.template),
            version.from,
            version.to,
            step.variants.map(({ name }) => `|${name}|`).join(""),
            step.variants.length === 0 ? null : step.factor,
            { timestamp: active?.activeSince ?? null },
          ];
        }),
      ),
    ),
  };
}

/**
 * When a fresh journey's first step comes, after its behaviour: one row without a factor where that is the same for all
 * users, else one for each range of that factor's buckets in which the drawn variants are the same.
 */
export function firstOffsetConstants({ segments }: Arbitration): ConstantTable {
  return {
    columns: [
      { name: "segment", type: "text" },
      { name: "factor", type: "text" },
      { name: "from_bucket", type: "text" },
      { name: "to_bucket", type: "text" },
      { name: "first_after_seconds", type: "bigint" },
    ],
    rows: segments.flatMap(({ segment }) => {
      const { latest, earlier } = firstStep(segment.steps);
      const steps = earlier.map((step) => variantRanges(step));
      const [bottom, ...bounds] = [...new Set([bucketBelow(0), ...steps.flat().map(({ from }) => from)])].sort();
      return [bottom, ...bounds].map((from = "", i): Constant[] => {
        const first = Math.min(latest, ...steps.map((ranges) => ranges.findLast((range) => range.from <= from)?.afterSeconds ?? latest));
        return [segment.id, earlier[0]?.factor ?? null, from, bounds[i] ?? bucketBelow(1), first];
      });
    }),
  };
}

/** The versions of a step, each with the range of its factor's buckets that draws it. */
function variantRanges(step: Step): (ReturnType<typeof treatments>[number] & { from: string; to: string })[] {
  const versions = treatments({ steps: [step] });
  const total = versions.reduce((sum, version) => sum + version.weight, 0);
  let before = 0;
  return versions.map((version) => {
    const from = bucketBelow(before / total);
    before += version.weight;
    return { ...version, from, to: bucketBelow(before / total) };
  });
}
