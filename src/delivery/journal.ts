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
}

/**
 * The one writer to the ledger. One append is under way at a time; each carries every outcome known by then and the marks that
 * the lanes need next. An append must be atomic: all of its rows or none. Outcomes of an append that failed are kept for `end`.
 */
export class Journal<T extends DeliverableClaim, E extends { readonly claim: T }> {
  readonly #hooks: JournalHooks<T, E>;
  readonly #flushAfterMs: number;
  #outcomes: OutcomeEvent<T>[] = [];
  #appendMs = 0;
  /** The age from which an outcome is written without any mark, ms. */
  #writeFrom: number;
  #working: Promise<void> | null = null;
  #closed = false;

  /** Outcomes older than `flushAfterMs` are written even where nothing is to be marked. */
  constructor(hooks: JournalHooks<T, E>, flushAfterMs: number) {
    this.#hooks = hooks;
    this.#flushAfterMs = flushAfterMs;
    this.#writeFrom = flushAfterMs;
  }

  /** Keeps an outcome for the next append. */
  add(outcome: OutcomeEvent<T>): void {
    this.#outcomes.push(outcome);
  }

  /** Whether an append is under way, or about to begin. */
  get busy(): boolean {
    return this.#working !== null;
  }

  /**
   * Writes if something is to be marked, or if an outcome is old enough: `olderThanMs` instead of the usual age. Call it whenever
   * either may have changed. An append under way looks again when it ends.
   */
  wake(olderThanMs = this.#flushAfterMs): void {
    this.#writeFrom = Math.min(this.#writeFrom, olderThanMs);
    if (this.#closed || this.#working !== null) return;
    this.#working = Promise.resolve().then(() => this.#work());
  }

  /** Waits for the append under way, then writes the outcomes that are left. Rejects as the append does. */
  async end(): Promise<void> {
    this.#closed = true;
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
  }

  #overdue(): boolean {
    const oldest = this.#outcomes[0];
    return oldest !== undefined && this.#hooks.now() - oldest.at >= this.#writeFrom;
  }

  async #append(entries: readonly E[]): Promise<void> {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    this.#writeFrom = this.#flushAfterMs;
    const at = this.#hooks.now();
    let pauses: PauseState;
    try {
      pauses = await this.#hooks.append([...outcomes, ...entries.map(({ claim }) => ({ event: "sending" as const, claim, at }))]);
    } catch (error) {
      this.#outcomes = [...outcomes, ...this.#outcomes];
      throw error;
    }
    const took = Math.max(0, this.#hooks.now() - at);
    // Longer ones count at once, shorter ones by and by: a lane that runs dry costs more than a few marks too many.
    this.#appendMs = Math.max(took, (this.#appendMs + took) / 2);
    this.#hooks.written(entries, pauses);
  }
}
