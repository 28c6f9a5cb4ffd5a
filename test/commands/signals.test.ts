/** What an error that nothing caught does to a run, by a clock that the test moves. */
import { expect, it, onTestFinished, vi } from "vitest";
import { listenForSignals } from "../../src/commands/shared/signals.js";

it("an error that nothing caught stops the run at once, and gives up answers after a minute, before the process ends", () => {
  vi.useFakeTimers();
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  onTestFinished(() => {
    exit.mockRestore();
    vi.useRealTimers();
  });
  const before = process.listeners("uncaughtException");
  const signals = listenForSignals({ warn: () => undefined });
  const heard = process.listeners("uncaughtException").find((listener) => !before.includes(listener));
  expect([signals.stop.aborted, signals.abandon.aborted]).toEqual([false, false]);
  heard?.(new Error("out of nowhere"), "uncaughtException");
  expect([signals.stop.aborted, signals.abandon.aborted]).toEqual([true, false]);
  vi.advanceTimersByTime(60_000);
  expect(signals.abandon.aborted).toBe(true);
  // Time for the outcomes to be written.
  vi.advanceTimersByTime(5_000);
  expect(exit).not.toHaveBeenCalled();
  expect(() => signals.close()).toThrow("out of nowhere");
  vi.clearAllTimers();
});
