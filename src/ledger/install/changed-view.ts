/** Audit views whose columns have changed, where the warehouse replaces none such: on Postgres. */
import { OpportuneError } from "../../core/errors.js";
import { WarehouseError } from "../../warehouse/error.js";
import type { Statement, Warehouse } from "../../warehouse/types.js";

const AGAIN = "Install the ledger as the role that made it, and see that nothing else has that name.";
const FREE = "Drop the views of your own that read it, run `opportune ledger install` again, and create them anew.";

/**
 * Drops a view and makes it anew in one transaction, with what was granted on it.
 * @param grants a query for the statements that grant it again
 * @throws OpportuneError `ledger/view`, the view being as it was
 */
export async function replaceView(warehouse: Warehouse, name: string, view: Statement, grants: string): Promise<void> {
  const run = async (statement: Statement, hint: string): Promise<void> => {
    await warehouse.execute(statement).catch((error: unknown) => {
      throw viewProblem(name, "has changed and can't be replaced", error, hint);
    });
  };
  await warehouse.transaction(async () => {
    const granted = await warehouse.query({ sql: grants, params: [], ours: true });
    await run({ sql: `drop view ${name}`, params: [], ours: true }, FREE);
    await run(view, AGAIN);
    for (const grant of granted) await run({ sql: String(grant["statement"]), params: [], ours: true }, AGAIN);
  });
}

/** The error of a view; other errors pass as they are. */
export function viewProblem(name: string, problem: string, error: unknown, hint = AGAIN): unknown {
  if (!(error instanceof WarehouseError)) return error;
  return new OpportuneError({ code: "ledger/view", message: `The view ${name} ${problem}: ${error.reason}.`, hint }, 1, error);
}

/** Whether that is the warehouse's own code of a refusal. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof WarehouseError && (error.cause as { code?: unknown } | undefined)?.code === code;
}
