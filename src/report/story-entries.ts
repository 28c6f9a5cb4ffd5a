/** What a reader of a story sees: what the ledger writes down in several rows as one entry, and what is still to come. */
import { reasonOf } from "../arbitration/reasons.js";
import { secondsBefore } from "../core/clock.js";
import type { Policy, Segment } from "../project/types.js";
import type { Journey, StoryEvent, StoryMessage } from "./story.js";

export type EntryKind = "sent" | "waiting" | "silent" | "trouble";

export interface Entry {
  kind: EntryKind;
  /** In two or three words. */
  title: string;
  message: StoryMessage;
  /** The row that says why. */
  told: StoryEvent;
  /** When it was decided, ISO 8601 UTC: an outcome stands at its claim's time. */
  at: string;
  /** What followed the claim, in order. */
  outcomes: readonly StoryEvent[];
}

/** A journey's entries in the order of time; a claim is one entry with what became of it. */
export function entriesOf({ messages }: Journey): Entry[] {
  const entries = messages.flatMap((message) => {
    const list: (Entry & { outcomes: StoryEvent[] })[] = [];
    for (const event of message.events) {
      const last = list.at(-1);
      if (event.event in OUTCOME_TITLES && last !== undefined) {
        last.outcomes.push(event);
        Object.assign(last, titled(event));
        if (event.event !== "sending") last.told = event;
      } else list.push({ ...titled(event), message, told: event, at: event.decidedAt, outcomes: [] });
    }
    return list;
  });
  // A stable sort: what was decided at one time stays in the order of the steps.
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Outcomes have a title of their own; a decision has its reason's. */
const OUTCOME_TITLES: Readonly<Record<string, Pick<Entry, "kind" | "title">>> = {
  sending: { kind: "waiting", title: "Handed over" },
  accepted: { kind: "sent", title: "Sent" },
  failed: { kind: "trouble", title: "Failed" },
  in_doubt: { kind: "trouble", title: "In doubt" },
  released: { kind: "waiting", title: "Offered again" },
  voided: { kind: "silent", title: "Taken back" },
};

/** Decisions after which a message may still go. */
const OPEN: ReadonlySet<string> = new Set(["claimed", "waiting", "backfilled"]);

function titled({ event, reason }: StoryEvent): Pick<Entry, "kind" | "title"> {
  return OUTCOME_TITLES[event] ?? { kind: OPEN.has(event) ? "waiting" : "silent", title: reasonOf(reason)?.title ?? "Not sent" };
}

export interface Next {
  segment: string;
  key: string;
  step: string;
  channel: string | null;
  /** ISO 8601 UTC. `from` is past for what is due already. */
  from: string;
  until: string;
  /** The last answer about a step that is due already; null for one that is still to fall due. */
  told: StoryEvent | null;
}

/**
 * What may still come of the journeys after `asOf` (ISO 8601 UTC), soonest first: steps that were due and got no final answer, and
 * steps of live segments, as they stand today, that fall due later.
 */
export function nextOf(journeys: readonly Journey[], segments: ReadonlyMap<string, Segment>, asOf: string): Next[] {
  const next = journeys.flatMap((journey): Next[] => {
    const { segment: id, key } = journey;
    const segment = segments.get(id);
    if (segment?.status !== "live" || journey.messages.some(({ events }) => isOver(events.at(-1)))) return [];
    const anchor = countsFrom(journey, segment);
    return segment.steps.flatMap((step): Next[] => {
      const known = journey.messages.find((message) => message.step === step.name);
      const told = known?.events.at(-1) ?? null;
      if (told !== null && !["waiting", "denied", "released", "voided"].includes(told.event)) return [];
      const from = known?.dueAt ?? later(anchor, Math.min(...[step, ...step.variants].map(({ afterSeconds }) => afterSeconds)));
      const until = known?.expiresAt ?? later(from, step.withinSeconds);
      return until > asOf ? [{ segment: id, key, step: step.name, channel: known?.channel ?? step.channel, from, until, told }] : [];
    });
  });
  return next.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
}

function isOver(last: StoryEvent | undefined): boolean {
  return last !== undefined && !(last.event in OUTCOME_TITLES) && reasonOf(last.reason)?.endsJourney === true;
}

/** What the steps count from: the behaviour, but the run of the backfill in a backfilled journey, which shows in the due times. */
function countsFrom({ messages, occurredAt }: Journey, { steps }: Segment): string {
  for (const { step: name, dueAt } of messages) {
    const step = steps.find((each) => each.name === name);
    if (dueAt !== null && step?.variants.length === 0) return later(dueAt, -step.afterSeconds);
  }
  return occurredAt;
}

const later = (iso: string, seconds: number): string => secondsBefore(iso, -seconds);

/** A message that caps and spacing count. */
export interface Heard {
  channel: string | null;
  topic: string | null;
  /** ISO 8601 UTC. */
  decidedAt: string;
}

export interface CapInUse {
  name: string;
  used: number;
  max: number;
  /** When the first place is free again, ISO 8601 UTC; null where one is. */
  fullUntil: string | null;
}

/** Each cap of the policy as it stands for a user at `asOf`; `heard` oldest first. */
export function capsInUse({ caps }: Policy, heard: readonly Heard[], asOf: string): CapInUse[] {
  return caps.map(({ name, max, windowSeconds, channel, topic }) => {
    const begin = Date.parse(asOf) - windowSeconds * 1000;
    const counted = heard.filter((one) => (channel === null || one.channel === channel) && (topic === null || one.topic === topic));
    const inside = counted.filter(({ decidedAt }) => Date.parse(decidedAt) > begin && decidedAt <= asOf);
    const leaves = inside[inside.length - max];
    return { name, used: inside.length, max, fullUntil: leaves === undefined ? null : later(leaves.decidedAt, windowSeconds) };
  });
}

/** Until when the spacing keeps marketing back; null where it doesn't. */
export function spacedUntil({ spacingSeconds }: Policy, heard: readonly Heard[], asOf: string): string | null {
  const last = heard.filter(({ decidedAt }) => decidedAt <= asOf).at(-1);
  if (spacingSeconds === null || last === undefined) return null;
  const until = later(last.decidedAt, spacingSeconds);
  return until > asOf ? until : null;
}
