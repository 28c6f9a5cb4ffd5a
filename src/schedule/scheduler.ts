/** Runs the job at every tick: one run at a time, and each segment as often as its `every` says. */
import { OpportuneError, problemsOf, type Problem } from "../core/errors.js";
import type { RunHistory } from "../ledger/runs/history.js";
import type { Project, Segment } from "../project/types.js";
import type { RunResult } from "../run/types.js";
import { beatSeconds } from "./beats.js";
import { dueSegments, noteAsked, tickOf } from "./due.js";

/** A run begins up to a tenth of the interval after its tick, and no more than this, ms: warehouses are busiest at the full minute. */
const LONGEST_JITTER_MS = 30_000;
/** A beat so much later than expected means that the ticker is stuck, ms. */
const STUCK_AFTER_MS = 60_000;

/** Errors of a run that reached the warehouse. */
const REACHED = ["ledger/lease", "run/as-of", "run/stopped"];

export type SchedulerEvent =
  /** No segment was due: the warehouse was not touched. */
  | { event: "nothing_due"; at: number }
  /** A run was under way: one run after it stands for all such ticks. */
  | { event: "merged"; at: number }
  /** The clock stands before the last run: nothing runs until it has passed `until`. */
  | { event: "clock_back"; at: number; until: number }
  | { event: "project_invalid"; problems: readonly Problem[] }
  | { event: "remembered"; history: RunHistory }
  | { event: "run_started"; segments: readonly string[] }
  | { event: "run_ended"; result: RunResult }
  /** It broke off, or the warehouse could not be asked what earlier runs did. */
  | { event: "run_failed"; problems: readonly Problem[] };

/** The world around a scheduler. */
export interface SchedulerIo {
  /** The project as it stands on disk now. Throws OpportuneError with all that is wrong with it. */
  load(): Project;
  /** What earlier runs did, from the ledger. */
  history(project: Project): Promise<RunHistory>;
  /** One whole run; the warehouse is closed again when it ends. */
  run(project: Project, segments: readonly Segment[]): Promise<RunResult>;
  /** The project's interval is another one from now on, in seconds. */
  onInterval(seconds: number): void;
  /** In [0, 1), for jitter. */
  random(): number;
  /** Resolves after `ms` milliseconds, or as soon as the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  on(event: SchedulerEvent): void;
}

export class Scheduler {
  readonly #io: SchedulerIo;
  readonly #stopping = new AbortController();
  #interval: number;
  /** Null: the ledger has not been asked yet. */
  #askedAt: Map<string, number> | null = null;
  /** The last tick that was worked on, or that the ledger's last run belongs to. */
  #lastTick = -Infinity;
  #lastBeat: number;
  /** The latest tick that came during a run. */
  #waiting: number | null = null;
  #current: Promise<void> | null = null;
  #toldOfClock = false;
  #notReady: readonly Problem[] | null = [{ code: "start/starting", message: "Nothing has run yet." }];

  /** `now` is ms since 1970 UTC. */
  constructor(io: SchedulerIo, intervalSeconds: number, now: number) {
    this.#io = io;
    this.#interval = intervalSeconds;
    this.#lastBeat = now;
  }

