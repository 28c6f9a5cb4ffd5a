/** One user's rows of the ledger as a story: journeys in the order in which they began, each message's events in time order. */

/** An IANA zone; `known`: the user's own, else the project's. */
export interface StoryZone {
  name: string;
  known: boolean;
}

/** A row of sql/explain.sql. Times are ISO 8601 UTC. */
export interface StoryEvent {
  segment: string;
  step: string;
  /** '' without a key. */
  key: string;
  /** The behaviour; in a journey, its anchor. */
  occurredAt: string;
  dueAt: string | null;
  expiresAt: string | null;
  decidedAt: string;
  recordedAt: string;
  event: string;
  reason: string;
  rule: string;
  channel: string | null;
  messageId: string;
  runId: string;
  /** The numbers behind the reason. */
  detail: Readonly<Record<string, string | number | null>>;
  /** The reason in words, as the view `why` has it. */
  explanation: string;
  providerId: string | null;
  variant: string | null;
  template: string | null;
  templateVersion: string | null;
}

/** What a message was made from. */
export interface MadeFrom {
  /** '' where the step has none. */
  variant: string;
  template: string;
  version: string | null;
}

export interface StoryMessage {
  step: string;
  /** Null until it was claimed. */
  madeFrom: MadeFrom | null;
  messageId: string;
  channel: string | null;
  dueAt: string | null;
  expiresAt: string | null;
  events: StoryEvent[];
}

export interface Journey {
  segment: string;
  key: string;
  occurredAt: string;
  messages: StoryMessage[];
}

/** Groups events, given in the ledger's order, by behaviour and message. */
export function journeysOf(events: readonly StoryEvent[]): Journey[] {
  const journeys = new Map<string, Journey>();
  for (const event of events) {
    const { segment, step, key, occurredAt, messageId, channel, dueAt, expiresAt } = event;
    const id = JSON.stringify([segment, key, occurredAt]);
    const journey = journeys.get(id) ?? { segment, key, occurredAt, messages: [] };
    journeys.set(id, journey);
    let message = journey.messages.find((each) => each.step === step);
    if (message === undefined) {
      message = { step, madeFrom: null, messageId, channel, dueAt, expiresAt, events: [] };
      journey.messages.push(message);
    }
    message.events.push(event);
    if (event.event === "claimed" && event.template !== null)
      message.madeFrom = { variant: event.variant ?? "", template: event.template, version: event.templateVersion };
  }
  return [...journeys.values()];
}
