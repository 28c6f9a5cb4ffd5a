/** From a claim whose `sending` row is committed to its one outcome: attempts, waits, and whatever stops them. */
import { LatencyHistogram } from "../latency.js";
import { backoffMs } from "./limits.js";
import { OpenLane, type Stop } from "./open-lane.js";
import type { Rejection } from "./rejections.js";
import type { DeliverableClaim, Lane, OutcomeEvent, OutgoingMessage, PauseState, ReleaseReason, SendOutcome, StopKind } from "../types.js";

/** A rendered claim on its way. */
export interface Entry<T extends DeliverableClaim> {
  readonly claim: T;
  readonly message: OutgoingMessage;
  readonly lane: Lane;
  /** Whether its `sending` row is committed. */
  marked: boolean;
  attempts: number;
  /** The lane's number of its first request; 0 before it. */
  firstRequest: number;
  /** Whether an attempt of it counts as a failure of the provider: further ones don't. */
  failed: boolean;
  /** Why an earlier attempt is in doubt (`on_doubt: resend`): from then on it can't be called released or rejected. */
  doubt: string | null;
}

export interface PostingHooks<T extends DeliverableClaim> {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after the time, or as soon as the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
  /** Epoch milliseconds: nothing is posted from then on. Asked before every post, as a lease may be renewed. */
  sendUntil(): number;
  /** Takes each entry's outcome, exactly once. */
  settled(outcome: OutcomeEvent<T>): void;
  /** There may be more to mark, or less that waits for it. */
  moved(): void;
}

export interface PostingLimits {
  /** Most attempts for a message. */
  attempts: number;
  backoffBaseMs: number;
  backoffLongestMs: number;
}

const NOTHING_PAUSED: PauseState = { project: false, segments: new Set(), channels: new Set() };

const RELEASE_REASON: Readonly<Record<StopKind, ReleaseReason>> = {
  refused: "channel_stopped",
  rejected: "channel_stopped",
  unavailable: "provider_unavailable",
  clock: "channel_stopped",
};

/** All lanes of a run and what is on them. */
export class Posting<T extends DeliverableClaim> {
  readonly latency = new LatencyHistogram();
  /** Channel → why it stopped. */
  readonly stopped = new Map<string, Stop>();
  /** Requests made, retries included. */
  posts = 0;
  /** The last pauses read; checked again before every post. */
  pauses: PauseState = NOTHING_PAUSED;
  readonly #lanes = new Map<Lane, OpenLane<Entry<T>>>();
  /** Channels whose messages failed on a lane. */
  readonly #failedOn = new Map<Lane, Set<string>>();
  readonly #hooks: PostingHooks<T>;
  readonly #limits: PostingLimits;
  readonly #stop: AbortSignal;
  readonly #abandon: AbortSignal;

  /** `stop`: no new post, what is under way is waited for. `abandon`: answers still awaited are given up. */
  constructor(hooks: PostingHooks<T>, limits: PostingLimits, stop: AbortSignal, abandon: AbortSignal) {
    this.#hooks = hooks;
    this.#limits = limits;
    this.#stop = stop;
    this.#abandon = abandon;
    stop.addEventListener("abort", () => this.#pumpAll());
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

  /** Nothing is under way, and nothing more comes: what depended on others is settled, and lanes that failed too often stop. */
  conclude(): void {
    for (const [lane, open] of this.#lanes) {
      this.#fail(open.rejections.drain());
      const stop = open.lastWord;
      // Answers that were given up because the process had to end say nothing of the provider.
      if (stop === null || this.#stop.aborted) continue;
      open.stop = stop;
      for (const channel of this.#failedOn.get(lane) ?? []) this.stopped.set(channel, stop);
    }
  }

  /**
   * The entries to mark `sending` now: at most `room`, of each lane what it needs; all there are where `appendMs` is null. Lanes
   * that have something ready share `bound`, the most that may be unanswered: one that hangs leaves the others theirs. None has
   * more than `ofOne`.
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

  /** Why a claim must not be posted now; null if it may. `lane` is null before the claim is rendered. */
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
        attempt: (entry) => this.#attempt(entry),
        moved: this.#hooks.moved,
      });
      this.#lanes.set(lane, open);
    }
    return open;
  }

