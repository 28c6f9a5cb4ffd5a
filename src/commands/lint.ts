import { instant } from "../core/clock.js";
import { problemsOf } from "../core/errors.js";
import { ledgerStatus } from "../ledger/install/versions.js";
import { Ledger } from "../ledger/ledger.js";
import { previousSegmentRuns } from "../ledger/runs/segment-runs.js";
import { isTrial } from "../ledger/trial.js";
import type { Project, Target } from "../project/types.js";
import { lintProject } from "../project/checks/lint.js";
import { RULES } from "../project/checks/rules.js";
import { loadRenderer } from "../render/renderer.js";
import { lintDocument, lintLines } from "../report/lint.js";
import { openProject, openWarehouse } from "./shared/context.js";
import { selectSegments } from "./shared/select.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

export interface LintOptions extends GlobalOptions {
  select?: string[];
  exclude?: string[];
}

/** Says what is unwise in the project; 1 if anything is. Reads the ledger only where a segment has `first_run: send`. */
export async function lintCommand(terminal: Terminal, options: LintOptions): Promise<number> {
  const project = openProject(options);
  const segments = selectSegments(project, options);
  const result = lintProject(project, loadRenderer(project).templateOf, segments, await ranBefore(project, terminal));
  if (options.output === "json") terminal.out(JSON.stringify(lintDocument(result, RULES), null, 2));
  else terminal.out(lintLines(result, RULES, segments.length, terminal.outPaint).join("\n"));
  return result.findings.length === 0 ? 0 : 1;
}

/** Of the segments with `first_run: send`, those that the target's ledger has a run of; null where it can't be read. */
async function ranBefore(project: Project, terminal: Terminal): Promise<ReadonlySet<string> | null> {
  const { target } = project;
  const ids = [...project.segments.values()].filter(({ firstRun }) => firstRun === "send").map(({ id }) => id);
  if (ids.length === 0) return new Set();
  try {
    const warehouse = await openWarehouse(project.root, unlocked(target), terminal);
    try {
      const ledger = new Ledger(warehouse, target.schema);
      if ((await ledgerStatus(ledger)).version === 0) return new Set();
      return new Set((await previousSegmentRuns(ledger, ids, isTrial(target, null), instant(Date.now()))).keys());
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    const why = problemsOf(error)[0]?.message ?? "";
    terminal.warn(`The rule first-run-over was skipped, as the ledger of target ${target.name} can't be read: ${why}`);
    return null;
  }
}

/** The target without waiting for a run that holds its file. */
function unlocked(target: Target): Target {
  const { connection } = target;
  return connection.type === "duckdb" ? { ...target, connection: { ...connection, waitForLockSeconds: 0 } } : target;
}
