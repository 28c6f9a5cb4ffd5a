import { REASONS, reasonOf } from "../arbitration/reasons.js";
import type { Row } from "../warehouse/types.js";
import { inWords, type Writer } from "./explain.js";
import type { Paint } from "./paint.js";
import type { StoryEvent } from "./story.js";
import { counted, visible } from "./tables.js";

/** A message that is due now, with every reason that stops it, in the order of the rules: the first one decides. */
export interface DueNow {
  segment: string;
  step: string;
  key: string;
  occurredAt: string;
  stops: { reason: string; rule: string; detail: StoryEvent["detail"]; explanation: string }[];
  /** Reasons that are asked in line, where an earlier one kept the message out of it. */
  notReached: string[];
}

const IN_LINE = REASONS.filter(({ inLine }) => inLine);
const FIRST_IN_LINE = Math.min(...IN_LINE.map(({ place }) => place ?? Infinity));

/** Rows of arbitration for `explain --all`, in their order, as messages. */
export function dueNow(rows: readonly Row[], write: Writer): DueNow[] {
  const messages = new Map<string, DueNow>();
  for (const row of rows) {
    const text = (name: string): string => String(row[name] ?? "");
    const id = JSON.stringify([row["segment"], row["step"], row["item_key"], row["occurred_at"]]);
    const message = messages.get(id) ?? {
      segment: text("segment"),
      step: text("step"),
      key: text("item_key"),
      occurredAt: text("occurred_at"),
      stops: [],
      notReached: [],
    };
    messages.set(id, message);
    if (row["reason"] === null) continue;
    const detail = row["detail"] === null ? {} : (JSON.parse(text("detail")) as StoryEvent["detail"]);
    const stop = { reason: text("reason"), rule: text("rule"), detail };
    // One that takes the place of another bites in both.
    if (!message.stops.some(({ reason }) => reason === stop.reason)) message.stops.push({ ...stop, explanation: explained(stop, write) });
  }
  return [...messages.values()].map((message) => ({ ...message, notReached: notReachedBy(message) }));
}

function notReachedBy({ stops }: DueNow): string[] {
  const stopped = stops.some(({ reason }) => (reasonOf(reason)?.place ?? Infinity) < FIRST_IN_LINE);
  return stopped ? IN_LINE.map(({ name }) => name) : [];
}

function explained({ reason, rule, detail }: Omit<DueNow["stops"][number], "explanation">, write: Writer): string {
  const row = reasonOf(reason);
  const words = (row?.wordsOf[rule] ?? row?.words ?? reason).replace("{rule}", rule);
  return inWords({ event: row?.event ?? "", reason, detail, providerId: null, explanation: words }, new Map(), write);
}

/** The same in the form of `--output json`. */
export function dueDocument(messages: readonly DueNow[]): object[] {
  return messages.map(({ segment, step, key, occurredAt, stops, notReached }) => ({
    segment,
    step,
    key,
    occurred_at: occurredAt,
    stops,
    not_reached: notReached,
  }));
}

/** What stops a user's messages now, as text. */
export function dueLines(messages: readonly DueNow[], asOf: string, write: Writer, paint: Paint): string[] {
  return [
    "",
    paint.bold(`Now, as of ${write(asOf)}: ${counted(messages.length, "message")} due. Nothing was written or sent to find out.`),
    ...messages.flatMap(({ segment, step, key, occurredAt, stops, notReached }) => [
      `  ${segment} ${step}${key === "" ? "" : `  ${visible(key)}`}  behaviour of ${write(occurredAt)}`,
      ...(stops.length === 0 ? ["    nothing stops it: a run would claim it"] : stops.map(({ reason, explanation }) => `    ${reason}  ${explanation}`)),
      ...(notReached.length === 0 ? [] : [`    ${notReached.join(", ")}  not reached`]),
    ]),
  ];
}
