import { UncertainAppendError } from "../core/errors.js";
import type { DeliverableClaim, DeliveryEvent, OutcomeEvent, PauseState } from "./types.js";

/** What a journal needs of the delivery that it writes for; `E` is what is marked. */
export interface JournalHooks<T extends DeliverableClaim, E extends { readonly claim: T }> {
  /** Writes events to the ledger, all of them or none; gives what is paused then. */
  append(events: readonly DeliveryEvent<T>[]): Promise<PauseState>;
  /** What to mark `sending` with the append that begins now. `appendMs`: how long appends take at present. */
  next(appendMs: number): readonly E[];
  /** An append is committed. Its entries are marked: they may be posted. */
  written(entries: readonly E[], pauses: PauseState): void;
  /** An append failed. Its entries are not marked, and must not be posted. */
  failed(error: unknown, entries: readonly E[]): void;
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after the time, or as soon as the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * The one writer to the ledger. One append is under way at a time; each carries every outcome known by then and the marks that
 * the lanes need next. An append must be atomic: all of its rows or none. Outcomes of an append that failed are kept for
 * `end`, but for those that may stand (UncertainAppendError).
 */
export class Journal<T extends DeliverableClaim, E extends { readonly claim: T }> {
  readonly #hooks: JournalHooks<T, E>;
  readonly #flushAfterMs: number;
  #outcomes: OutcomeEvent<T>[] = [];
  #appendMs = 0;
  #working: Promise<void> | null = null;
  #closed = false;
  readonly #ended = new AbortController();
  /** Whether a timer is to wake it. */
  #armed = false;

  /** Outcomes older than `flushAfterMs` are written even where nothing is to be marked. */
  constructor(hooks: JournalHooks<T, E>, flushAfterMs: number) {
    this.#hooks = hooks;
    this.#flushAfterMs = flushAfterMs;
  }

  /** Keeps an outcome for the next append. */
  add(outcome: OutcomeEvent<T>): void {
    this.#outcomes.push(outcome);
  }

  /**
   * Writes if something is to be marked, or if an outcome is old enough. Call it whenever either may have changed. An append under
   * way looks again when it ends.
   */
  wake(): void {
    if (this.#closed || this.#working !== null) return;
    this.#working = Promise.resolve().then(() => this.#work());
  }

  /** Waits for the append under way, then writes the outcomes that are left. Rejects as the append does. */
  async end(): Promise<void> {
    this.#closed = true;
    this.#ended.abort();
    await this.#working;
    if (this.#outcomes.length > 0) await this.#append([]);
  }

  async #work(): Promise<void> {
    while (!this.#closed) {
      const entries = this.#hooks.next(this.#appendMs);
      if (entries.length === 0 && !this.#overdue()) break;
      try {
        await this.#append(entries);
      } catch (error) {
        this.#closed = true;
        this.#hooks.failed(error, entries);
      }
    }
    this.#working = null;
    this.#wakeInTime();
  }

  /** When the oldest outcome is to be written, epoch ms; null without any. */
  get #due(): number | null {
    const oldest = this.#outcomes[0];
    return oldest === undefined ? null : oldest.at + this.#flushAfterMs;
  }

  #overdue(): boolean {
    return this.#due !== null && this.#hooks.now() >= this.#due;
  }

  /** Outcomes are written in time although nothing else moves: while the last answers are awaited, or a lane is held. */
  #wakeInTime(): void {
    const due = this.#due;
    if (due === null || this.#armed || this.#closed) return;
    this.#armed = true;
    void this.#hooks.sleep(Math.min(due - this.#hooks.now(), this.#flushAfterMs), this.#ended.signal).then(() => {
      this.#armed = false;
      this.wake();
    });
  }

  async #append(entries: readonly E[]): Promise<void> {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    const at = this.#hooks.now();
    let pauses: PauseState;
    try {
      pauses = await this.#hooks.append([...outcomes, ...entries.map(({ claim }) => ({ event: "sending" as const, claim, at }))]);
    } catch (error) {
      // Those that may stand would count twice, a second time under other numbers: they are left to recovery.
      if (!(error instanceof UncertainAppendError)) this.#outcomes = [...outcomes, ...this.#outcomes];
      throw error;
    }
    const took = Math.max(0, this.#hooks.now() - at);
    // Longer ones count at once, shorter ones by and by: a lane that runs dry costs more than a few marks too many.
    this.#appendMs = Math.max(took, (this.#appendMs + took) / 2);
    this.#hooks.written(entries, pauses);
  }
}
