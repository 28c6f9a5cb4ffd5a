import type { DeliverableClaim, DeliveryEvent, OutcomeEvent, PauseState } from "./types.js";

/**
 * The one writer to the ledger: appends run one after another, each carrying every outcome known by then. An append must be
 * atomic: all of its rows or none. Outcomes of an append that failed are kept, and go with the next.
 */
export class Journal<T extends DeliverableClaim> {
  readonly #append: (events: readonly DeliveryEvent<T>[]) => Promise<PauseState>;
  #outcomes: OutcomeEvent<T>[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  /** Writes that have not yet taken the outcomes along. */
  #queued = 0;

  constructor(append: (events: readonly DeliveryEvent<T>[]) => Promise<PauseState>) {
    this.#append = append;
  }

  /** Keeps an outcome for the next append. */
  add(outcome: OutcomeEvent<T>): void {
    this.#outcomes.push(outcome);
  }

  /** When the oldest outcome that is not yet written came about, in epoch milliseconds; null if all are written. */
  get oldest(): number | null {
    return this.#outcomes[0]?.at ?? null;
  }

  /** Whether a write is queued that will take along the outcomes known now. */
  get writeQueued(): boolean {
    return this.#queued > 0;
  }

  /**
   * Appends the outcomes known when its turn comes, then `sending`; gives what is paused once they are committed, or null where
   * there was nothing to write, and rejects as the append does.
   */
  write(sending: readonly DeliveryEvent<T>[]): Promise<PauseState | null> {
    this.#queued += 1;
    const turn = this.#tail.then(async () => {
      this.#queued -= 1;
      const outcomes = this.#outcomes;
      if (outcomes.length === 0 && sending.length === 0) return null;
      this.#outcomes = [];
      try {
        return await this.#append([...outcomes, ...sending]);
      } catch (error) {
        this.#outcomes = [...outcomes, ...this.#outcomes];
        throw error;
      }
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}
