/** What there is to be alerted of, from what a run did; and what is over. */
import type { Problem } from "../core/errors.js";
import { FAILURES_CODE, SEGMENT_INVALID_CODE, short, STOPPED_CODES } from "../core/failures.js";
import type { StandingDoubts } from "../ledger/recovery/standing-doubts.js";
import type { AlertKind, Project } from "../project/types.js";
import type { RunResult } from "../run/types.js";

/** One thing that is wrong. */
export interface Condition {
  kind: AlertKind;
  /** As in errors, or the reason for which messages wait. */
  code: string;
  subject: Subject;
  /** The name of the segment, audience or channel, or the id of a run that left doubts; '' of others. */
  name: string;
  message: string;
}

type Subject = "segment" | "audience" | "channel" | "project" | "run";

/** How a run went: through to its end, or broken off by an error. */
export type Observation = { went: "through"; result: RunResult } | { went: "wrong"; problems: readonly Problem[]; subject: "run" | "project" };

/** The same thing wrong, run after run, has the same key. */
export function keyOf({ kind, code, subject, name }: Omit<Condition, "message">): string {
  return [kind, code, subject, name].join(" ").trim();
}

/** What a key stands for. */
export function ofKey(key: string): Omit<Condition, "message"> {
  const [kind, code = "", subject, name = ""] = key.split(" ");
  return { kind: kind as AlertKind, code, subject: subject as Subject, name };
}

/** Problems by which a guard holds messages back: nothing went wrong, but somebody must look. */
const HELD_CODES = ["audience/min-rows", "run/surge", "ledger/copy"];

const kindOf = (code: string): AlertKind => (HELD_CODES.includes(code) ? "held" : "failed");

/** Messages in doubt that a run left and nobody has settled. */
const IN_DOUBT = "delivery/in-doubt";

const STALE = "A source that it reads is older than its stale_after, or can't be read.";

/** Everything wrong with a run, but for silence, which shows only beside other runs. */
export function conditionsOf(observation: Observation): Condition[] {
  if (observation.went === "wrong") {
    const { problems, subject } = observation;
    return problems.map(({ code, message }) => ({ kind: kindOf(code), code, subject, name: "", message }));
  }
  const { decisions, delivery, failures, doubts } = observation.result;
  const doubted = [...new Set(doubts.map(({ runId }) => runId))];
  return [
    ...decisions.segments.flatMap(({ segment: name, problem, tooOld }): Condition[] => [
      ...(problem === null ? [] : [{ kind: kindOf(problem.code), code: problem.code, subject: "segment", name, message: problem.message } as const]),
      ...(tooOld ? [{ kind: "held", code: "stale-data", subject: "segment", name, message: STALE } as const] : []),
    ]),
    ...decisions.failedAudiences.map(({ audience: name, problem: { code, message } }): Condition => {
      return { kind: kindOf(code), code, subject: "audience", name, message };
    }),
    ...[...(delivery?.stoppedChannels ?? [])].map(([name, { kind, reason }]): Condition => {
      return { kind: "failed", code: STOPPED_CODES[kind], subject: "channel", name, message: reason };
    }),
    ...(delivery?.invalidSegments ?? []).map(({ segment: name, messages, reason }): Condition => {
      const message = `Each of its messages (${String(messages)}) is invalid. The first reason: ${short(reason)}`;
      return { kind: "failed", code: SEGMENT_INVALID_CODE, subject: "segment", name, message };
    }),
    ...failures.map(({ channel, problem: { code, message } }): Condition => {
      return { kind: "failed", code, subject: channel === "" ? "run" : "channel", name: channel, message };
    }),
    // One of each run that left any: further ones are told of too.
    ...doubted.map((name): Condition => ({ kind: "held", code: IN_DOUBT, subject: "run", name, message: doubtsMessage(name, doubts) })),
  ];
}

function doubtsMessage(run: string, doubts: readonly StandingDoubts[]): string {
  const ofRun = doubts.filter(({ runId }) => runId === run);
  const sum = (of: readonly StandingDoubts[]): number => of.reduce((total, { messages }) => total + messages, 0);
  const channels = ofRun.map(({ channel, messages }) => `${String(messages)} on channel ${channel}`).join(", ");
  return `Messages in doubt that run ${run} left: ${channels}. Not settled in all: ${String(sum(doubts))}. \`opportune doubts\` lists them, \`opportune doubts settle\` settles them.`;
}

/** Whether something that is not wrong any more, as far as this run shows, is over: a run says nothing of what it didn't ask. */
export function isOver(key: string, observation: Observation, project: Pick<Project, "segments" | "audiences" | "channels">): boolean {
  const { kind, code, subject, name } = ofKey(key);
  if (observation.went === "wrong") {
    // A run that broke off got past the project, but has asked nobody.
    const ofDelivery = code === FAILURES_CODE || code === IN_DOUBT;
    return observation.subject === "run" && (subject === "project" || (subject === "run" && kind !== "silent" && !ofDelivery));
  }
  const { decisions, delivery } = observation.result;
  switch (subject) {
    case "run":
      return code !== FAILURES_CODE || (delivery?.counts.accepted ?? 0) > 0;
    case "project":
      return true;
    case "segment":
      // A run that delivers nothing of it doesn't show whether its messages can be made now.
      return (
        decisions.segments.some(({ segment, reasons }) => segment === name && (code !== SEGMENT_INVALID_CODE || (reasons["claimed"] ?? 0) > 0)) ||
        (project.segments.get(name)?.status ?? "draft") === "draft"
      );
    case "audience":
      return decisions.audiences.some(({ audience }) => audience === name) || !project.audiences.has(name);
    case "channel":
      return (delivery?.channels.get(name)?.accepted ?? 0) > 0 || !project.channels.has(name);
  }
}
