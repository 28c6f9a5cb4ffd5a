import type { Alerts } from "../../alerts/alerts.js";
import { problemsOf } from "../../core/errors.js";
import type { Project } from "../../project/types.js";
import type { RunResult } from "../../run/types.js";
import type { Warehouse } from "../../warehouse/types.js";

/**
 * Opens the warehouse for one run and closes it after, whatever happens; before that, alerts are given of how it went. `work`
 * gives null where there was nothing to run. `alerts`: null where nobody is to be told, as of a dry run.
 */
export async function alerted<T extends RunResult | null>(
  project: Project,
  alerts: Alerts | null,
  open: () => Promise<Warehouse>,
  work: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
  let warehouse: Warehouse | null = null;
  try {
    warehouse = await open();
    const result = await work(warehouse);
    if (result !== null) await alerts?.after({ went: "through", result }, project, warehouse);
    return result;
  } catch (error) {
    const problems = problemsOf(error);
    if (problems.every(({ code }) => code !== STOPPED)) await alerts?.after({ went: "wrong", problems, subject: "run" }, project, warehouse);
    throw error;
  } finally {
    await warehouse?.close();
  }
}

/** The code of a run that was asked to stop before it decided anything. */
export const STOPPED = "run/stopped";
