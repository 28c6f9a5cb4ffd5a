/** What there is to be alerted of, from what a run did; and what is over. */
import type { Problem } from "../core/errors.js";
import type { AlertKind, Project } from "../project/types.js";
import type { RunResult } from "../run.js";

/** One thing that is wrong. */
export interface Condition {
  kind: AlertKind;
  /** As in errors, or the reason for which messages wait. */
  code: string;
  subject: Subject;
  /** The name of the segment, audience or channel; '' of others. */
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

/** Too few users in an audience: a guard of the user's own, no failure. */
const HELD_CODE = "audience/min-rows";

/** Everything wrong with a run, but for silence, which shows only beside other runs. */
export function conditionsOf(observation: Observation): Condition[] {
  if (observation.went === "wrong") {
    const { problems, subject } = observation;
    return problems.map(({ code, message }) => ({ kind: "failed", code, subject, name: "", message }));
  }
  const { decisions, delivery } = observation.result;
  return [
    ...decisions.segments.flatMap(({ segment: name, problem, reasons, tooOld }): Condition[] => {
      const held = (code: string, message: string): Condition => ({ kind: "held", code, subject: "segment", name, message });
      return [
        ...(problem === null ? [] : [{ kind: "failed", code: problem.code, subject: "segment", name, message: problem.message } as const]),
        ...((reasons["surge"] ?? 0) > 0 ? [held("surge", `${String(reasons["surge"])} candidates wait: far more than in its last runs.`)] : []),
        ...(tooOld ? [held("stale_data", "A source that it reads is older than its stale_after, or can't be read.")] : []),
      ];
    }),
    ...decisions.failedAudiences.map(({ audience: name, problem: { code, message } }): Condition => {
      return { kind: code === HELD_CODE ? "held" : "failed", code, subject: "audience", name, message };
    }),
    ...[...(delivery?.stoppedChannels ?? [])].map(([name, message]): Condition => {
      return { kind: "failed", code: "delivery/channel-stopped", subject: "channel", name, message };
    }),
  ];
}

/** Whether something that is not wrong any more, as far as this run shows, is over: a run says nothing of what it didn't ask. */
export function isOver(key: string, observation: Observation, project: Pick<Project, "segments" | "audiences" | "channels">): boolean {
  const { subject, name } = ofKey(key);
  if (subject === "run" || subject === "project") return true;
  if (observation.went === "wrong") return false;
  const { decisions, delivery } = observation.result;
  switch (subject) {
    case "segment":
      return decisions.segments.some(({ segment }) => segment === name) || (project.segments.get(name)?.status ?? "draft") === "draft";
    case "audience":
      return decisions.audiences.some(({ audience }) => audience === name) || !project.audiences.has(name);
    case "channel":
      return (delivery?.channels.get(name)?.accepted ?? 0) > 0 || !project.channels.has(name);
  }
}
