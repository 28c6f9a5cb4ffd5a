/** What was decided, a summary a segment: for the run's result and for the ledger's row of the segment's run. */
import type { Activation } from "../arbitration/activation.js";
import type { ArbitratedSegment } from "../arbitration/constants.js";
import { LEAST_RUNS, type Surge } from "../arbitration/surge.js";
import type { Problem } from "../core/errors.js";
import type { SegmentRun, SentTemplate } from "../ledger/events/append.js";
import { treatments } from "../project/build/treatments.js";
import type { Segment } from "../project/types.js";
import type { Staged } from "../segments/stage.js";
import type { Row } from "../warehouse/types.js";
import type { StagedRows } from "./staged.js";
import type { DecideOptions, SegmentDecisions } from "./types.js";

/** The sum of a column. */
export function total(rows: readonly Row[], column: string): number {
  return rows.reduce((sum, row) => sum + Number(row[column]), 0);
}

/** `decided`: rows of a segment, event, reason and paused channel, each with `n`, `changed` and `is_new`. `unreadable`: why a source of a segment is not read. */
export function summarise(
  segments: readonly ArbitratedSegment[],
  staged: ReadonlyMap<string, Staged>,
  rows: StagedRows,
  decided: readonly Row[],
  unreadable: (segment: Segment) => Problem | null,
): SegmentDecisions[] {
  return segments.map(({ segment, previous, surge, tooOld }): SegmentDecisions => {
    const { id } = segment;
    const mine = decided.filter((row) => row["segment"] === id);
    const by = (column: "reason" | "paused_channel", those: readonly Row[]): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const row of those) counts[String(row[column])] = (counts[String(row[column])] ?? 0) + Number(row["n"]);
      return counts;
    };
    const state = staged.get(id);
    return {
      segment: id,
      first: previous === undefined,
      returned: state?.returned ?? null,
      dropped: {
        ...rows.dropped.get(id),
        ...by(
          "reason",
          mine.filter((row) => row["event"] === "none"),
        ),
      },
      reasons: by(
        "reason",
        mine.filter((row) => row["event"] !== "none"),
      ),
      channelPaused: by(
        "paused_channel",
        mine.filter((row) => row["paused_channel"] !== null),
      ),
      offered: mine.reduce((sum, row) => sum + Number(row["is_new"]), 0),
      surge,
      problem: state?.problem ?? (surge === null ? unreadable(segment) : surgeProblem(id, surge)),
      tooOld,
      ms: state?.ms ?? 0,
      bytes: state?.bytes ?? null,
    };
  });
}

function surgeProblem(segment: string, { offered, limit, young }: Surge): Problem {
  return {
    code: "run/surge",
    message: `Segment ${segment} offers ${offered.toLocaleString("en")} candidates, more than the ${limit.toLocaleString("en")} that policy.surge allows${young ? ` until ${String(LEAST_RUNS)} runs of it are known` : ""}: they wait.`,
    hint: `If that is right, let them go with \`opportune run --approve ${segment}\`; otherwise correct the segment.`,
  };
}

/** The templates of segments that claimed something, as far as the ledger hasn't their text yet. */
export function newTemplates(summaries: readonly SegmentDecisions[], { segments, facts, templates }: DecideOptions): SentTemplate[] {
  const claiming = segments.filter(({ id }) => summaries.some(({ segment, reasons }) => segment === id && (reasons["claimed"] ?? 0) > 0));
  const used = new Map(claiming.flatMap((segment) => treatments(segment).map(({ template }) => [templates.versionOf(template), template] as const)));
  return [...used].filter(([version]) => !facts.templates.has(version)).map(([version, template]) => ({ version, text: templates.sourceOf(template) }));
}

/** The ledger's row of a segment in this run. */
export function segmentRun({ segment, activation, queried, surge }: ArbitratedSegment, summaries: readonly SegmentDecisions[]): SegmentRun {
  const summary = summaries.find((s) => s.segment === segment.id);
  return {
    segment: segment.id,
    segment_version: segment.version,
    ...stored(activation),
    succeeded: queried ? 1 : 0,
    returned: summary?.returned ?? null,
    dropped: JSON.stringify(summary?.dropped ?? {}),
    decisions: JSON.stringify(summary?.reasons ?? {}),
    offered: surge === null ? (summary?.offered ?? null) : null,
    bytes_scanned: summary?.bytes ?? null,
    duration_ms: Math.round(summary?.ms ?? 0),
    error: summary?.problem?.message ?? null,
  };
}

function stored(activation: Activation): { shape: string; activated_at: string | null; steps: string } {
  return { shape: activation.shape, activated_at: activation.activatedAt, steps: JSON.stringify(activation.steps) };
}
