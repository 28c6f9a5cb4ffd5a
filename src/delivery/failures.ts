/** A delivery that failed, as problems of its run: which channel, the commonest reason, and the command that helps. */
import { instant } from "../core/clock.js";
import type { Problem } from "../core/errors.js";
import { FAILURES_CODE, PAUSED_CODE, SEGMENT_INVALID_CODE, short, STOPPED_CODES, TAKE_BACK, waysOut, type Failures } from "../core/failures.js";
import type { InvalidSegment } from "./counts.js";
import type { DeliveryResult } from "./deliver.js";
import type { StopKind, StoppedChannel } from "./types.js";
import { verdictOf, type Outcomes, type Verdict } from "./verdict.js";

/** What failed as a whole: a channel, or, where no channel did by itself, all of them together. */
export interface FailedDelivery {
  /** '' of all together. */
  channel: string;
  problem: Problem;
}

/**
 * The channels whose delivery failed, but for those that stopped, which are problems already. `strict`: at any failure. `target`: what
 * commands need to mean this target, e.g. ` --target prod`.
 */
export function failedDeliveries({ channels, stoppedChannels, reasons }: DeliveryResult, strict: boolean, target: string): FailedDelivery[] {
  const failed = [...channels]
    .filter(([channel]) => !stoppedChannels.has(channel))
    .map(([channel, outcomes]) => ({ channel, outcomes, verdict: verdictOf(outcomes, strict) }))
    .filter(({ verdict }) => verdict !== "well");
  if (failed.length > 0) return failed.map((each) => ({ channel: each.channel, problem: problemOf(each, reasons, target) }));
  if (stoppedChannels.size > 0) return [];
  const outcomes = together([...channels.values()]);
  const verdict = verdictOf(outcomes, strict);
  return verdict === "well" ? [] : [{ channel: "", problem: problemOf({ channel: "", outcomes, verdict }, reasons, target) }];
}

const STOPPED: Readonly<Record<StopKind, { found: string; check: string }>> = {
  refused: { found: "was refused by its provider", check: "Check its api_key and sender" },
  rejected: { found: "had its messages rejected by its provider", check: "Mend what the provider says of them: the template, the sender or its account" },
  unavailable: { found: "found its provider unavailable", check: "Check its endpoint and the provider's status page" },
  clock: {
    found: "found another clock at its provider",
    check: `Set this machine's clock; if this run went by a wrong one, ${TAKE_BACK}, which ends the pause too`,
  },
};

/** A channel that stopped, as a problem. `pausedUntil`: ISO 8601 UTC; `target`: as for failed deliveries. */
export function stoppedProblem(channel: string, { kind, reason, accepted, inDoubt, released }: StoppedChannel, pausedUntil: string, target: string): Problem {
  const { found, check } = STOPPED[kind];
  return {
    code: STOPPED_CODES[kind],
    message: `Channel ${channel} ${found} and stopped: ${reason}. ${accepted} accepted, ${inDoubt} in doubt, ${released} released.`,
    hint: `It is paused until ${pausedUntil}; \`opportune resume${target} --channel ${channel}\` ends that. ${check}.`,
  };
}

/** A channel that a breaker paused before this run, until then (ISO 8601 UTC), and for which so many candidates wait, as a problem. */
export function pausedProblem(channel: string, { until, note }: { until: string | null; note: string | null }, waiting: number, target: string): Problem {
  return {
    code: PAUSED_CODE,
    message:
      `Channel ${channel} stopped in an earlier run and is paused${until === null ? "" : ` until ${instant(Date.parse(until))}`}: ${counted(waiting)} ${waiting === 1 ? "waits" : "wait"}.` +
      (note === null ? "" : ` It stopped because of this: ${short(note)}`),
    hint: `Mend that, then \`opportune resume${target} --channel ${channel}\` ends the pause; else the channel is tried again when it ends.`,
  };
}

/** A segment each of whose messages was found invalid, as a problem. `target`: as for failed deliveries. */
export function segmentInvalidProblem({ segment, messages, reason }: InvalidSegment, target: string): Problem {
  return {
    code: SEGMENT_INVALID_CODE,
    message: `Segment ${segment}: ${messages === 1 ? "its one message is" : `each of its ${counted(messages)} is`} invalid, and none went out. The first reason: ${short(reason)}`,
    hint: `Mend the template or the rows, then \`opportune retry${target} --all --reason invalid --segment ${segment}\` offers them again.`,
  };
}

function together(channels: readonly Outcomes[]): Outcomes {
  const sum = (of: keyof Outcomes): number => channels.reduce((total, outcomes) => total + outcomes[of], 0);
  return { accepted: sum("accepted"), failed: sum("failed"), inDoubt: sum("inDoubt"), untaken: sum("untaken") };
}

function problemOf(
  { channel, outcomes, verdict }: { channel: string; outcomes: Outcomes; verdict: Verdict },
  reasons: readonly Failures[],
  target: string,
): Problem {
  const { accepted, failed, inDoubt, untaken } = outcomes;
  const wrong = failed + inDoubt + untaken;
  const parts = [
    [failed, "failed for good"],
    [inDoubt, "in doubt"],
    [untaken, "released"],
  ] as const;
  const said = parts.filter(([n]) => n > 0).map(([n, what]) => `${String(n)} ${what}`);
  const ofIt = reasons.filter((each) => channel === "" || each.channel === channel);
  const [first] = ofIt;
  const messages = `${String(wrong)} of ${counted(accepted + wrong)}`;
  return {
    code: FAILURES_CODE,
    message:
      `${channel === "" ? "All channels together" : `Channel ${channel}`}: ${messages} failed${verdict === "nothing_accepted" ? " and none was accepted" : ""} (${said.join(", ")}).` +
      (first === undefined ? "" : ` The commonest reason (${counted(first.messages)}): ${short(first.reason)}`),
    hint: waysOut(ofIt, target).join(" "),
  };
}

function counted(messages: number): string {
  return `${String(messages)} message${messages === 1 ? "" : "s"}`;
}
