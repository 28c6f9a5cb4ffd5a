import type { DetailKind } from "../arbitration/reasons/row.js";
import { reasonOf } from "../arbitration/reasons.js";
import { formatDuration } from "../core/durations.js";
import type { Paint } from "./paint.js";
import type { Journey, StoryEvent, StoryMessage, StoryZone } from "./story.js";
import { counted, visible, wrapped } from "./tables.js";
import { localTime } from "./times.js";

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
  const texts = about.fullTexts
    ? used(journeys).flatMap((version) => ["", paint.bold(`Template version ${version}`), templateText(about.templates, version)])
    : [];
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

function templateText(templates: TemplateTexts, version: string): string {
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

/** What of an event is put into words. */
type Worded = Pick<StoryEvent, "event" | "reason" | "detail" | "providerId" | "explanation">;

/** The reason with its numbers. */
export function inWords(event: Worded, names: MessageNames, write: Writer): string {
  const numbers = numbersOf(event, names, write);
  return visible(numbers === "" ? event.explanation : `${event.explanation}: ${numbers}`);
}

function numbersOf({ event, reason, detail, providerId }: Worded, names: MessageNames, write: Writer): string {
  if (event === "accepted") return providerId === null ? "" : `its id there is ${providerId}`;
  if (isOutcome({ event })) return text(detail["because"]);
  const row = reasonOf(reason);
  if (row === undefined || Object.keys(detail).length === 0) return "";
  const tell: Readonly<Record<DetailKind, (value: Detail) => string>> = {
    text,
    number: text,
    length: (value) => formatDuration(Math.max(0, Number(value ?? 0))),
    // Hours are told where they are open.
    time: (value) => (isNothing(value) ? "an unknown time" : write(text(value), text(detail["zone"]))),
    message: (value) => names.get(text(value)) ?? text(value),
  };
  const filled = (words: string): string => words.replace(/\{(\w+)\}/g, (_, key: string) => tell[row.detail[key] ?? "text"](detail[key]));
  const known = (words: string): boolean => [...words.matchAll(/\{(\w+)\}/g)].every(([, key = ""]) => !isNothing(detail[key]));
  return filled(row.numbers.replace(/\[(.+?)\]/g, (_, part: string) => (known(part) ? part : "")));
}

type Detail = StoryEvent["detail"][string] | undefined;

function isNothing(value: Detail): value is null | undefined {
  return value === null || value === undefined;
}

function text(value: Detail): string {
  return String(value ?? "");
}

/** Events that have a time of their own; decisions are as of their run. */
function isOutcome({ event }: Pick<StoryEvent, "event">): boolean {
  return ["sending", "accepted", "failed", "in_doubt", "released"].includes(event);
}

const WIDEST_EVENT = "backfilled".length;

function colour({ event }: StoryEvent, paint: Paint): string {
  const padded = event.padEnd(WIDEST_EVENT);
  if (event === "accepted" || event === "claimed") return paint.green(padded);
  if (event === "failed" || event === "in_doubt") return paint.red(padded);
  return event === "waiting" ? paint.yellow(padded) : padded;
}
