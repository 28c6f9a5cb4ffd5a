/** What ends a run early: signals, a terminal that is closed, and errors that nothing in the run caught. */
import { cancelStatements } from "../../warehouse/open.js";
import type { Terminal } from "./terminal.js";

/** After an error that nothing caught: how long answers are awaited, ms. A provider's `timeout` may be longer: it is in doubt then. */
const ANSWERS_MS = 60_000;
/** How long the outcomes may take to be written after that, ms. */
const WRITING_MS = 10_000;

export interface Signals {
  /** Fires with the first of them. */
  stop: AbortSignal;
  /** Fires a minute after an error that nothing caught: answers that are still awaited are given up. */
  abandon: AbortSignal;
  /** Stops listening. Throws the error that nothing caught, if there was one. */
  close(): void;
}

/**
 * The first SIGINT, SIGTERM or SIGHUP (a closed terminal or ssh session) ends the run in good order, a second SIGINT or SIGTERM at
 * once. A second SIGHUP does not: shell and kernel may both send one. An error that nothing caught ends the run in good order too,
 * as its messages are with the provider: their answers are written, and the rest is released.
 */
export function listenForSignals(terminal: Pick<Terminal, "warn">): Signals {
  const controller = new AbortController();
  const abandon = new AbortController();
  let uncaught: { error: unknown } | null = null;
  const endNow = (code: number): void => void cancelStatements().finally(() => process.exit(code));
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      controller.abort();
      terminal.warn("Stopping: what is under way is finished, the rest is released. A second signal ends at once.");
    } else if (signal !== "SIGHUP") {
      terminal.warn("Ended at once. The next run sorts out what was under way, as soon as this one's hold on the ledger has run out.");
      endNow(1);
    }
  };
  const onUncaught = (error: unknown): void => {
    if (uncaught !== null) return;
    uncaught = { error };
    terminal.warn("An unexpected error happened. Stopping: what is under way is finished, the rest is released.");
    setTimeout(() => abandon.abort(), ANSWERS_MS).unref();
    setTimeout(() => endNow(2), ANSWERS_MS + WRITING_MS).unref();
    controller.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  process.on("uncaughtException", onUncaught);
  return {
    stop: controller.signal,
    abandon: abandon.signal,
    close() {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
      process.off("uncaughtException", onUncaught);
      if (uncaught !== null) throw uncaught.error;
    },
  };
}