  /** One beat of the clock, which may or may not be a tick. Never rejects; resolves when everything that it led to is over. */
  async beat(at: number): Promise<void> {
    this.#lastBeat = at;
    if (this.#stopping.signal.aborted) return;
    if (this.#current !== null) {
      if (tickOf(at, this.#interval) <= Math.max(this.#lastTick, this.#waiting ?? -Infinity)) return;
      this.#waiting = tickOf(at, this.#interval);
      this.#io.on({ event: "merged", at });
      return;
    }
    this.#current = this.#work(at);
    await this.#current;
    this.#current = null;
  }

  /** To be called when the clock was set back: no beat may come for as long as it stands behind. */
  clockSetBack(now: number): void {
    if (this.#toldOfClock || tickOf(now, this.#interval) >= this.#lastTick) return;
    this.#toldOfClock = true;
    this.#io.on({ event: "clock_back", at: now, until: this.#lastTick });
  }

  /** No new run from now on; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#current;
  }

  /** Whether beats come. `now` by the wall's clock: one that was set back has none to give. */
  healthy(now: number): boolean {
    return now - this.#lastBeat <= beatSeconds(this.#interval) * 1000 + STUCK_AFTER_MS;
  }

  /** Why no run would get through now; null: the project is valid and the last run reached the warehouse. */
  get notReady(): readonly Problem[] | null {
    return this.#notReady;
  }

  async #work(first: number): Promise<void> {
    await this.#once(first, false);
    while (this.#waiting !== null && !this.#stopping.signal.aborted) {
      const at = this.#waiting;
      this.#waiting = null;
      await this.#once(at, true);
    }
  }

  /** `late`: has waited for a run to end, which is jitter enough. */
  async #once(at: number, late: boolean): Promise<void> {
    if (this.#askedAt !== null && !this.#isNew(at)) return;
    const project = this.#load();
    if (project === null) return;
    this.#askedAt ??= await this.#remember(project);
    if (this.#askedAt === null || !this.#isNew(at)) return;
    this.#lastTick = tickOf(at, this.#interval);
    const segments = dueSegments(
      [...project.segments.values()].filter(({ status }) => status !== "draft"),
      this.#askedAt,
      at,
      this.#interval,
    );
    if (segments.length === 0) return this.#io.on({ event: "nothing_due", at });
    // What is caught up with between two ticks begins at a random moment anyway.
    if (!late && at === this.#lastTick) await this.#io.sleep(this.#io.random() * Math.min(LONGEST_JITTER_MS, this.#interval * 100), this.#stopping.signal);
    if (!this.#stopping.signal.aborted) await this.#run(project, segments, this.#askedAt);
  }

  /** Whether `at` belongs to a tick that no run has had; says so when the clock stands behind the last one. */
  #isNew(at: number): boolean {
    const tick = tickOf(at, this.#interval);
    if (tick > this.#lastTick) {
      this.#toldOfClock = false;
      return true;
    }
    this.clockSetBack(at);
    // A run by a clock that was ahead may be taken back meanwhile: the ledger is asked at the next beat.
    if (tick < this.#lastTick) this.#askedAt = null;
    return false;
  }

  #load(): Project | null {
    try {
      const project = this.#io.load();
      if (project.intervalSeconds !== this.#interval) {
        this.#interval = project.intervalSeconds;
        this.#io.onInterval(project.intervalSeconds);
      }
      return project;
    } catch (error) {
      const problems = problemsOf(error);
      this.#notReady = problems;
      this.#io.on({ event: "project_invalid", problems });
      return null;
    }
  }

  async #remember(project: Project): Promise<Map<string, number> | null> {
    try {
      const history = await this.#io.history(project);
      this.#lastTick = history.lastAsOf === null ? -Infinity : tickOf(history.lastAsOf, this.#interval);
      this.#notReady = null;
      this.#io.on({ event: "remembered", history });
      return new Map(history.askedAt);
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  async #run(project: Project, segments: readonly Segment[], askedAt: Map<string, number>): Promise<void> {
    this.#io.on({ event: "run_started", segments: segments.map(({ id }) => id) });
    try {
      const result = await this.#io.run(project, segments);
      noteAsked(askedAt, result);
      this.#notReady = null;
      this.#io.on({ event: "run_ended", result });
    } catch (error) {
      for (const { id } of segments) askedAt.delete(id);
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const problems = problemsOf(error);
    const reached = error instanceof OpportuneError && problems.every(({ code }) => REACHED.includes(code));
    this.#notReady = reached ? null : problems;
    this.#io.on({ event: "run_failed", problems });
  }
}
