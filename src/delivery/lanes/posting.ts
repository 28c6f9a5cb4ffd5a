/** The lanes of a run: what is ready, what is marked next, and what may not be posted any more. */
import type { LatencyHistogram } from "../latency.js";
import { Attempts, type Entry, type Lanes, type PostingHooks, type PostingLimits } from "./attempts.js";
import { OpenLane, type Stop } from "./open-lane.js";
import type { DeliverableClaim, Lane, PauseState, ReleaseReason, StopKind } from "../types.js";

const NOTHING_PAUSED: PauseState = { project: false, segments: new Set(), channels: new Set() };

const RELEASE_REASON: Readonly<Record<StopKind, ReleaseReason>> = {
  refused: "channel_stopped",
  rejected: "channel_stopped",
  unavailable: "provider_unavailable",
  clock: "channel_stopped",
};

/** All lanes of a run and what is on them. */
export class Posting<T extends DeliverableClaim> {
  /** Channel → why it stopped. */
  readonly stopped = new Map<string, Stop>();
  /** The last pauses read; checked again before every post. */
  pauses: PauseState = NOTHING_PAUSED;
  readonly #lanes = new Map<Lane, OpenLane<Entry<T>>>();
  /** Channels whose messages failed on a lane. */
  readonly #failedOn = new Map<Lane, Set<string>>();
  readonly #hooks: PostingHooks<T>;
  readonly #attempts: Attempts<T>;
  readonly #stop: AbortSignal;