  #mayStart(entry: Entry<T>, now: number): boolean {
    const hindrance = this.hindrance(entry.claim, entry.lane, now);
    if (hindrance === null) return true;
    this.#release(entry, hindrance.reason, hindrance.detail);
    return false;
  }

  #mayWait(entry: Entry<T>, until: number): boolean {
    if (until < Math.min(entry.claim.sendBy, this.#hooks.sendUntil())) return true;
    this.#release(entry, "provider_unavailable", "the provider is to be left alone for longer than the message may wait");
    return false;
  }

  async #attempt(entry: Entry<T>): Promise<void> {
    const begun = this.#hooks.now();
    const open = this.#open(entry.lane);
    const request = open.throttle.begin();
    open.underWay += 1;
    if (entry.attempts === 0) entry.firstRequest = request;
    entry.attempts += 1;
    let outcome: SendOutcome;
    try {
      outcome = await entry.lane.provider.send(entry.message, this.#abandon);
    } catch {
      // Against its contract, and after who knows what; its message is not repeated, as it may hold the request.
      outcome = { kind: "in_doubt", reason: "the provider's code failed while the message was with it" };
    }
    const now = this.#hooks.now();
    const unposted = outcome.kind === "rejected" && outcome.unposted === true;
    if (!unposted) this.posts += 1;
    if (!unposted && outcome.kind !== "try_again") this.latency.record(now - begun);
    const learned = open.learn(request, entry, outcome, now);
    const stop = outcome.wrongClock === undefined ? learned : { kind: "clock" as const, reason: outcome.wrongClock };
    if (entry.failed) this.#noteFailure(entry);
    if (stop !== null) this.#stopLane(entry, stop);
    this.#judge(entry, outcome, now);
    open.underWay -= 1;
    if (open.underWay === 0) this.#pass(open, entry);
  }

  #noteFailure({ lane, claim }: Entry<T>): void {
    const channels = this.#failedOn.get(lane);
    if (channels === undefined) this.#failedOn.set(lane, new Set([claim.channel]));
    else channels.add(claim.channel);
  }

  /** Passes sentence on those rejected alike, now that every answer has come. */
  #pass(open: OpenLane<Entry<T>>, entry: Entry<T>): void {
    const sentence = open.rejections.sentence();
    if (sentence === null) return;
    this.#fail(sentence.failed);
    for (const { entry: each } of sentence.released) this.#release(each, "channel_stopped", sentence.stop);
    this.#stopLane(entry, { kind: "rejected", reason: sentence.stop });
  }

  #fail(rejections: readonly Rejection<Entry<T>>[]): void {
    for (const { entry, reason, at } of rejections) this.#settle(entry, { event: "failed", claim: entry.claim, at, reason: "rejected", detail: reason });
  }

  #judge(entry: Entry<T>, outcome: SendOutcome, now: number): void {
    const { claim, lane } = entry;
    switch (outcome.kind) {
      case "accepted":
        this.#fail(this.#open(lane).rejections.accepted());
        this.#settle(entry, { event: "accepted", claim, at: now, providerId: outcome.providerId });
        return;
      case "rejected":
        if (entry.doubt !== null) this.#settleInDoubt(entry, `${entry.doubt}; resent and refused: ${outcome.reason}`);
        else if (outcome.unposted === true)
          this.#settle(entry, { event: "failed", claim, at: now, reason: "rejected", detail: outcome.reason, unposted: true });
        else this.#fail(this.#open(lane).rejections.rejected({ entry, reason: outcome.reason, at: now }));
        return;
      case "unauthorised":
        this.#release(entry, "channel_stopped", outcome.reason);
        return;
      case "in_doubt":
        if (lane.onDoubt === "hold" || entry.doubt !== null) this.#settleInDoubt(entry, outcome.reason);
        else {
          entry.doubt = outcome.reason;
          void this.#again(entry, now);
        }
        return;
      case "try_again":
        this.#tryAgain(entry, outcome, now);
    }
  }

  #tryAgain(entry: Entry<T>, outcome: { afterMs: number | null; reason: string }, now: number): void {
    const { attempts } = this.#limits;
    const { queue, throttle } = this.#open(entry.lane);
    if (entry.attempts >= attempts) {
      // Patience has an end too: a provider that only ever asks for it would hold the run until its lease or the messages' time is over.
      if (outcome.afterMs !== null && !throttle.goodSince(entry.firstRequest)) {
        this.#stopLane(entry, { kind: "unavailable", reason: `nothing came through while a message was asked to wait ${attempts} times: ${outcome.reason}` });
      }
      this.#release(entry, "provider_unavailable", `${outcome.reason} (attempt ${entry.attempts} of ${attempts})`);
      return;
    }
    if (outcome.afterMs === null) {
      void this.#again(entry, now);
      return;
    }
    // The provider's own word holds for everyone on the lane; our jitter on top keeps a wait of 0 from becoming a spin.
    queue.holdUntil(now + Math.max(outcome.afterMs, entry.attempts === 1 ? 0 : this.#backoff(entry)));
    queue.pushFirst(entry);
  }

  /** Another attempt after a wait of its own; the slot is free meanwhile. */
  async #again(entry: Entry<T>, now: number): Promise<void> {
    const wait = this.#backoff(entry);
    if (!this.#mayStart(entry, now) || !this.#mayWait(entry, now + wait)) return;
    await this.#hooks.sleep(wait, this.#stop);
    this.#open(entry.lane).queue.pushFirst(entry);
  }

  #backoff(entry: Entry<T>): number {
    return backoffMs(entry.attempts, this.#limits.backoffBaseMs, this.#limits.backoffLongestMs, this.#hooks.random);
  }

  /** Whatever of the lane is not under way is released as its turn comes, which is now. */
  #stopLane(entry: Entry<T>, stop: Stop): void {
    const open = this.#open(entry.lane);
    open.stop ??= stop;
    this.stopped.set(entry.claim.channel, open.stop);
    this.#pumpAll();
  }

  #release(entry: Entry<T>, reason: ReleaseReason, detail: string): void {
    if (entry.doubt !== null) this.#settleInDoubt(entry, `${entry.doubt}; not resent: ${reason}`);
    else this.#settle(entry, { event: "released", claim: entry.claim, at: this.#hooks.now(), reason, detail });
  }

  #settleInDoubt(entry: Entry<T>, detail: string): void {
    this.#settle(entry, { event: "in_doubt", claim: entry.claim, at: this.#hooks.now(), detail });
  }

  #settle(entry: Entry<T>, outcome: OutcomeEvent<T>): void {
    if (entry.marked) this.#open(entry.lane).unanswered -= 1;
    this.#hooks.settled(outcome);
  }

  #pumpAll(): void {
    for (const { queue } of this.#lanes.values()) queue.pump();
  }
}
