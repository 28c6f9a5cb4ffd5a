import { instant } from "../../core/clock.js";
import { decide, workTables } from "../../run/decide.js";
import { ledgerFacts } from "../../ledger/ledger.js";
import { isTrial } from "../../ledger/trial.js";
import type { Project } from "../../project/types.js";
import { loadRenderer } from "../../render/renderer.js";
import type { Row, Warehouse } from "../../warehouse/types.js";

/**
 * Every reason that stops a user's messages now: all segments are asked as a dry run asks them, since they compete, and arbitration
 * gives all that bites in place of the first. Nothing is written to the ledger.
 */
export async function stopsNow(project: Project, warehouse: Warehouse, user: string, now: number): Promise<{ asOf: string; rows: Row[] }> {
  const { schema } = project.target;
  const asOf = instant(now);
  const trial = isTrial(project.target, null);
  const segments = [...project.segments.values()].filter(({ status }) => status !== "draft");
  const facts = await ledgerFacts(warehouse, schema, { asOf, trial, segments: segments.map(({ id }) => id), whole: true });
  await warehouse.script({ work: workTables(warehouse.dialect, schema), statements: [] });
  const nothing = (): undefined => undefined;
  const asked = { runId: "explain", asOf, trial, segments, whole: true, backfill: new Set<string>(), approved: new Set<string>() };
  const told = { now: () => now, onStep: nothing, onStatement: nothing };
  const { stops } = await decide(project, warehouse, { ...asked, ...told, ledger: null, facts, templates: loadRenderer(project), stopsOf: user });
  return { asOf, rows: stops };
}
