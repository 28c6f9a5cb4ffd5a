/** Projects as real files in temporary folders. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatProblem, OpportuneError, type Problem } from "../../src/core/errors.js";
import { loadProject } from "../../src/project/build/load.js";

/** Path → content; null leaves a file of the base out. */
export type Files = Readonly<Record<string, string | Uint8Array | null>>;

/** Writes the files into a new folder, removed after the tests, and gives its path. */
export function projectFolder(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), "opportune-project-"));
  for (const [path, content] of Object.entries(files)) {
    if (content === null) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** What loading these files reports; fails where nothing is reported. */
export function problemsOf(files: Files, options: { target?: string; env?: NodeJS.ProcessEnv } = {}): readonly Problem[] {
  const root = projectFolder(files);
  try {
    loadProject(root, { env: {}, ...options });
  } catch (error) {
    if (!(error instanceof OpportuneError)) throw error;
    if (error.exitCode !== 2) throw new Error(`exit code ${String(error.exitCode)}`, { cause: error });
    return error.problems;
  }
  throw new Error("the project loaded without a problem");
}

/** The problems as the terminal shows them, hints on the same line. */
export function linesOf(problems: readonly Problem[]): string[] {
  return problems.map((problem) => formatProblem(problem).replace("\n    ", " | "));
}

/** A small valid project, the ground that broken ones start from. */
export const BASE: Files = {
  "opportune.yml": [
    "name: shop",
    "targets:",
    "  dev: {type: duckdb, path: shop.duckdb}",
    "channels:",
    "  email: {provider: outbox}",
    "sources:",
    "  carts: shop.carts",
    "",
  ].join("\n"),
  "segments/cart.sql": [
    "/*---",
    "status: live",
    "goal: ordered",
    "steps:",
    "  - name: nudge",
    "    after: 10 minutes",
    "    channel: email",
    "    template: cart_email",
    "---*/",
    'select user_id, email, updated_at as occurred_at from {{source "carts"}}',
    "",
  ].join("\n"),
  "segments/audiences/ordered.sql": "select user_id, ordered_at as occurred_at from shop.orders\n",
  "templates/cart_email.hbs": "Hello",
};

/** The base with some text of one file replaced; fails where the text isn't there, so that no case tests nothing. */
export function edited(file: keyof typeof BASE, from: string, to: string): Files {
  const content = BASE[file];
  if (typeof content !== "string" || !content.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
  return { ...BASE, [file]: content.replace(from, () => to) };
}
