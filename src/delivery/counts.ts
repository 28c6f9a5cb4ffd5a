import type { FailureReason, OutcomeEvent, ReleaseReason } from "./types.js";

export interface DeliveryCounts {
  accepted: number;
  failed: Record<FailureReason, number>;
  inDoubt: number;
  released: Partial<Record<ReleaseReason, number>>;
}

/** Claims of one channel by what became of them. */
export interface ChannelCounts {
  accepted: number;
  failed: number;
  inDoubt: number;
  released: number;
}

/** Counts outcomes, of all and by channel. */
export class Tally {
  readonly counts: DeliveryCounts = { accepted: 0, failed: { rejected: 0, invalid: 0 }, inDoubt: 0, released: {} };
  readonly #channels = new Map<string, ChannelCounts>();

  get channels(): ReadonlyMap<string, ChannelCounts> {
    return this.#channels;
  }

  add(outcome: OutcomeEvent): void {
    const { counts } = this;
    const channel = this.ofChannel(outcome.claim.channel);
    switch (outcome.event) {
      case "accepted":
        counts.accepted += 1;
        channel.accepted += 1;
        return;
      case "failed":
        counts.failed[outcome.reason] += 1;
        channel.failed += 1;
        return;
      case "in_doubt":
        counts.inDoubt += 1;
        channel.inDoubt += 1;
        return;
      case "released":
        counts.released[outcome.reason] = (counts.released[outcome.reason] ?? 0) + 1;
        channel.released += 1;
    }
  }

  ofChannel(name: string): ChannelCounts {
    let counts = this.#channels.get(name);
    if (counts === undefined) {
      counts = { accepted: 0, failed: 0, inDoubt: 0, released: 0 };
      this.#channels.set(name, counts);
    }
    return counts;
  }
}
