import { LEAST_RUNS } from "../arbitration/surge.js";
import { instant } from "../core/clock.js";
import { formatDuration, nearestDuration, parseOptionDuration } from "../core/durations.js";
import { OpportuneError } from "../core/errors.js";
import { didYouMean } from "../core/suggest.js";
import { holding } from "../ledger/lease/held-ledger.js";
import { prunable, prune, type Pruned } from "../ledger/prune.js";
import { reachOf } from "../run/reach.js";
import { count, counted } from "../report/tables.js";
import { withLedger } from "./shared/context.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

export interface PruneOptions extends GlobalOptions {
  olderThan: string;
  dryRun?: boolean;
}

/** Deletes old rows that nothing asks for any more. Takes the lease, also for --dry-run, so that what it counts stands still. */
export function pruneCommand(terminal: Terminal, options: PruneOptions): Promise<number> {
  const seconds = secondsOf(options.olderThan);
  return withLedger(terminal, options, async (project, ledger) => {
    const { name: target } = project.target;
    return holding(ledger, {}, async (held) => {
      const now = held.facts.clock;
      const before = instant(now - seconds * 1000);
      const reach = await reachOf(project, ledger, now);
      if (Date.parse(before) > Date.parse(reach.from)) throw tooYoung(options.olderThan, reach, now);
      const dryRun = options.dryRun === true;
      const pruned = dryRun ? await prunable(ledger, before, LEAST_RUNS) : await prune(held, before, LEAST_RUNS);
      if (options.output === "json") {
        const { events, emptied, segmentRuns: segment_runs, runs } = pruned;
        terminal.out(JSON.stringify({ schema_version: 1, target, before, dry_run: dryRun, deleted: { events, segment_runs, runs }, emptied }, null, 2));
      } else terminal.out(told(pruned, target, before, dryRun));
      return 0;
    });
  });
}

function told({ events, emptied, segmentRuns, runs }: Pruned, target: string, before: string, dryRun: boolean): string {
  const total = Object.values(events).reduce((sum, n) => sum + n, 0);
  const parts = Object.entries(events)
    .sort(([x, a], [y, b]) => b - a || (x < y ? -1 : 1))
    .map(([event, n]) => `${count(n)} ${event}`);
  const what = [
    `${counted(total, "decision")}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`,
    counted(segmentRuns, "segment run"),
    counted(runs, "run"),
  ];
  const verb = dryRun ? "would be deleted" : "deleted";
  return `Ledger of target ${target}, before ${before}: ${what.join(", ")} ${verb}. ${counted(emptied, "row")} of claims, hold-outs and outcomes ${dryRun ? "would stay" : "stay"} without detail and properties.`;
}

function tooYoung(asked: string, { name, from }: { name: string; from: string }, now: number): OpportuneError {
  const needed = Math.ceil((now - Date.parse(from)) / 86_400_000) + 1;
  return new OpportuneError(
    {
      code: "usage/prune",
      message: `--older-than ${JSON.stringify(asked)} is too short: ${name} looks back to ${from}, and somebody could hear again.`,
      hint: `Write --older-than '${formatDuration(needed * 86_400)}' or longer.`,
    },
    2,
  );
}

function secondsOf(text: string): number {
  const seconds = parseOptionDuration(text);
  if (seconds !== undefined) return seconds;
  const hint = didYouMean(nearestDuration(text)) ?? "Allowed: a length of time such as 400d or '13 weeks'.";
  throw new OpportuneError({ code: "usage/prune", message: `--older-than can't be ${JSON.stringify(text)}.`, hint }, 2);
}
