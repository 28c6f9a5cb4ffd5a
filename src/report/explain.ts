import { formatDuration } from "../core/durations.js";
import { isZone } from "../core/zones.js";
import type { Paint } from "./paint.js";
import { Temporal } from "temporal-polyfill";
import type { Journey, StoryEvent, StoryMessage, StoryZone } from "./story.js";
import { counted, visible, wrapped } from "./tables.js";

/** Message id → what it is called. */
export type MessageNames = ReadonlyMap<string, string>;

/** Templates by their version, as the ledger has them from when each was used first: the whole text, and the subject as it is written in it. */
export type TemplateTexts = ReadonlyMap<string, { text: string; subject: string | null }>;

/** What a story is told with. */
export interface StoryAbout {
  /** How many the ledger holds; fewer may be shown. */
  events: number;
  names: MessageNames;
  templates: TemplateTexts;
}

/** A user's story as text, its times in the user's zone. `width`: columns of the terminal. `fullTexts`: with the whole text of the templates. */
export function storyLines(
  user: string,
  journeys: readonly Journey[],
  about: StoryAbout & { shown: number; paint: Paint; width: number; timezone: StoryZone; fullTexts: boolean },
): string[] {
  const { paint, names, timezone, width } = about;
  const time: Writer = (iso, zone = "") => (zone === "" ? localTime(iso, timezone.name) : `${localTime(iso, zone)} in ${zone}`);
  const texts = about.fullTexts ? used(journeys).flatMap((version) => ["", paint.bold(`Template version ${version}`), text(about.templates, version)]) : [];
  const cut = about.events > about.shown ? `, the newest ${String(about.shown)} shown (--limit)` : "";
  const fit = (line: string, hang: number): string => wrapped(line, width, hang);
  return [
    fit(
      paint.bold(
        `User ${visible(user)}: ${counted(about.events, "event")} in ${counted(journeys.length, "journey")}${cut}. Times are in ${timezone.name}${whoseZone(timezone)}.`,
      ),
      2,
    ),
    ...journeys.flatMap(({ segment, key, occurredAt, messages }) => [
      "",
      fit(`${paint.bold(segment)}${key === "" ? "" : `  ${visible(key)}`}  behaviour of ${time(occurredAt)}`, 2),
      ...messages.flatMap((message) => [
        fit(
          `  ${message.step}${message.channel === null ? "" : ` (${message.channel})`}${message.dueAt === null ? "" : `, due ${time(message.dueAt)}`}${message.expiresAt === null ? "" : ` until ${time(message.expiresAt)}`}`,
          4,
        ),
        ...madeFrom(message, about.templates).map((line) => fit(line, 6)),
        ...message.events.map((event) => {
          const at = time(isOutcome(event) ? event.recordedAt : event.decidedAt);
          return fit(`    ${at}  ${colour(event, paint)}  ${inWords(event, names, time)}`, at.length + WIDEST_EVENT + 8);
        }),
      ]),
    ]),
    ...texts,
  ];
}

/** Whose a zone is, after its name. */
export function whoseZone({ known }: StoryZone): string {
  return known ? ", where the user is" : ", the project's zone, as the user's own is not known";
}

/** Versions of the templates of these messages. */
export function used(journeys: readonly Journey[]): string[] {
  return [...new Set(journeys.flatMap(({ messages }) => messages.flatMap((message) => message.madeFrom?.version ?? [])))];
}

function text(templates: TemplateTexts, version: string): string {
  return (templates.get(version)?.text ?? "The ledger has no text of it: it was used before texts were kept.").split("\n").map(visible).join("\n");
}

/** Variant, template and its subject as it was written. */
function madeFrom({ madeFrom: made }: StoryMessage, templates: TemplateTexts): string[] {
  if (made === null) return [];
  const subject = templates.get(made.version ?? "")?.subject ?? null;
  const parts = [
    ...(made.variant === "" ? [] : [`variant ${made.variant}`]),
    `template ${made.template}${made.version === null ? "" : ` (version ${made.version})`}`,
    ...(subject === null ? [] : [`subject: ${visible(subject)}`]),
  ];
  return [`    ${parts.join(", ")}`];
}

/** `explain --output json`: times in UTC, `timezone` says in which zone the others tell them. */
export function storyDocument(user: string, journeys: readonly Journey[], about: StoryAbout & { timezone: StoryZone | null }): object {
  return {
    schema_version: 1,
    user_id: user,
    timezone: about.timezone?.known === true ? about.timezone.name : null,
    events: about.events,
    journeys: journeys.map(({ segment, key, occurredAt, messages }) => ({
      segment,
      key,
      occurred_at: occurredAt,
      messages: messages.map(({ step, madeFrom: made, messageId, channel, dueAt, expiresAt, events }) => ({
        step,
        variant: made?.variant ?? null,
        template: made === null ? null : { name: made.template, version: made.version, text: about.templates.get(made.version ?? "")?.text ?? null },
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
          explanation: inWords(event, about.names, (iso) => iso),
        })),
      })),
    })),
  };
}

/** Puts an instant (ISO 8601 UTC) into words; `zone`: of the hours that it is told for, '' where that isn't known. */
export type Writer = (iso: string, zone?: string) => string;

/** The reason with its numbers. */
export function inWords(event: StoryEvent, names: MessageNames, write: Writer): string {
  const numbers = numbersOf(event, names, write);
  return visible(numbers === "" ? event.explanation : `${event.explanation}: ${numbers}`);
}

function numbersOf({ event, reason, detail, providerId }: StoryEvent, names: MessageNames, write: Writer): string {
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
      return `until ${text("opens_at") === "" ? "an unknown time" : write(text("opens_at"), text("zone"))}`;
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

/** `2026-03-02 21:00:00` of `2026-03-02T12:00:00Z` in Asia/Tokyo; a zone that this machine doesn't know is told in UTC, and says so. */
function localTime(iso: string, timezone: string): string {
  const words = (zone: string): string =>
    Temporal.Instant.from(iso).toZonedDateTimeISO(zone).toPlainDateTime().toString({ smallestUnit: "second" }).replace("T", " ");
  return isZone(timezone) ? words(timezone) : `${words("UTC")} UTC`;
}

const WIDEST_EVENT = "backfilled".length;

function colour({ event }: StoryEvent, paint: Paint): string {
  const padded = event.padEnd(WIDEST_EVENT);
  if (event === "accepted" || event === "claimed") return paint.green(padded);
  if (event === "failed" || event === "in_doubt") return paint.red(padded);
  return event === "waiting" ? paint.yellow(padded) : padded;
}
