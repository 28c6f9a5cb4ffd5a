import { lintProject } from "../lint/lint.js";
import { RULES } from "../lint/rules.js";
import { loadRenderer } from "../render/renderer.js";
import { lintDocument, lintLines } from "../report/lint.js";
import { openProject } from "./context.js";
import { selectSegments } from "./select.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

export interface LintOptions extends GlobalOptions {
  select?: string[];
  exclude?: string[];
}

/** Says what is unwise in the project; 1 if anything is. Asks no warehouse. */
export function lintCommand(terminal: Terminal, options: LintOptions): Promise<number> {
  const project = openProject(options);
  const segments = selectSegments(project, options);
  const result = lintProject(project, loadRenderer(project).templateOf, segments);
  if (options.output === "json") terminal.out(JSON.stringify(lintDocument(result, RULES), null, 2));
  else terminal.out(lintLines(result, RULES, segments.length, terminal.outPaint).join("\n"));
  return Promise.resolve(result.findings.length === 0 ? 0 : 1);
}
