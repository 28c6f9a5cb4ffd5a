import { OpportuneError } from "../core/errors.js";
import { ledgerStatus } from "../ledger/install/versions.js";
import { Ledger } from "../ledger/ledger.js";
import { pauses, type StandingPause } from "../ledger/pauses.js";
import { isTrial } from "../ledger/trial.js";
import type { Project } from "../project/types.js";
import { segmentListing, audienceListing, listingDocument } from "../report/listing.js";
import { pauseLines } from "../report/pauses.js";
import { openProject, openWarehouse } from "./shared/context.js";
import { selectSegments } from "./shared/select.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

export interface LsOptions extends GlobalOptions {
  select?: string[];
  exclude?: string[];
}

/** Lists segments and audiences, and what is paused; where the ledger can't be asked, a warning says why. */
export async function lsCommand(terminal: Terminal, options: LsOptions): Promise<number> {
  const project = openProject(options);
  const segments = selectSegments(project, options);
  const audiences = [...project.audiences.values()];
  const paused = await pausedNow(project, terminal);
  if (options.output === "json") terminal.out(JSON.stringify({ ...listingDocument(segments, audiences), pauses: paused }, null, 2));
  else {
    const { outPaint, width } = terminal;
    const lines = pauseLines(paused ?? []);
    const parts = [segmentListing(segments, width, outPaint), audienceListing(segments, audiences, project.policy, width, outPaint), ...lines];
    terminal.out(parts.join("\n\n"));
  }
  return 0;
}

/** Null where the ledger can't be asked: a listing needs no warehouse, and doesn't wait for a file that a run has open. */
async function pausedNow(project: Project, terminal: Terminal): Promise<StandingPause[] | null> {
  const { target } = project;
  const connection = target.connection.type === "duckdb" ? { ...target.connection, waitForLockSeconds: 0 } : target.connection;
  try {
    const warehouse = await openWarehouse(project.root, { ...target, connection }, terminal);
    try {
      const ledger = new Ledger(warehouse, target.schema);
      const { version, expected } = await ledgerStatus(ledger);
      // Without a ledger nothing can have been paused.
      if (version === 0) return [];
      if (version !== expected) return null;
      return await pauses(ledger, isTrial(target, null));
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    if (!(error instanceof OpportuneError)) throw error;
    terminal.warn(terminal.errPaint.yellow(`warning: What is paused by command isn't known: ${error.problems[0]?.message ?? error.message}`));
    return null;
  }
}
