import { isGone } from "../arbitration/renamed.js";
import { instant } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";
import { forgetSegments } from "../ledger/runs/forget-segments.js";
import { holding } from "../ledger/lease/held-ledger.js";
import { isTrial } from "../ledger/trial.js";
import { FORGOTTEN, otherSegmentRuns, type PreviousSegmentRun } from "../ledger/runs/segment-runs.js";
import type { Project } from "../project/types.js";
import { withLedger } from "./shared/context.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

/** Records that segments are gone for good, so that a new one with the query of one of them is truly new. */
export function forgetSegmentCommand(terminal: Terminal, options: GlobalOptions, ids: readonly string[]): Promise<number> {
  return withLedger(terminal, options, async (project, ledger) => {
    const { name } = project.target;
    const trial = isTrial(project.target, null);
    const asked = { asOf: instant(Date.now()), trial, segments: [] };
    return holding(ledger, { asked }, async (held) => {
      const last = await otherSegmentRuns(ledger, [], trial);
      const gone = [...new Set(ids)].map((id) => goneSegment(project, last, id));
      await forgetSegments(held, gone, trial);
      for (const { segment, asOf } of gone) {
        terminal.out(
          `Segment ${segment}, which ran last as of ${asOf}, is forgotten in the ledger of target ${name}: a new segment with its query is new, and may write to the same users again.`,
        );
      }
      return 0;
    });
  });
}

/** Its last run. @throws OpportuneError (exit 2) where it never ran, is forgotten already, or goes on */
function goneSegment(project: Project, last: ReadonlyMap<string, PreviousSegmentRun>, id: string): PreviousSegmentRun {
  const run = last.get(id);
  if (run === undefined || run.shape === FORGOTTEN) {
    const others = [...last].filter(([other, one]) => one.shape !== FORGOTTEN && isGone(project.segments, other, one)).map(([other]) => other);
    const message = run === undefined ? `The ledger has no run of a segment ${JSON.stringify(id)}.` : `Segment ${id} is forgotten already.`;
    const hint =
      others.length === 0 ? "No segment that ran is gone: there is nothing to forget." : `Name one that ran and is gone: ${others.sort().join(", ")}.`;
    throw new OpportuneError({ code: "usage/forget-segment", message, hint }, 2);
  }
  if (isGone(project.segments, id, run)) return run;
  throw new OpportuneError(
    {
      code: "usage/forget-segment",
      message: `Segment ${id} is in ${project.segments.get(id)?.file ?? ""} and goes on as it ran: it is not forgotten.`,
      hint: "Remove its file, or set `status: draft` in it, and run this again.",
    },
    2,
  );
}
