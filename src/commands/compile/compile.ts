import { lookBackSeconds } from "../../arbitration/constants.js";
import { instant } from "../../core/clock.js";
import { formatProblem, type Problem } from "../../core/errors.js";
import { compileRun } from "../../run/prepare.js";
import { ledgerFacts } from "../../ledger/facts.js";
import type { Ledger } from "../../ledger/ledger.js";
import { isTrial } from "../../ledger/trial.js";
import { problemLines } from "../../report/error-lines.js";
import { goalWarnings } from "../../report/goal-warnings.js";
import { counted } from "../../report/tables.js";
import { loadRenderer } from "../../render/renderer.js";
import { idleOptOuts } from "../opt-outs.js";
import { parseAsOf } from "../shared/as-of.js";
import { ARTEFACTS, beginArtefacts } from "../shared/artefacts.js";
import { withLedger } from "../shared/context.js";
import { estimate } from "./estimate.js";
import { datedSources, undatable } from "../../segments/freshness.js";
import { selectSegments } from "../shared/select.js";
import type { Project } from "../../project/types.js";
import type { GlobalOptions, Terminal } from "../shared/terminal.js";

export interface CompileCommandOptions extends GlobalOptions {
  select?: string[];
  exclude?: string[];
  asOf?: string;
  estimate?: boolean;
}

/** Checks everything that can be checked without running it, and writes the SQL that a run would send. */
export function compileCommand(terminal: Terminal, options: CompileCommandOptions): Promise<number> {
  const compile = async (project: Project, ledger: Ledger): Promise<number> => {
    const { warehouse } = ledger;
    const asOf = options.asOf === undefined ? instant(Date.now()) : parseAsOf(options.asOf, Date.now(), true);
    const segments = selectSegments(project, options);
    const warn = (warnings: readonly Problem[]): void => {
      for (const warning of warnings) terminal.warn(terminal.errPaint.yellow(`warning: ${formatProblem(warning)}`));
    };
    warn(project.idle);
    warn(goalWarnings(project, segments, lookBackSeconds));
    const renderer = loadRenderer(project);
    const trial = isTrial(project.target, options.asOf ?? null);
    const facts = await ledgerFacts(ledger, { asOf, trial, segments: segments.map(({ id }) => id) });
    warn(await idleOptOuts(project, ledger, trial));
    const note = "Time zones are known once rows are staged: a run fills in the table of zones.";
    const artefacts = beginArtefacts(project, { asOf, segments, note });
    const everything = options.select === undefined && options.exclude === undefined;
    const compiled = await compileRun(project, ledger, {
      asOf,
      trial,
      segments,
      backfill: new Set(),
      templates: renderer,
      facts,
      audiences: everything ? [...project.audiences.keys()] : [],
      onStatement: (...written) => artefacts.statement(...written),
    });
    const { failedSegments, failedAudiences } = compiled;
    const read = [...compiled.segments.values(), ...compiled.audiences.values()].flatMap(({ sources }) => sources);
    const estimates = options.estimate === true ? await estimate(project, warehouse, compiled, compiled.decides) : null;
    const problems = once([
      ...(await undatable(datedSources(project, new Set(read)), warehouse)),
      ...[...failedAudiences.values(), ...failedSegments.values()].flat(),
      ...(estimates?.problems ?? []),
    ]);
    for (const line of problemLines(problems, terminal.errPaint)) terminal.warn(line);
    for (const file of artefacts.written) terminal.note(file);
    for (const line of estimates?.lines(terminal.outPaint) ?? []) terminal.out(line);
    terminal.out(
      `${problems.length === 0 ? "Compiled" : "Compiled, with errors:"} ${counted(segments.length - failedSegments.size, "segment")}${problems.length === 0 ? "" : `, ${counted(problems.length, "mistake")}`}; the SQL is in ${ARTEFACTS}/compiled/.`,
    );
    return problems.length === 0 ? 0 : 1;
  };
  return withLedger(terminal, options, compile, { brokenAlone: true });
}

/** An audience's mistake is that of each segment that builds on it: it is told once. */
function once(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
