import { instant } from "../../core/clock.js";
import { ledgerFacts } from "../../ledger/facts.js";
import type { Ledger } from "../../ledger/ledger.js";
import { isTrial } from "../../ledger/trial.js";
import type { Project } from "../../project/types.js";
import { loadRenderer } from "../../render/renderer.js";
import { decide } from "../../run/decide.js";
import { workTables } from "../../warehouse/sql.js";
import type { Row } from "../../warehouse/types.js";

/**
 * Every reason that stops a user's messages now: all segments are asked as a dry run asks them, since they compete, and arbitration
 * gives all that bites in place of the first. Nothing is written to the ledger.
 */
export async function stopsNow(project: Project, ledger: Ledger, user: string): Promise<{ asOf: string; rows: Row[] }> {
  const { warehouse } = ledger;
  const asOf = instant(ledger.now());
  const trial = isTrial(project.target, null);
  const segments = [...project.segments.values()].filter(({ status }) => status !== "draft");
  const facts = await ledgerFacts(ledger, { asOf, trial, segments: segments.map(({ id }) => id), whole: true });
  await warehouse.script({ work: workTables(warehouse.dialect), statements: [] });
  const nothing = (): undefined => undefined;
  const asked = { runId: "explain", asOf, trial, segments, whole: true, backfill: new Set<string>(), approved: new Set<string>() };
  const told = { onStep: nothing, onStatement: nothing };
  const { stops } = await decide(project, ledger, { ...asked, ...told, held: null, facts, templates: loadRenderer(project), stopsOf: user });
  return { asOf, rows: stops };
}
