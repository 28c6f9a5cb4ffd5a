import { Alerts } from "../alerts/alerts.js";
import { instant } from "../core/clock.js";
import { OpportuneError } from "../core/errors.js";
import { keepHeapSmall } from "../core/memory.js";
import { runHistory } from "../ledger/runs/history.js";
import { Ledger } from "../ledger/ledger.js";
import { isTrial } from "../ledger/trial.js";
import type { Project, Segment } from "../project/types.js";
import { runDocument } from "../report/artefacts.js";
import { problemLines } from "../report/error-lines.js";
import { arbitrationEnd, arbitrationStart, deliveryLine, stepLines } from "../report/run-lines.js";
import { runSummary } from "../report/run-summary.js";
import { periods } from "../run/prepare.js";
import { run } from "../run/run.js";
import type { RunOptions, RunResult } from "../run/types.js";
import { dueAt, dueSegments } from "../schedule/due.js";
import { VERSION } from "../version.js";
import type { Warehouse } from "../warehouse/types.js";
import { alerted } from "./shared/alerted.js";
import { parseAsOf } from "./shared/as-of.js";
import { beginArtefacts, dispensable, type Artefacts } from "./shared/artefacts.js";
import { segmentNamed, unknownName, openProject, openWarehouse } from "./shared/context.js";
import { selectSegments, words } from "./shared/select.js";
import { listenForSignals } from "./shared/signals.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";

export interface RunCommandOptions extends GlobalOptions {
  select?: string[];
  exclude?: string[];
  dryRun?: boolean;
  asOf?: string;
  backfill?: string[];
  approve?: string[];
  due?: boolean;
  strict?: boolean;
}

/** Least time between two lines on how far delivery is, ms. */
const PROGRESS_EVERY_MS = 1_000;

/** One run, told on stderr as it goes and on stdout when it is over. */
export async function runCommand(terminal: Terminal, options: RunCommandOptions): Promise<number> {
  keepHeapSmall();
  const project = openProject(options, { brokenAlone: true });
  const asOf = options.asOf === undefined ? null : parseAsOf(options.asOf, Date.now(), options.dryRun === true);
  const selected = takingPart(project, options);
  const backfill = backfilled(project, selected, options);
  const approved = approvedSegments(project, options);
  const dryRun = options.dryRun === true;
  const alerts = dryRun || asOf !== null ? null : new Alerts({ now: Date.now, onFailure: terminal.warn });
  const signals = listenForSignals(terminal);
  let artefacts: Artefacts | null = null;
  try {
    const result = await alerted(
      project,
      alerts,
      () => openWarehouse(project.root, project.target, terminal),
      async (warehouse) => {
        const named = (id: string): boolean => backfill.has(id) || approved.has(id);
        const due = options.due === true ? await dueNow(project, warehouse, selected, asOf, terminal) : selected;
        const segments = selected.filter((segment) => due.includes(segment) || named(segment.id));
        if (options.due === true && segments.length === 0) return null;
        const left = [...project.segments.values()].filter((segment) => segment.status !== "draft" && !segments.includes(segment));
        if (left.length > 0) terminal.note(`Not selected, so they do not compete in this run: ${left.map(({ id }) => id).join(", ")}.`);
        const begin = (): Artefacts => beginArtefacts(project, { asOf: asOf ?? instant(Date.now()), segments });
        const written = (artefacts = dispensable(begin, terminal));
        return run(project, warehouse, {
          ...narrated(terminal),
          segments,
          whole: options.select === undefined && options.exclude === undefined,
          backfill,
          approved,
          dryRun,
          strict: options.strict === true,
          asOf,
          now: Date.now,
          stop: signals.stop,
          abandon: signals.abandon,
          onStatement(name, statements, secrets) {
            written.statement(name, statements, secrets);
            if (name === "arbitrate") terminal.note(arbitrationStart());
          },
        });
      },
    );
    return result === null ? nothingDue(terminal, options) : told(terminal, options, project, result, signals.stop.aborted, artefacts);
  } finally {
    signals.close();
  }
}

/** Of these segments, those whose `every` has passed. */
async function dueNow(project: Project, warehouse: Warehouse, selected: readonly Segment[], asOf: string | null, terminal: Terminal): Promise<Segment[]> {
  const { askedAt } = await runHistory(new Ledger(warehouse, project.target.schema), isTrial(project.target, asOf));
  const at = asOf === null ? Date.now() : Date.parse(asOf);
  const due = dueSegments(selected, askedAt, at, project.intervalSeconds);
  const later = selected
    .filter((segment) => !due.includes(segment))
    .map((segment) => ({ id: segment.id, at: dueAt(segment, askedAt, project.intervalSeconds) }));
  if (later.length > 0) terminal.note(`Not due yet: ${later.map(({ id, at }) => `${id} (from ${instant(at)})`).join(", ")}.`);
  return due;
}

