import { connectionName } from "../../project/targets/targets.js";
import { CLOCKS_AGREE_MS, instant } from "../../core/clock.js";
import { OpportuneError, type Problem } from "../../core/errors.js";
import { targetOption } from "../../core/failures.js";
import {
  channelChecks,
  clockCheck,
  doubtsCheck,
  failed,
  guardChecks,
  homeCheck,
  leaseCheck,
  ledgerCheck,
  ok,
  optOutChecks,
  pauseCheck,
  sourceChecks,
  versionChecks,
  type Check,
} from "../../report/checks.js";
import { loadProject } from "../../project/build/load.js";
import { usedSources } from "../../project/written/sql-references.js";
import type { Project } from "../../project/types.js";
import { ledgerFacts, type Facts } from "../../ledger/facts.js";
import { strangerIn } from "../../ledger/install/home.js";
import { ledgerStatus } from "../../ledger/install/versions.js";
import { Ledger } from "../../ledger/ledger.js";
import { standingDoubts } from "../../ledger/recovery/standing-doubts.js";
import { runAhead, skewProblem } from "../../ledger/runs/clock.js";
import { previousSegmentRuns } from "../../ledger/runs/segment-runs.js";
import { isTrial } from "../../ledger/trial.js";
import { datedSources, newestData } from "../../segments/freshness.js";
import { idleOptOuts } from "../opt-outs.js";
import type { Warehouse } from "../../warehouse/types.js";
import { checkLines } from "../../report/checks.js";
import { counted } from "../../report/tables.js";
import { findProject, openWarehouse } from "../shared/context.js";
import { targetNames } from "./facts.js";
import type { GlobalOptions, Terminal } from "../shared/terminal.js";

/** Checks everything that a run needs, each with the way out. */
export async function debugCommand(terminal: Terminal, options: GlobalOptions): Promise<number> {
  const checks = [...versionChecks(), ...(await projectChecks(terminal, options))];
  if (options.output === "json") terminal.out(JSON.stringify({ schema_version: 1, checks }, null, 2));
  else terminal.out(checkLines(checks, terminal.outPaint).join("\n"));
  return checks.some(({ state }) => state === "FAIL") ? 1 : 0;
}

async function projectChecks(terminal: Terminal, options: GlobalOptions): Promise<Check[]> {
  let root: string;
  let project: Project;
  try {
    root = findProject(process.cwd(), options.projectDir);
    project = loadProject(root, { target: options.target });
  } catch (error) {
    return problemsOf(error).map((problem) => failed("project", problem));
  }
  return [
    ok("project", `${project.name}: ${counted(project.segments.size, "segment")}, ${counted(project.audiences.size, "audience")}, all files valid`),
    ...(await targetChecks(terminal, root, project)),
    ...channelChecks(project),
  ];
}

/** The chosen target with all that is in it; of the others, whether they open. */
async function targetChecks(terminal: Terminal, root: string, project: Project): Promise<Check[]> {
  const checks = await withTarget(terminal, project, (warehouse) => warehouseChecks(project, warehouse));
  for (const name of targetNames(root).filter((each) => each !== project.target.name)) {
    try {
      checks.push(...(await withTarget(terminal, loadProject(root, { target: name }), () => Promise.resolve([]))));
    } catch (error) {
      // Nobody needs production's password on a laptop.
      for (const problem of problemsOf(error))
        checks.push(
          problem.code === "config/environment" ? { state: "SKIP", name: `target ${name}`, text: problem.message } : failed(`target ${name}`, problem),
        );
    }
  }
  return checks;
}

async function withTarget(terminal: Terminal, project: Project, more: (warehouse: Warehouse) => Promise<Check[]>): Promise<Check[]> {
  const { name, live, connection } = project.target;
  const what = `target ${name}`;
  try {
    const warehouse = await openWarehouse(project.root, project.target, terminal);
    try {
      return [
        ok(what, `${connection.type} ${connectionName(connection)} opens; ${live ? "live: messages really leave" : "not live: messages go to the outbox"}`),
        ...(await more(warehouse)),
      ];
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    return problemsOf(error).map((problem) => failed(what, problem));
  }
}

/** Only Postgres has poolers that hand a session's backend to others; a file or an account has sessions of its own. */
async function sessionChecks({ root, target: { connection } }: Project): Promise<Check[]> {
  if (connection.type !== "postgres") return [];
  const { findPooler, LOAD } = await import("../../warehouse/postgres/pooler.js");
  const found = await findPooler(connection, root);
  if (found !== null) return found.problems.map((problem) => failed("session", problem));
  return [ok("session", `stays on its backend beside ${String(LOAD)} open transactions`)];
}

/** What Postgres refuses a run, or would: other warehouses say so when a statement asks. */
async function rightsChecks({ target: { connection, schema } }: Project, warehouse: Warehouse): Promise<Check[]> {
  if (connection.type !== "postgres") return [];
  const { findObstacles } = await import("../../warehouse/postgres/rights.js");
  const problems = await findObstacles(warehouse, connection, schema);
  if (problems.length > 0) return problems.map((problem) => failed("rights", problem));
  return [ok("rights", "writes, temporary tables and the ledger's tables are allowed")];
}

async function warehouseChecks(project: Project, warehouse: Warehouse): Promise<Check[]> {
  const ledger = new Ledger(warehouse, project.target.schema);
  const { schema } = ledger;
  const trial = isTrial(project.target, null);
  const session = await sessionChecks(project);
  // Then each further statement would be a matter of luck.
  if (session.some(({ state }) => state === "FAIL")) return session;
  const rights = await rightsChecks(project, warehouse);
  if (rights.some(({ state }) => state === "FAIL")) return [...session, ...rights];
  const status = await ledgerStatus(ledger);
  const unreadable = new Map<string, string>();
  const used = usedSources(project);
  for (const { name, table } of project.sources.values()) {
    if (!used.has(name)) continue;
    try {
      await warehouse.describe({ sql: `select * from ${table}`, params: [] });
    } catch (error) {
      for (const { message } of problemsOf(error)) unreadable.set(name, message);
    }
  }
  const newest = await newestData(datedSources(project, used), warehouse);
  const sources = [...session, ...rights, ...sourceChecks(project, { used, unreadable, newest }, Date.now())];
  if (status.version !== status.expected) return [ledgerCheck(schema, status), ...sources];
  const facts = await ledgerFacts(ledger, { asOf: instant(ledger.now()), trial, segments: [] });
  return [
    ledgerCheck(schema, status),
    ...sources,
    homeCheck(schema, await strangerIn(ledger), project.target.live),
    pauseCheck(facts.pauses, project),
    ...optOutChecks(await idleOptOuts(project, ledger, trial)),
    doubtsCheck(await standingDoubts(ledger, trial, null), project.target),
    ...guardChecks([...(await lastRuns(project, ledger, trial)).values()]),
    await clockOf(project, ledger, facts, trial),
    leaseCheck(facts.lease, ledger.now(), ledger.dialect.oneProcess),
  ];
}

async function clockOf({ target }: Project, ledger: Ledger, facts: Facts, trial: boolean): Promise<Check> {
  const ahead = await runAhead(ledger, facts, trial, ledger.now() + CLOCKS_AGREE_MS);
  return clockCheck(skewProblem(ledger, facts), ahead, targetOption(target), ledger.dialect.oneProcess);
}

function lastRuns(project: Project, ledger: Ledger, trial: boolean): ReturnType<typeof previousSegmentRuns> {
  return previousSegmentRuns(ledger, [...project.segments.keys()], trial, instant(ledger.now()));
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof OpportuneError) return error.problems;
  throw error;
}