  /**
   * `stop`: no new post, what is under way is waited for. `abandon`: answers still awaited are
   * given up.
   */
  constructor(hooks: PostingHooks<T>, limits: PostingLimits, stop: AbortSignal, abandon: AbortSignal) {
    this.#hooks = hooks;
    this.#stop = stop;
    const lanes: Lanes<T> = {
      open: (lane) => this.#open(lane),
      mayStart: (entry, now) => this.#mayStart(entry, now),
      mayWait: (entry, until) => this.#mayWait(entry, until),
      failed: (entry) => this.#noteFailure(entry),
      stopLane: (entry, reason) => this.#stopLane(entry, reason),
    };
    this.#attempts = new Attempts<T>(lanes, hooks, limits, stop, abandon);
    stop.addEventListener("abort", () => this.#pumpAll());
  }

  /** From handing a message to its provider until the answer, over all attempts. */
  get latency(): LatencyHistogram {
    return this.#attempts.latency;
  }

  /** Requests made, retries included. */
  get posts(): number {
    return this.#attempts.posts;
  }

  /** Keeps a rendered entry until it is to be marked. */
  prepare(entry: Entry<T>): void {
    this.#open(entry.lane).prepare(entry);
  }

  /** Entries that are rendered and not marked. */
  get ready(): number {
    let ready = 0;
    for (const lane of this.#lanes.values()) ready += lane.ready;
    return ready;
  }

  /** Whether a lane would run dry if it had to wait for another append. */
  hungry(appendMs: number): boolean {
    const now = this.#hooks.now();
    return [...this.#lanes.values()].some((lane) => lane.ready > 0 && lane.hungry(now, appendMs));
  }

  /** Whether nothing is posted any more. */
  get stopping(): boolean {
    return this.#stop.aborted;
  }

  /** Entries marked, or being marked, that have no outcome yet. */
  get unanswered(): number {
    let unanswered = 0;
    for (const lane of this.#lanes.values()) unanswered += lane.unanswered;
    return unanswered;
  }

  /** Of these, messages that were rejected and whose outcome depends on others. */
  get undecided(): number {
    let waiting = 0;
    for (const lane of this.#lanes.values()) waiting += lane.rejections.waiting;
    return waiting;
  }

  /**
   * Nothing is under way, and nothing more comes: what depended on others is settled, and lanes
   * that failed too often stop.
   */
  conclude(): void {
    for (const [lane, open] of this.#lanes) {
      this.#attempts.fail(open.rejections.drain());
      const stop = open.lastWord;
      // Answers that were given up because the process had to end say nothing of the provider.
      if (stop === null || this.#stop.aborted) continue;
      open.stop = stop;
      for (const channel of this.#failedOn.get(lane) ?? []) this.stopped.set(channel, stop);
    }
  }

  /**
   * The entries to mark `sending` now: at most `room`, of each lane what it needs; all there are
   * where `appendMs` is null. Lanes that have something ready share `bound`, the most that may be
   * unanswered: one that hangs leaves the others theirs. None has more than `ofOne`.
   */
  take(room: number, bound: number, ofOne: number, appendMs: number | null): Entry<T>[] {
    const now = this.#hooks.now();
    const lanes = [...this.#lanes.values()].filter((lane) => lane.ready > 0);
    const share = Math.min(ofOne, Math.floor(bound / lanes.length));
    const taken: Entry<T>[] = [];
    for (const lane of lanes) taken.push(...lane.take(Math.min(room - taken.length, share - lane.unanswered + lane.rejections.waiting), now, appendMs));
    return taken;
  }

  /** Entries that were taken and not marked after all: nothing is posted of them. */
  drop(entries: readonly Entry<T>[]): void {
    for (const { lane } of entries) this.#open(lane).unanswered -= 1;
  }

  /** Begins the delivery of entries whose `sending` rows are committed. */
  start(entries: readonly Entry<T>[]): void {
    const byLane = new Map<Lane, Entry<T>[]>();
    for (const entry of entries) {
      entry.marked = true;
      const list = byLane.get(entry.lane);
      if (list === undefined) byLane.set(entry.lane, [entry]);
      else list.push(entry);
    }
    for (const [lane, list] of byLane) this.#open(lane).queue.push(list);
  }

  /**
   * Why a claim must not be posted now; null if it may. `lane` is null before the claim is
   * rendered.
   */
  hindrance(claim: T, lane: Lane | null, now: number): { reason: ReleaseReason; detail: string } | null {
    if (this.#stop.aborted) return { reason: "stopped", detail: "the run was asked to stop" };
    const stop = this.stopped.get(claim.channel) ?? (lane === null ? null : this.#open(lane).stop);
    if (stop !== null) {
      // A lane that several channels share stops each of them.
      this.stopped.set(claim.channel, stop);
      return { reason: RELEASE_REASON[stop.kind], detail: stop.reason };
    }
    const paused = this.#pausedBy(claim);
    if (paused !== null) return { reason: "paused", detail: paused };
    if (claim.sendBy <= now) return { reason: "send_by", detail: "" };
    if (this.#hooks.sendUntil() <= now) return { reason: "lease", detail: "the run's lease left no time for another post" };
    return null;
  }

  #pausedBy(claim: T): string | null {
    if (this.pauses.project) return "project";
    if (this.pauses.segments.has(claim.segment)) return `segment ${claim.segment}`;
    return this.pauses.channels.has(claim.channel) ? `channel ${claim.channel}` : null;
  }

  #open(lane: Lane): OpenLane<Entry<T>> {
    let open = this.#lanes.get(lane);
    if (open === undefined) {
      open = new OpenLane<Entry<T>>(lane, {
        now: this.#hooks.now,
        sleep: (ms) => this.#hooks.sleep(ms, this.#stop),
        mayStart: (entry, now) => this.#mayStart(entry, now),
        mayWait: (entry, until) => this.#mayWait(entry, until),
        attempt: (entry) => this.#attempts.make(entry),
        moved: this.#hooks.moved,
      });
      this.#lanes.set(lane, open);
    }
    return open;
  }

  #mayStart(entry: Entry<T>, now: number): boolean {
    const hindrance = this.hindrance(entry.claim, entry.lane, now);
    if (hindrance === null) return true;
    this.#attempts.release(entry, hindrance.reason, hindrance.detail);
    return false;
  }

  #mayWait(entry: Entry<T>, until: number): boolean {
    if (until < Math.min(entry.claim.sendBy, this.#hooks.sendUntil())) return true;
    this.#attempts.release(entry, "provider_unavailable", "the provider is to be left alone for longer than the message may wait");
    return false;
  }

  #noteFailure({ lane, claim }: Entry<T>): void {
    const channels = this.#failedOn.get(lane);
    if (channels === undefined) this.#failedOn.set(lane, new Set([claim.channel]));
    else channels.add(claim.channel);
  }

  /** Whatever of the lane is not under way is released as its turn comes, which is now. */
  #stopLane(entry: Entry<T>, stop: Stop): void {
    const open = this.#open(entry.lane);
    open.stop ??= stop;
    this.stopped.set(entry.claim.channel, open.stop);
    this.#pumpAll();
  }

  #pumpAll(): void {
    for (const { queue } of this.#lanes.values()) queue.pump();
  }
}