function nothingDue(terminal: Terminal, options: RunCommandOptions): number {
  if (options.output === "json") terminal.out(JSON.stringify({ schema_version: 1, status: "success", run_id: null, segments: [] }, null, 2));
  else terminal.out("No segment is due: nothing was run.");
  return 0;
}

/** Tells what became of a run, and gives the exit code. */
function told(terminal: Terminal, options: RunCommandOptions, project: Project, result: RunResult, signalled: boolean, artefacts: Artefacts | null): number {
  const stopped = signalled && (result.delivery === null || (result.delivery.counts.released.stopped ?? 0) > 0);
  const document = runDocument(result, { project: project.name, target: project.target.name, version: VERSION, stopped, period: schedule(project) });
  artefacts?.document("run_results.json", document);
  if (options.output === "json") terminal.out(JSON.stringify(document, null, 2));
  else conclude(terminal, result, project, stopped);
  return document.status === "success" ? 0 : 1;
}

/** How often what takes part is asked. */
export function schedule(project: Project): ReturnType<typeof periods> {
  return periods(
    project,
    [...project.segments.values()].filter(({ status }) => status !== "draft"),
  );
}

/** Live and paused segments among those selected; drafts in a dry run alone. */
function takingPart(project: Project, options: RunCommandOptions): Segment[] {
  const selected = selectSegments(project, options);
  const drafts = selected.filter(({ status }) => status === "draft");
  if (options.dryRun === true) return selected;
  const named = drafts.find(({ id }) => words(options.select).includes(id));
  if (named !== undefined || (options.select !== undefined && drafts.length === selected.length && drafts.length > 0)) {
    throw new OpportuneError(
      {
        code: "usage/draft",
        message: `Segment ${(named ?? drafts[0])?.id ?? ""} is a draft.`,
        hint: "Drafts take part with --dry-run only. Set `status: live` in its file to send.",
      },
      2,
    );
  }
  return selected.filter(({ status }) => status !== "draft");
}

function backfilled(project: Project, segments: readonly Segment[], options: RunCommandOptions): Set<string> {
  const ids = words(options.backfill);
  for (const id of ids) {
    const segment = project.segments.get(id);
    if (segment === undefined) throw unknownName("segment", id, [...project.segments.keys()]);
    const fits = segment.status === "live" || (segment.status === "draft" && options.dryRun === true);
    if (fits && segments.includes(segment)) continue;
    const why = fits ? "is not selected" : `is ${segment.status === "draft" ? "a draft" : "paused"}`;
    throw new OpportuneError(
      {
        code: "usage/backfill",
        message: `Segment ${id} can't be backfilled: it ${why}.`,
        hint: fits ? "Add it to --select." : "Set `status: live` in its file first.",
      },
      2,
    );
  }
  return new Set(ids);
}

function approvedSegments(project: Project, options: RunCommandOptions): Set<string> {
  return new Set(words(options.approve).map((id) => segmentNamed(project, id).id));
}

/** The run's callbacks, as lines on stderr. */
export function narrated(terminal: Terminal): Pick<RunOptions, "onStep" | "onDecided" | "onProgress"> {
  let told = Date.now();
  return {
    onStep: (step) => {
      for (const line of stepLines(step, terminal.errPaint))
        if (step.problem === undefined) terminal.note(line);
        else terminal.warn(line);
    },
    onDecided: (decisions) => {
      const candidates = decisions.segments.flatMap(({ reasons }) => Object.values(reasons)).reduce((sum, n) => sum + n, 0);
      terminal.note(arbitrationEnd(candidates, decisions.arbitrationMs, terminal.errPaint));
      told = Date.now();
    },
    onProgress: (progress) => {
      if (Date.now() - told < PROGRESS_EVERY_MS) return;
      told = Date.now();
      terminal.note(deliveryLine(progress));
    },
  };
}

export function conclude(terminal: Terminal, result: RunResult, project: Project, stopped: boolean): void {
  const summary = runSummary(result, {
    paint: terminal.outPaint,
    width: terminal.width,
    stopped,
    maxPerRun: project.policy.maxPerRun,
    period: schedule(project),
    target: project.target,
  });
  terminal.out(`\n${summary.join("\n")}`);
  // Failed queries of segments and audiences have been told where they happened.
  for (const line of problemLines(
    result.problems.filter(({ code }) => code.startsWith("delivery/") || code.startsWith("run/")),
    terminal.errPaint,
  ))
    terminal.warn(line);
}
