/** The clock's beats: node-cron in UTC, at every moment that may be a tick. */
import { schedule, type ScheduledTask } from "node-cron";
import { tickOf } from "./due.js";

/** How often the wall's clock is compared with one that nobody sets, ms. */
const WATCH_EVERY_MS = 5_000;
/** A clock that is being corrected slowly is not set, ms. */
const SET_MS = 1_000;

/**
 * Seconds between two beats. Cron's fields can't say every interval (7 minutes, 90 seconds): what divides both it and an hour,
 * or a minute, they can, and every tick is a beat then.
 */
export function beatSeconds(intervalSeconds: number): number {
  return intervalSeconds % 60 === 0 ? 60 * commonDivisor(intervalSeconds / 60, 60) : commonDivisor(intervalSeconds, 60);
}

/** Cron's expression for beats so many seconds apart. */
export function beatExpression(seconds: number): string {
  if (seconds === 3600) return "0 * * * *";
  return seconds >= 60 ? `*/${String(seconds / 60)} * * * *` : `*/${String(seconds)} * * * * *`;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/**
 * Calls `onBeat` with the moment that each beat stands for, ms since 1970 UTC. After the process was too busy, has slept, or the
 * clock was set forward, one beat stands for all those missed. `onSetBack`: the clock was set back.
 *
 * The whole process is in UTC from then on: node-cron 4.6 reads the time by way of the host's own zone whatever zone it is given,
 * and in the hour that an autumn night has twice it takes now for an hour ago: no beat for an hour, at full load.
 */
export function startBeats(intervalSeconds: number, onBeat: (at: number) => void, onSetBack: () => void): { stop(): void } {
  process.env["TZ"] = "UTC";
  const seconds = beatSeconds(intervalSeconds);
  const start = (): ScheduledTask =>
    schedule(beatExpression(seconds), ({ date }) => onBeat(date.getTime()), {
      timezone: "UTC",
      // A beat that comes late is a beat; node-cron drops those later than a second.
      missedExecutionTolerance: seconds * 1000,
      suppressMissedWarning: true,
    });
  let task = start();
  let ahead = Date.now() - performance.now();
  const watch = setInterval(() => {
    const before = ahead;
    ahead = Date.now() - performance.now();
    if (Math.abs(ahead - before) < SET_MS) return;
    // node-cron would sleep until the clock has caught up, or count every beat missed, for minutes if it was set by a month.
    void task.destroy();
    task = start();
    if (ahead < before) onSetBack();
    else onBeat(tickOf(Date.now(), seconds));
  }, WATCH_EVERY_MS);
  return {
    stop() {
      clearInterval(watch);
      void task.destroy();
    },
  };
}
