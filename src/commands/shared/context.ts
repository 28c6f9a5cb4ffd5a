/** What most commands begin with: the project, its warehouse, its ledger. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { OpportuneError, problemsOf, type Problem } from "../../core/errors.js";
import { didYouMean, nearestName } from "../../core/suggest.js";
import { Ledger } from "../../ledger/ledger.js";
import { loadProject } from "../../project/build/load.js";
import { PROJECT_FILE } from "../../project/written/project-file.js";
import type { Project, Segment, Target } from "../../project/types.js";
import { openWarehouse as openTarget } from "../../warehouse/open.js";
import type { Warehouse } from "../../warehouse/types.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

/**
 * The project's folder: the one named by --project-dir, else the nearest upward from `cwd` with an opportune.yml.
 * @throws OpportuneError (exit 2) where there is none
 */
export function findProject(cwd: string, projectDir: string | undefined): string {
  if (projectDir !== undefined) return resolve(cwd, projectDir);
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, PROJECT_FILE))) return folder;
    if (dirname(folder) === folder) break;
  }
  const near = readdirSync(cwd).find((name) => /^opportune\.ya?ml(?:\.txt)?$/i.test(name));
  throw new OpportuneError(
    {
      code: "project/missing",
      message: `There is no ${PROJECT_FILE} in this folder or above it.`,
      hint:
        near === undefined ? "Begin a project with `opportune init`, or name its folder with --project-dir." : `Here is ${near}: rename it to ${PROJECT_FILE}.`,
    },
    2,
  );
}

/** The project that the options mean, valid throughout; `brokenAlone`: but for the `mistakes` of single files. */
export function openProject(options: Pick<GlobalOptions, "projectDir" | "target">, { brokenAlone = false } = {}): Project {
  return loadProject(findProject(process.cwd(), options.projectDir), { target: options.target, brokenAlone });
}

/** Opens a target's warehouse; its driver is loaded only now. */
export async function openWarehouse(root: string, target: Target, terminal: Terminal): Promise<Warehouse> {
  return openTarget(target.connection, { root, create: false, onWait: (message) => terminal.note(message) });
}

/** What is wrong with single files, in the order of their names. */
function mistakesOf({ segments, audiences }: Project): Problem[] {
  return [...audiences.values(), ...segments.values()].flatMap(({ mistakes = [] }) => mistakes);
}

/** Gives `work` the project and its warehouse, and closes the warehouse whatever happens. `brokenAlone`: as for `openProject`; an error names those mistakes too. */
export async function withWarehouse<T>(
  terminal: Terminal,
  options: Pick<GlobalOptions, "projectDir" | "target">,
  work: (project: Project, warehouse: Warehouse) => Promise<T>,
  { brokenAlone = false } = {},
): Promise<T> {
  const project = openProject(options, { brokenAlone });
  try {
    const warehouse = await openWarehouse(project.root, project.target, terminal);
    warehouse.label({ project: project.name, run: null });
    try {
      return await work(project, warehouse);
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    const mistakes = mistakesOf(project);
    if (mistakes.length === 0) throw error;
    throw new OpportuneError([...mistakes, ...problemsOf(error)], 2, error);
  }
}

/** Like withWarehouse, for what asks the target's ledger. */
export function withLedger<T>(
  terminal: Terminal,
  options: Pick<GlobalOptions, "projectDir" | "target">,
  work: (project: Project, ledger: Ledger) => Promise<T>,
  { brokenAlone = false } = {},
): Promise<T> {
  return withWarehouse(terminal, options, (project, warehouse) => work(project, new Ledger(warehouse, project.target.schema)), { brokenAlone });
}

/** The segment of that id. @throws OpportuneError (exit 2) with the nearest one */
export function segmentNamed(project: Project, id: string): Segment {
  const segment = project.segments.get(id);
  if (segment !== undefined) return segment;
  throw unknownName("segment", id, [...project.segments.keys()]);
}

/** "There is no … x", with the nearest name or all there are; exit 2. */
export function unknownName(what: string, name: string, known: readonly string[]): OpportuneError {
  const all = known.length === 0 ? `The project has no ${what} yet.` : `There are: ${known.join(", ")}.`;
  const hint = didYouMean(nearestName(name, known));
  return new OpportuneError(
    {
      code: `usage/unknown-${what}`,
      message: `There is no ${what} ${JSON.stringify(name)}.`,
      hint: hint ?? all,
    },
    2,
  );
}
