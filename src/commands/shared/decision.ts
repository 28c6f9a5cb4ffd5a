import { Ledger } from "../../ledger/ledger.js";
import type { Target } from "../../project/types.js";
import { openProject, findProject, openWarehouse } from "./context.js";
import { messageStory } from "../explain/explain.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

/** A page's reader rather asks again than waits, seconds. */
const LONGEST_WAIT = 2;

/**
 * Reads the ledger for the decision behind a message: the project and its warehouse are opened for each question and closed
 * again, so that a run can write in between. Undefined outside a project.
 * @throws OpportuneError where the options name a project or target that can't be opened
 */
export function decisionReader(
  terminal: Terminal,
  options: Pick<GlobalOptions, "projectDir" | "target">,
): ((messageId: string) => Promise<unknown>) | undefined {
  if (options.projectDir !== undefined || options.target !== undefined) openProject(options);
  else if (!isInProject()) return undefined;
  return async (messageId) => {
    const project = openProject(options);
    const warehouse = await openWarehouse(project.root, impatient(project.target), { ...terminal, note: () => undefined });
    try {
      return await messageStory(new Ledger(warehouse, project.target.schema), project.target.name, messageId);
    } finally {
      await warehouse.close();
    }
  };
}

function isInProject(): boolean {
  try {
    findProject(process.cwd(), undefined);
    return true;
  } catch {
    return false;
  }
}

/** The target, waiting for no other process longer than somebody looks at a page. */
export function impatient(target: Target): Target {
  const { connection } = target;
  if (connection.type !== "duckdb") return target;
  return { ...target, connection: { ...connection, waitForLockSeconds: Math.min(LONGEST_WAIT, connection.waitForLockSeconds) } };
}
