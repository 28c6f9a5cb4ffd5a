/** Messages that failed, why, and what helps: for the run's errors, its summary and the log. */

/** Messages of a channel that failed for one reason. */
export interface Failures {
  channel: string;
  outcome: "rejected" | "invalid" | "in_doubt" | "released";
  /** The first one's, in the provider's words or ours. */
  reason: string;
  messages: number;
}

/** Codes of the problems of a delivery, by which alerts know them too: of a channel that stopped, by why it did, … */
export const STOPPED_CODES = {
  refused: "delivery/channel-stopped",
  rejected: "delivery/channel-stopped",
  unavailable: "delivery/provider-unavailable",
  clock: "delivery/clock",
} as const;
/** … of a channel that its breaker paused in an earlier run, while messages wait for it, … */
export const PAUSED_CODE = "delivery/channel-paused";
/** … and of messages that failed without stopping a channel. */
export const FAILURES_CODE = "delivery/failures";
/** Each message of a segment was found invalid. */
export const SEGMENT_INVALID_CODE = "delivery/segment-invalid";

/** What a command needs to mean a live target, which is seldom the one that is used where none is named. */
export function targetOption({ live, name }: { live: boolean; name: string }): string {
  return live ? optionOf(name) : "";
}

/** What a command needs to mean the target that was asked for by name; "" if none was. */
export function optionOf(name: string | undefined): string {
  return name === undefined ? "" : ` --target ${name}`;
}

/**
 * The text with `option` (of targetOption or optionOf) in each command that it shows without a target: on another target the same
 * command is about other messages, pauses and doubts.
 */
export function forTarget(text: string, option: string): string {
  if (option === "") return text;
  const named = (command: string): string => (command.includes("--target") ? command : command + option);
  return (
    text
      .replaceAll(/`(opportune (?!init\b|demo\b)[a-z][^`\n]*)`/g, (_, command: string) => `\`${named(command)}\``)
      // A command on a line of its own, with a comment or without.
      .replaceAll(
        /^( {4})(opportune (?!init\b|demo\b)[a-z][^#\n]*?)( *(?:#.*)?)$/gm,
        (_, space: string, command: string, rest: string) => space + named(command) + rest,
      )
  );
}

/** Reasons that are shown; run_results.json has all of them. */
export const COMMONEST = 5;

/** Most characters of a reason that are shown; the ledger has all of it. */
const SHOWN = 160;

/** A reason on one line. */
export function short(reason: string): string {
  const line = reason.replaceAll(/\s+/gu, " ").trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}

/** What helps against these failures: a sentence for each kind of outcome. */
export function waysOut(failures: readonly Failures[], target: string): string[] {
  const channels = (outcome: Failures["outcome"]): string[] => [...new Set(failures.filter((each) => each.outcome === outcome).map(({ channel }) => channel))];
  const retry = (reason: "rejected" | "invalid"): string[] => {
    const [only, ...others] = channels(reason);
    if (only === undefined) return [];
    const command = `opportune retry${target} --all --reason ${reason}${others.length === 0 ? ` --channel ${only}` : ""}`;
    return [`Mend what made them ${reason}, then \`${command}\` offers them again.`];
  };
  return [
    ...retry("rejected"),
    ...retry("invalid"),
    ...(channels("in_doubt").length === 0 ? [] : [`\`opportune doubts${target}\` lists those in doubt; \`opportune doubts settle${target}\` settles them.`]),
    ...(channels("released").length === 0
      ? []
      : ["Released messages are decided again by the next run; check the provider's status page and the channel's `endpoint`."]),
  ];
}

/** What helps where a run went by a wrong clock. */
export const TAKE_BACK = "take it back with `opportune ledger forget RUN`";
