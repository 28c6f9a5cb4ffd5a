import { alike } from "../core/alike.js";
import type { Failures } from "../core/failures.js";
import type { FailureReason, OutcomeEvent, ReleaseReason } from "./types.js";
import type { Outcomes } from "./verdict.js";

export interface DeliveryCounts {
  accepted: number;
  failed: Record<FailureReason, number>;
  inDoubt: number;
  released: Partial<Record<ReleaseReason, number>>;
}

/** Claims of one channel by outcome; the untaken ones are among the released. */
export interface ChannelCounts extends Outcomes {
  released: number;
}

/** A segment none of whose messages could be made. */
export interface InvalidSegment {
  segment: string;
  messages: number;
  /** The first one's. */
  reason: string;
}

/** Released for want of the provider, not because of a pause, the message's window or this process. */
const UNTAKEN: readonly ReleaseReason[] = ["provider_unavailable", "channel_stopped"];
/** Reasons that are told apart; further ones are counted together. */
const MOST_REASONS = 1_000;
const OTHER_REASONS = "other reasons";

/** Counts outcomes, of all and by channel, and why messages failed. */
export class Tally {
  readonly counts: DeliveryCounts = { accepted: 0, failed: { rejected: 0, invalid: 0 }, inDoubt: 0, released: {} };
  readonly #channels = new Map<string, ChannelCounts>();
  readonly #reasons = new Map<string, Failures>();
  /** By segment; null: not each of its messages is invalid. */
  readonly #invalid = new Map<string, InvalidSegment | null>();

  get channels(): ReadonlyMap<string, ChannelCounts> {
    return this.#channels;
  }

  /** Segments each of whose messages was found invalid, in the order of delivery. */
  get invalidSegments(): InvalidSegment[] {
    return [...this.#invalid.values()].filter((each) => each !== null);
  }

  /** The commonest first. */
  get reasons(): Failures[] {
    return [...this.#reasons.values()].sort((a, b) => b.messages - a.messages);
  }

  add(outcome: OutcomeEvent): void {
    const { counts } = this;
    this.#ofSegment(outcome);
    const channel = this.ofChannel(outcome.claim.channel);
    switch (outcome.event) {
      case "accepted":
        counts.accepted += 1;
        channel.accepted += 1;
        return;
      case "failed":
        counts.failed[outcome.reason] += 1;
        channel.failed += 1;
        this.#because(outcome.claim.channel, outcome.reason, outcome.detail);
        return;
      case "in_doubt":
        counts.inDoubt += 1;
        channel.inDoubt += 1;
        this.#because(outcome.claim.channel, "in_doubt", outcome.detail);
        return;
      case "released":
        counts.released[outcome.reason] = (counts.released[outcome.reason] ?? 0) + 1;
        channel.released += 1;
        if (!UNTAKEN.includes(outcome.reason)) return;
        channel.untaken += 1;
        this.#because(outcome.claim.channel, "released", outcome.detail);
    }
  }

  #ofSegment(outcome: OutcomeEvent): void {
    const { segment } = outcome.claim;
    const known = this.#invalid.get(segment);
    if (known === null) return;
    if (outcome.event !== "failed" || outcome.reason !== "invalid") this.#invalid.set(segment, null);
    else if (known === undefined) this.#invalid.set(segment, { segment, messages: 1, reason: outcome.detail });
    else known.messages += 1;
  }

  #because(channel: string, outcome: Failures["outcome"], detail: string): void {
    const key = (kind: string): string => [channel, outcome, kind].join("\n");
    const own = key(alike(detail));
    const told = this.#reasons.size < MOST_REASONS || this.#reasons.has(own);
    const kept = told ? own : key(OTHER_REASONS);
    const failures = this.#reasons.get(kept);
    if (failures === undefined) this.#reasons.set(kept, { channel, outcome, reason: told ? detail : OTHER_REASONS, messages: 1 });
    else failures.messages += 1;
  }

  ofChannel(name: string): ChannelCounts {
    let counts = this.#channels.get(name);
    if (counts === undefined) {
      counts = { accepted: 0, failed: 0, inDoubt: 0, released: 0, untaken: 0 };
      this.#channels.set(name, counts);
    }
    return counts;
  }
}
