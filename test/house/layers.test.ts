/** Who may import whom in src/: the rules of dependency-cruiser.config.js, tried on files that break each of them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseOptions, type ICruiseResult } from "dependency-cruiser";
import { afterAll, expect, it } from "vitest";
import config from "../../dependency-cruiser.config.js";

const ROOT = join(import.meta.dirname, "../..");
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** The rules that one file with these imports breaks; what it imports is an empty file, or a package that is installed. */
async function broken(file: string, ...imports: readonly string[]): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  folders.push(root);
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("package.json", JSON.stringify({ type: "module" }));
  for (const line of imports) {
    const imported = /"(\..+)\.js"/.exec(line)?.[1];
    if (imported !== undefined) write(`${join(dirname(file), imported)}.ts`, "export {};\n");
  }
  write(file, imports.join("\n"));
  const { tsConfig: _, ...options } = config.options;
  const { output } = await cruise(["src"], { ...options, baseDir: root, validate: true, ruleSet: { forbidden: config.forbidden } } as ICruiseOptions);
  return (output as ICruiseResult).summary.violations.map(({ rule }) => rule.name).sort();
}

it.each([
  ["run-imports", "src/run/run.ts", 'import { createProgram } from "../commands/program.js"'],
  ["run-imports", "src/run/decide.ts", 'import { runSummary } from "../report/run-summary.js"'],
  ["drivers", "src/run/claims.ts", 'import { DuckDBInstance } from "@duckdb/node-api"'],
  ["segments-imports", "src/segments/stage.ts", 'import { run } from "../run/run.js"'],
  ["segments-types", "src/segments/stage.ts", 'import { arbitrateStatement } from "../arbitration/arbitrate.js"'],
  ["arbitration-imports", "src/arbitration/zones.ts", 'import type { RunResult } from "../run/run.js"'],
  ["ledger-types", "src/ledger/ledger.ts", 'import { deliverClaims } from "../delivery/deliver.js"'],
  ["drivers", "src/ledger/ledger.ts", 'import pg from "pg"'],
  ["render-imports", "src/render/render.ts", 'import { renderSqlFile } from "../warehouse/sql.js"'],
  ["render-imports", "src/render/render.ts", 'import type { Warehouse } from "../warehouse/types.js"'],
  ["render-types", "src/render/html/links.ts", 'import { Ledger } from "../../ledger/ledger.js"'],
  ["delivery-imports", "src/delivery/deliver.ts", 'import type { Warehouse } from "../warehouse/types.js"'],
  ["warehouse-imports", "src/warehouse/duckdb/warehouse.ts", 'import { Ledger } from "../../ledger/ledger.js"'],
  ["warehouse-types", "src/warehouse/duckdb/warehouse.ts", 'import { loadProject } from "../../project/build/load.js"'],
  ["report-types", "src/report/story.ts", 'import { run } from "../run/run.js"'],
  ["http", "src/server/sandbox/sandbox.ts", 'import { Pool } from "undici"'],
  ["providers", "src/core/sendgrid.ts", 'import client from "@sendgrid/mail"'],
  ["project/checks-imports", "src/project/checks/lint.ts", 'import type { Warehouse } from "../../warehouse/types.js"'],
  ["project-imports", "src/project/build/load.ts", 'import type { Warehouse } from "../../warehouse/types.js"'],
  ["project-imports", "src/project/build/load.ts", 'import { lint } from "../checks/lint.js"'],
  ["core-imports", "src/core/errors.ts", 'import type { Problem } from "../project/problems.js"'],
  ["core-imports", "src/core/errors.ts", 'export { VERSION } from "../version.js"'],
  ["providers", "src/delivery/lanes/lanes.ts", 'import client from "@sendgrid/mail"'],
  ["http", "src/delivery/providers/sendgrid/provider.ts", 'import { Pool } from "undici"'],
  ["delivery/providers-types", "src/delivery/providers/outbox.ts", 'import { deliverClaims } from "../deliver.js"'],
  ["project-imports", "src/project/build/build.ts", 'import { createOutbox } from "../../delivery/providers/outbox.js"'],
  ["core-imports", "src/core/errors.ts", 'import { leaves } from "../delivery/providers/registry.js"'],
  ["warehouse-imports", "src/warehouse/sql.ts", 'import { leaves } from "../delivery/providers/registry.js"'],
  ["channels-imports", "src/channels/email.ts", 'import type { Project } from "../project/types.js"'],
  ["layer", "src/elsewhere/one.ts", 'import { instant } from "../core/clock.js"'],
  ["no-circle", "src/core/errors.ts", 'import type { Problem } from "./errors.js"'],
])("says %s of %s: %s", async (rule, file, code) => {
  expect(await broken(file, code)).toEqual([rule]);
});

it("says entry of what imports the command line", async () => {
  expect(await broken("src/commands/run.ts", 'import "../cli.js"')).toContain("entry");
});

it.each([
  ["src/run/run.ts", 'import { decide } from "./decide.js"', 'import { deliverClaims } from "../delivery/deliver.js"'],
  ["src/segments/stage.ts", 'import type { ZoneHours } from "../arbitration/zones.js"', 'import { renderSqlFile } from "../warehouse/sql.js"'],
  ["src/render/render.ts", 'import type { OutgoingMessage } from "../delivery/types.js"', 'import { html } from "./html/html.js"'],
  ["src/delivery/providers/http/pool.ts", 'import { Pool } from "undici"', 'import type { SendOutcome } from "../../types.js"'],
  ["src/delivery/providers/sendgrid/provider.ts", 'import client from "@sendgrid/mail"', 'import { channelKind } from "../../../channels/registry.js"'],
  ["src/delivery/lanes/lanes.ts", 'import { providerKind } from "../providers/registry.js"', 'import type { Project } from "../../project/types.js"'],
  [
    "src/project/build/build.ts",
    'import { providedBy } from "../../delivery/providers/registry.js"',
    'import { CHANNEL_TYPES } from "../../channels/registry.js"',
  ],
  ["src/warehouse/canonical.ts", 'import { addressOf } from "../channels/registry.js"'],
  ["src/warehouse/duckdb/warehouse.ts", 'import { DuckDBInstance } from "@duckdb/node-api"', 'import type { DuckDbConnection } from "../../project/types.js"'],
  ["src/report/story.ts", 'import type { RunResult } from "../run/run.js"'],
  ["src/project/checks/lint.ts", 'import { analyse } from "../../render/html/contexts.js"', 'import type { Segment } from "../types.js"'],
  ["src/commands/run.ts", 'import { openDuckDb } from "../warehouse/duckdb/open.js"'],
])("lets pass in %s: %s", async (file, ...code) => {
  expect(await broken(file, ...code)).toEqual([]);
});
