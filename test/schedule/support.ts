/** A scheduler's world without a warehouse: what it would run, and when. Runs themselves are tested on real ones. */
import type { RunHistory } from "../../src/ledger/runs/history.js";
import type { Project, Segment } from "../../src/project/types.js";
import type { RunResult } from "../../src/run/types.js";
import type { SchedulerEvent, SchedulerIo } from "../../src/schedule/scheduler.js";

export class World implements SchedulerIo {
  intervalSeconds = 300;
  /** By id, with the seconds of its `every`. */
  segments: Record<string, number | null>;
  remembered: RunHistory = { lastAsOf: null, askedAt: new Map(), lastSuccess: null, lastDecided: null };
  readonly runs: { at: number; segments: string[] }[] = [];
  readonly events: SchedulerEvent[] = [];
  readonly slept: number[] = [];
  intervals: number[] = [];
  loads = 0;
  histories = 0;
  /** What the next run of a segment gives, beside having returned a row. */
  outcome: (segment: string) => { returned: number | null; reasons: Record<string, number> } = () => ({ returned: 1, reasons: {} });
  released = 0;
  /** Resolves when a run may end. */
  hold: Promise<void> | null = null;
  failure: Error | null = null;
  /** The moment of the beat, which these runs are as of. */
  at = 0;

  constructor(segments: Record<string, number | null>) {
    this.segments = segments;
  }

  load = (): Project => {
    this.loads += 1;
    const segments = Object.entries(this.segments).map(([id, everySeconds]) => [id, { id, status: "live", everySeconds } as Segment] as const);
    return { intervalSeconds: this.intervalSeconds, segments: new Map(segments) } as unknown as Project;
  };

  history = (): Promise<RunHistory> => {
    this.histories += 1;
    return this.failure === null ? Promise.resolve(this.remembered) : Promise.reject(this.failure);
  };

  run = async (_project: Project, segments: readonly Segment[]): Promise<RunResult> => {
    const at = this.at === 0 ? Date.now() : this.at;
    const ids = segments.map(({ id }) => id);
    this.runs.push({ at, segments: ids });
    await this.hold;
    if (this.failure !== null) throw this.failure;
    return {
      asOf: new Date(at).toISOString(),
      problems: [],
      decisions: { segments: ids.map((segment) => ({ segment, ...this.outcome(segment) })) },
      delivery: { counts: { released: this.released === 0 ? {} : { stopped: this.released } } },
    } as unknown as RunResult;
  };

  onInterval = (seconds: number): void => void this.intervals.push(seconds);
  random = (): number => 0.5;
  sleep = (ms: number): Promise<void> => {
    this.slept.push(ms);
    return Promise.resolve();
  };
  on = (event: SchedulerEvent): void => void this.events.push(event);

  timesOf(segment: string): number[] {
    return this.runs.filter(({ segments }) => segments.includes(segment)).map(({ at }) => at);
  }

  names(): string[] {
    return this.events.map(({ event }) => event);
  }
}
