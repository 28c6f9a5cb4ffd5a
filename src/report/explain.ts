import { formatDuration } from "../core/durations.js";
import type { Paint } from "./paint.js";
import type { Journey, StoryEvent } from "./story.js";
import { counted, visible } from "./tables.js";

/** Message id → what it is called. */
export type MessageNames = ReadonlyMap<string, string>;

/** A user's story as text. `events` is how many the ledger holds; fewer may be shown. */
export function storyLines(user: string, journeys: readonly Journey[], about: { events: number; shown: number; names: MessageNames; paint: Paint }): string[] {
  const { paint, names } = about;
  const cut = about.events > about.shown ? `, the newest ${String(about.shown)} shown (--limit)` : "";
  return [
    paint.bold(`User ${visible(user)}: ${counted(about.events, "event")} in ${counted(journeys.length, "journey")}${cut}. Times are UTC.`),
    ...journeys.flatMap(({ segment, key, occurredAt, messages }) => [
      "",
      `${paint.bold(segment)}${key === "" ? "" : `  ${visible(key)}`}  behaviour of ${time(occurredAt)}`,
      ...messages.flatMap((message) => [
        `  ${message.step}${message.channel === null ? "" : ` (${message.channel})`}${message.dueAt === null ? "" : `, due ${time(message.dueAt)}`}${message.expiresAt === null ? "" : ` until ${time(message.expiresAt)}`}`,
        ...message.events.map(
          (event) => `    ${time(isOutcome(event) ? event.recordedAt : event.decidedAt)}  ${colour(event, paint)}  ${inWords(event, names)}`,
        ),
      ]),
    ]),
  ];
}

/** `explain --output json`. */
export function storyDocument(user: string, journeys: readonly Journey[], about: { events: number; names: MessageNames }): object {
  return {
    schema_version: 1,
    user_id: user,
    events: about.events,
    journeys: journeys.map(({ segment, key, occurredAt, messages }) => ({
      segment,
      key,
      occurred_at: occurredAt,
      messages: messages.map(({ step, messageId, channel, dueAt, expiresAt, events }) => ({
        step,
        message_id: messageId,
        channel,
        due_at: dueAt,
        expires_at: expiresAt,
        events: events.map((event) => ({
          event: event.event,
          reason: event.reason,
          rule: event.rule,
          decided_at: event.decidedAt,
          recorded_at: event.recordedAt,
          run_id: event.runId,
          detail: event.detail,
          provider_id: event.providerId,
          explanation: inWords(event, about.names),
        })),
      })),
    })),
  };
}

/** The reason with its numbers; `write` puts an instant (ISO 8601 UTC) into words. */
export function inWords(event: StoryEvent, names: MessageNames, write = time): string {
  const numbers = numbersOf(event, names, write);
  return visible(numbers === "" ? event.explanation : `${event.explanation}: ${numbers}`);
}

function numbersOf({ event, reason, detail, providerId }: StoryEvent, names: MessageNames, write: (iso: string) => string): string {
  const text = (name: string): string => String(detail[name] ?? "");
  const at = (name: string): string => (detail[name] === null || detail[name] === undefined ? "an unknown time" : write(text(name)));
  const length = (name: string): string => formatDuration(Math.max(0, Number(detail[name] ?? 0)));
  if (event === "accepted") return providerId === null ? "" : `its id there is ${providerId}`;
  if (event === "failed" || event === "in_doubt" || event === "released") return text("because");
  if (event === "left") return `after ${length("waited_seconds")}`;
  if (event === "backfilled") return `its steps count from ${at("counts_from")}`;
  switch (reason) {
    case "baseline":
      return `it began at ${at("activated_at")}`;
    case "converted":
      return detail["reached_at"] === null || detail["reached_at"] === undefined ? text("goal") : `${text("goal")} at ${at("reached_at")}`;
    case "expired":
      return `at ${at("window_ended_at")}`;
    case "repeat_gap":
      return `last at ${at("last_claimed_at")}, at most every ${length("repeat_seconds")}`;
    case "surge":
      return `${text("offered")} candidates, at most ${text("limit")}`;
    case "stale_data":
      return `due ${at("due_at")}, the oldest source has data up to ${at("loaded_at")}`;
    case "step_gap":
      return `sent at ${at("last_step_claimed_at")}, the steps are ${length("gap_seconds")} apart`;
    case "quiet_hours":
      return `until ${at("opens_at")}${text("zone") === "" ? "" : ` in ${text("zone")}`}`;
    case "cap":
      return `${text("used")} of ${text("max")} in ${length("window_seconds")}`;
    case "spacing":
      return `last at ${at("last_claimed_at")}, ${length("spacing_seconds")} apart`;
    case "outranked":
      return names.get(text("winner")) ?? text("winner");
    case "run_limit":
      return `${text("limit")} a run`;
    default:
      return "";
  }
}

/** Events that have a time of their own; decisions are as of their run. */
function isOutcome({ event }: StoryEvent): boolean {
  return ["sending", "accepted", "failed", "in_doubt", "released"].includes(event);
}

/** `2026-03-02 12:00:00` of `2026-03-02T12:00:00Z`. */
function time(iso: string): string {
  return iso.replace("T", " ").replace(/(\.\d+)?Z$/, "");
}

const WIDEST_EVENT = "backfilled".length;

function colour({ event }: StoryEvent, paint: Paint): string {
  const padded = event.padEnd(WIDEST_EVENT);
  if (event === "accepted" || event === "claimed") return paint.green(padded);
  if (event === "failed" || event === "in_doubt") return paint.red(padded);
  return event === "waiting" ? paint.yellow(padded) : padded;
}
