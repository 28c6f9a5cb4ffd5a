/**
 * What delivery speaks of: messages, what a provider says of one, and the events that the ledger keeps.
 * No warehouse and no provider's library is named here.
 */

/** One rendered message, complete: what a provider needs and nothing that it doesn't. */
export interface OutgoingMessage {
  /** The ledger's message id: a salted hash, so that it may travel in the provider's metadata. */
  messageId: string;
  runId: string;
  segment: string;
  step: string;
  /** `` where the step has no variants. */
  variant: string;
  /** The channel's name in opportune.yml. */
  channel: string;
  /** Where to really send. */
  address: string;
  /** The recipient's name, if the message shows one. */
  name?: string;
  /** `Name <address>` or an address; null on channels without senders. */
  from: string | null;
  replyTo: string | null;
  /** Null on channels without subjects. */
  subject: string | null;
  html: string | null;
  text: string | null;
  /** The mail's own headers, e.g. List-Unsubscribe. */
  headers: Readonly<Record<string, string>>;
  topic: string | null;
}

/**
 * What became of one attempt.
 * - `accepted`: the provider has it. `providerId` is null where it gave none.
 * - `rejected`: refused for good, because of this message (400, 413 …); `unposted` where it was
 *   refused before any request, so that nothing is known of the provider.
 * - `unauthorised`: refused whatever the message: wrong key, forbidden sender, no such endpoint.
 *   The channel stops.
 * - `try_again`: nothing left, or the provider refused it in a whole answer. `afterMs`
 *   (milliseconds from now) is the provider's own word on when, and holds for the whole channel;
 *   null leaves it to the caller's backoff, for this message alone.
 * - `in_doubt`: the request may have left, and no whole answer says that the provider did not take
 *   it.
 *
 * A reason never holds a key or the recipient's address: reasons are kept in the ledger.
 */
export type SendOutcome = (
  | { kind: "accepted"; providerId: string | null }
  | { kind: "rejected"; reason: string; unposted?: true }
  | { kind: "unauthorised"; reason: string }
  | { kind: "try_again"; afterMs: number | null; reason: string }
  | { kind: "in_doubt"; reason: string }
) & {
  /** How this machine's clock differs from the answer's: no further message may go by it. */
  wrongClock?: string;
};

/** Something that takes messages. */
export interface Provider {
  /**
   * Makes one attempt and always answers: it never throws for what the network or the provider does.
   * `signal` gives up an answer that is still awaited: `in_doubt` once the request may have left, else `try_again`.
   */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome>;
  /** Frees connections. No message may be under way. */
  close(): Promise<void>;
}

/** What delivery must know of a claim; the ledger's own type may hold more and travels back in the events. */
export interface DeliverableClaim {
  messageId: string;
  segment: string;
  channel: string;
  /** Epoch milliseconds: from then on the message must not be posted. */
  sendBy: number;
  /** Epoch milliseconds: when the message fell due. */
  dueAt: number;
}

/** Why a claim went back to be decided again: nothing of it was handed over. */
export type ReleaseReason =
  /** Its segment, its channel or the project is paused. */
  | "paused"
  /** Its `send_by` passed. */
  | "send_by"
  /** The provider did not take it within the attempts or the time there were, or takes nothing at all. */
  | "provider_unavailable"
  /** The provider refused the channel itself (401, 403 …). */
  | "channel_stopped"
  /** The run's lease left no time for another post. */
  | "lease"
  /** The process was asked to stop. */
  | "stopped";

export type FailureReason = "rejected" | "invalid";

/**
 * One row for the ledger. `at` is epoch milliseconds by the wall's clock; `detail` is for people and holds no address. `unposted`:
 * nothing was asked of the provider, so that the failure says nothing of it.
 */
export type DeliveryEvent<T extends DeliverableClaim = DeliverableClaim> =
  | { event: "sending"; claim: T; at: number }
  | { event: "accepted"; claim: T; at: number; providerId: string | null }
  | { event: "failed"; claim: T; at: number; reason: FailureReason; detail: string; unposted?: true }
  | { event: "in_doubt"; claim: T; at: number; detail: string }
  | { event: "released"; claim: T; at: number; reason: ReleaseReason; detail: string };

/** Everything but `sending`: what ends a claim's delivery. */
export type OutcomeEvent<T extends DeliverableClaim = DeliverableClaim> = Exclude<DeliveryEvent<T>, { event: "sending" }>;

/** What is paused at this moment. */
export interface PauseState {
  project: boolean;
  segments: ReadonlySet<string>;
  channels: ReadonlySet<string>;
}

/** What a channel's last messages say of its provider, from runs before this one. */
export interface Earlier {
  /** Messages in a row that failed since the last good answer. */
  failures: number;
  /** Rejections since the last accepted message, by what they have in common (alike.ts). */
  rejections: ReadonlyMap<string, number>;
}

export const NOTHING_EARLIER: Earlier = { failures: 0, rejections: new Map() };

/** A provider and how much may be asked of it: messages of one lane share its rate, its connections and its waits. */
export interface Lane {
  /** For progress and errors, e.g. `email` or `outbox`. */
  name: string;
  provider: Provider;
  /** Requests under way at once. */
  inFlight: number;
  /** Most requests started in any one second; Infinity for no limit. */
  ratePerSecond: number;
  /** `resend`: a message in doubt is posted once more in this run. */
  onDoubt: "hold" | "resend";
  earlier: Earlier;
}

/** Why a channel stopped: its provider refused it (401, 403 …), rejects every message alike (400), takes nothing from anyone, or has another clock. */
export type StopKind = "refused" | "rejected" | "unavailable" | "clock";

/** A channel that stopped in mid-run; what of it was not posted was released. */
export interface StoppedChannel {
  kind: StopKind;
  /** What the provider said last. */
  reason: string;
  /** How long the channel is better left alone from now on, ms. */
  pauseMs: number;
  /** The channel's claims in this run, by outcome. */
  accepted: number;
  inDoubt: number;
  released: number;
}
