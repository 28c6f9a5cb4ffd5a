/** What earlier runs say about the next one: read before a run, without the lease. */
import { REASONS } from "../../arbitration/reasons.js";
import { elseRequired, requireVersion } from "../install/versions.js";
import type { Ledger } from "../ledger.js";
import { heededSql } from "../trial.js";

/** What a scheduler must know to go on where another left off. Times are ms since 1970 UTC. */
export interface RunHistory {
  /** The latest `as_of` of any run; null: there was none. */
  lastAsOf: number | null;
  /** When each segment was last asked, of those whose last run left nothing to be done again at once. */
  askedAt: ReadonlyMap<string, number>;
  /** When a run without any problem last ended; null: none did. */
  lastSuccess: number | null;
  /** When a run last ended that had got as far as its decisions; null: none did. */
  lastDecided: number | null;
}

/** Reasons of candidates for which a segment is asked again at once: what they wait for may be over by then. */
export const ASK_AGAIN: readonly string[] = REASONS.filter(({ askAgain }) => askAgain).map(({ name }) => name);

/** One statement; `trial`: a live job asks of live runs alone. @throws OpportuneError where there is no ledger, or not the one needed */
export async function runHistory(ledger: Ledger, trial: boolean): Promise<RunHistory> {
  const asked = ledger.file("run_history.sql", { heeded: heededSql(trial), heeded_segments: heededSql(trial, "s") });
  const rows = await elseRequired(ledger, () => ledger.query(asked));
  const content = (fact: string): string | null => (rows.find((row) => row["fact"] === fact)?.["content"] ?? null) as string | null;
  const time = (fact: string): number | null => {
    const value = content(fact);
    return value === null ? null : Date.parse(value);
  };
  requireVersion(ledger.schema, Number(content("version") ?? 0));
  const done = rows
    .filter(({ fact }) => fact === "segment")
    .map(({ name, content }) => ({ name: String(name), last: JSON.parse(String(content)) as LastAsked }))
    .filter(({ last }) => isDone(last));
  return {
    lastAsOf: time("last_as_of"),
    lastSuccess: time("succeeded"),
    lastDecided: time("decided"),
    askedAt: new Map(done.map(({ name, last }) => [name, Date.parse(last.asked)])),
  };
}

/** The last run that asked a segment. */
interface LastAsked {
  asked: string;
  /** Numbers are text where a warehouse writes its integers so in JSON. */
  succeeded: number | string;
  decisions: string | null;
  status: string;
  released: number | string | null;
}

/** Whether the run ended with nothing to do again: one that broke off or released claims is not done, whatever its segments say. */
function isDone({ succeeded, decisions, status, released }: LastAsked): boolean {
  const ended = (status === "success" || status === "error") && Number(released ?? 0) === 0;
  const reasons = JSON.parse(decisions ?? "{}") as Record<string, number>;
  return ended && Number(succeeded) === 1 && !ASK_AGAIN.some((reason) => (reasons[reason] ?? 0) > 0);
}
