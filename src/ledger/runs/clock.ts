/** This machine's clock beside the warehouse's: a run by a clock that is ahead makes the ledger refuse all others until then. */
import { apart, CLOCKS_AGREE_MS, instant } from "../../core/clock.js";
import { OpportuneError, type Problem } from "../../core/errors.js";
import { TAKE_BACK } from "../../core/failures.js";
import type { Facts } from "../facts.js";
import type { Ledger } from "../ledger.js";
import { knownRuns, type KnownRun } from "./known-runs.js";

/** What is wrong with the clocks; null: they agree, or there is one alone, as with a file on this machine. */
export function skewProblem({ dialect }: Ledger, { clock, skewMs }: Pick<Facts, "clock" | "skewMs">): Problem | null {
  if (dialect.oneProcess || Math.abs(skewMs) <= CLOCKS_AGREE_MS) return null;
  return {
    code: "run/clock",
    message: `This machine's clock says ${toSecond(clock + skewMs)}, the warehouse's ${toSecond(clock)}: they differ by ${apart(skewMs)}, more than the minute that is allowed.`,
    hint: `Set the wrong clock, and run again. If an earlier run went by a wrong clock, ${TAKE_BACK}.`,
  };
}

/** @throws OpportuneError `run/clock` where the clocks differ by more than a minute, beyond what the question took */
export function refuseSkew(ledger: Ledger, facts: Facts): void {
  const problem = skewProblem(ledger, facts);
  if (problem !== null) throw new OpportuneError(problem);
}

/** The latest run that a run of this kind reads of, if its `as_of` is later than `than` (ms since 1970 UTC). */
export async function runAhead(ledger: Ledger, { lastAsOf }: Facts, trial: boolean, than: number): Promise<KnownRun | null> {
  if (lastAsOf === null || Date.parse(lastAsOf) <= than) return null;
  // Not the newest one: a trial ahead of the clock keeps no live run from following it, which a trial reads of too.
  const [last] = await knownRuns(ledger, { most: 1, trial, asOf: lastAsOf });
  return last ?? null;
}

function toSecond(ms: number): string {
  return instant(Math.floor(ms / 1000) * 1000);
}
