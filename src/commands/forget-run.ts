import { OpportuneError } from "../core/errors.js";
import { didYouMean, nearestName } from "../core/suggest.js";
import { holding } from "../ledger/lease/held-ledger.js";
import type { Ledger } from "../ledger/ledger.js";
import { forgetRun, type Forgotten } from "../ledger/recovery/forget-run.js";
import { knownRuns, type KnownRun } from "../ledger/runs/known-runs.js";
import type { Project } from "../project/types.js";
import { counted } from "../report/tables.js";
import { VERSION } from "../version.js";
import { withLedger } from "./shared/context.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

export interface ForgetRunOptions extends GlobalOptions {
  andLater?: boolean;
}

/** Runs that are named where the one asked for isn't known. */
const SHOWN = 5;
/** Runs among which a mistyped id is looked for. */
const SEARCHED = 1_000;

/** Takes a run back, and those after it if asked to, the latest first: each in one script, all of it or nothing. */
export function forgetRunCommand(terminal: Terminal, options: ForgetRunOptions, [runId = ""]: readonly string[]): Promise<number> {
  return withLedger(terminal, options, async (project, ledger) => {
    const { name: target } = project.target;
    return holding(ledger, {}, async (held) => {
      const run = await knownRun(project, ledger, runId);
      const later = await knownRuns(ledger, { after: run });
      if (later.length > 0 && options.andLater !== true) throw notTheLast(run, later);
      const done: { run: KnownRun; forgotten: Forgotten }[] = [];
      for (const each of [...later, run]) {
        const forgotten = await forgetRun(held, each, held.facts.clock, VERSION);
        done.push({ run: each, forgotten });
        if (options.output !== "json") terminal.out(told(each, forgotten));
      }
      if (options.output === "json") {
        const runs = done.map(({ run: { runId: run_id, asOf: as_of, trial }, forgotten }) => ({ run_id, as_of, trial, ...forgotten }));
        terminal.out(JSON.stringify({ schema_version: 1, target, runs }, null, 2));
      }
      return 0;
    });
  });
}

function told({ runId, asOf, trial }: KnownRun, { released, voided, left }: Forgotten): string {
  const stays = left === 0 ? "nothing had left." : `${counted(left, "message")} had left, or may have: ${left === 1 ? "it counts" : "they count"} from now on.`;
  return `${trial ? "Trial" : "Run"} ${runId}, as of ${asOf}, is taken back: ${counted(released, "claim")} released, ${counted(voided, "decision")} voided; ${stays}`;
}

/** @throws OpportuneError (exit 2) where the run is unknown, was taken back, or isn't this target's to take back */
async function knownRun(project: Project, ledger: Ledger, runId: string): Promise<KnownRun> {
  const { name, live } = project.target;
  const [run] = await knownRuns(ledger, { runId });
  if (run === undefined) {
    const latest = await knownRuns(ledger, { most: SEARCHED, trial: true });
    const meant = didYouMean(
      nearestName(
        runId,
        latest.map((each) => each.runId),
      ),
    );
    const few = latest.slice(0, SHOWN).map((each) => each.runId);
    const newest = few.length === 0 ? "It has no run that could be taken back." : `The latest are: ${few.join(", ")}.`;
    throw refusal(`The ledger of target ${name} has no run ${JSON.stringify(runId)}.`, meant ?? newest);
  }
  if (run.status === "forgotten") throw refusal(`Run ${runId} is taken back already.`, "There is nothing left to do: the next run is as if it had not been.");
  if (run.status === "forget")
    throw refusal(`${runId} says that a run was taken back; it isn't a run.`, "Name a run that decided: `opportune explain USER` names the run of each event.");
  if (!live && !run.trial) throw refusal(`Run ${runId} was live, and target ${name} isn't.`, "Name the live target with --target.");
  return run;
}

function notTheLast(run: KnownRun, later: readonly KnownRun[]): OpportuneError {
  const [latest] = later;
  const runs = later.length === 1 ? "a later run built" : `${counted(later.length, "later run")} built`;
  return refusal(
    `Run ${run.runId} can't be taken back alone: ${runs} on it, the latest is ${latest?.runId ?? ""}.`,
    "Take the latest back first, or all of them with --and-later.",
  );
}

function refusal(message: string, hint: string): OpportuneError {
  return new OpportuneError({ code: "usage/forget", message, hint }, 2);
}
