/** The import rule of eslint.config.js: who may import whom, tried on one forbidden and one allowed import a border. */
import { readdirSync } from "node:fs";
import { ESLint, Linter } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";

const RULE = "@typescript-eslint/no-restricted-imports";
const eslint = new ESLint({ cwd: new URL("..", import.meta.url).pathname });

/** What the rule, as configured for this file, says of this code. The rule needs no types, so none are loaded. */
async function complaints(file: string, code: string): Promise<string[]> {
  const config = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, Linter.RuleEntry> };
  const rule = config.rules[RULE];
  if (rule === undefined) throw new Error(`${file} has no import rule`);
  const plugins = { "@typescript-eslint": tseslint.plugin as unknown as NonNullable<Linter.Config["plugins"]>[string] };
  const languageOptions = { parser: tseslint.parser as Linter.Parser };
  return new Linter().verify(code, { files: ["**/*.ts"], plugins, languageOptions, rules: { [RULE]: rule } }, file).map(({ message }) => message);
}

describe("the import rule", () => {
  it.each([
    ["src/run/run.ts", 'import { createProgram } from "../commands/program.js"'],
    ["src/run/decide.ts", 'import { runSummary } from "../report/run-summary.js"'],
    ["src/run/claims.ts", 'import { DuckDBInstance } from "@duckdb/node-api"'],
    ["src/segments/stage.ts", 'import { run } from "../../run.js"'],
    ["src/segments/stage.ts", 'import { arbitrateStatement } from "../../arbitration/arbitrate.js"'],
    ["src/arbitration/zones.ts", 'import type { RunResult } from "../../run.js"'],
    ["src/ledger/ledger.ts", 'import { deliverClaims } from "../../delivery/deliver.js"'],
    ["src/ledger/ledger.ts", 'import pg from "pg"'],
    ["src/render/render.ts", 'import { renderSqlFile } from "../../warehouse/sql.js"'],
    ["src/render/render.ts", 'import type { Warehouse } from "../../warehouse/types.js"'],
    ["src/render/render.ts", 'import { Ledger } from "../../ledger/ledger.js"'],
    ["src/delivery/deliver.ts", 'import type { Warehouse } from "../../warehouse/types.js"'],
    ["src/delivery/deliver.ts", 'import { DuckDBInstance } from "@duckdb/node-api"'],
    ["src/warehouse/duckdb/warehouse.ts", 'import { Ledger } from "../../ledger/ledger.js"'],
    ["src/warehouse/duckdb/warehouse.ts", 'import { loadProject } from "../../project/load.js"'],
    ["src/report/story.ts", 'import { run } from "../../run.js"'],
    ["src/server/sandbox/sandbox.ts", 'import { Pool } from "undici"'],
    ["src/project/checks/lint.ts", 'import type { Warehouse } from "../../warehouse/types.js"'],
    ["src/project/checks/lint.ts", 'import { table } from "../../report/tables.js"'],
    ["src/project/build/load.ts", 'import type { Warehouse } from "../../warehouse/types.js"'],
    ["src/core/errors.ts", 'import type { Problem } from "../../project/problems.js"'],
    ["src/core/errors.ts", 'import { leaves } from "../../delivery/providers/registry.js"'],
    ["src/warehouse/sql.ts", 'import { leaves } from "../../delivery/providers/registry.js"'],
    ["src/project/build/build.ts", 'import { createOutbox } from "../../delivery/providers/outbox.js"'],
    ["src/channels/email.ts", 'import type { Project } from "../../project/types.js"'],
    ["src/core/errors.ts", 'export { VERSION } from "../../version.js"'],
    ["src/commands/run.ts", 'import { DuckDBInstance } from "@duckdb/node-api"'],
    ["src/commands/run.ts", 'import "../../cli.js"'],
  ])("finds in %s: %s", async (file, code) => {
    expect(await complaints(file, code)).toHaveLength(1);
  });

  it.each([
    ["src/run/run.ts", 'import { decide } from "../decide.js"'],
    ["src/run/run.ts", 'import { deliverClaims } from "../delivery/deliver.js"'],
    ["src/segments/stage.ts", 'import type { ZoneHours } from "../../arbitration/zones.js"'],
    ["src/segments/stage.ts", 'import { renderSqlFile } from "../../warehouse/sql.js"'],
    ["src/render/render.ts", 'import type { OutgoingMessage } from "../../delivery/types.js"'],
    ["src/render/render.ts", 'import { html } from "../html.js"'],
    ["src/delivery/providers/http/pool.ts", 'import { Pool } from "undici"'],
    ["src/warehouse/duckdb/warehouse.ts", 'import { DuckDBInstance } from "@duckdb/node-api"'],
    ["src/warehouse/duckdb/warehouse.ts", 'import type { DuckDbConnection } from "../../project/types.js"'],
    ["src/report/story.ts", 'import type { RunResult } from "../../run.js"'],
    ["src/project/build/build.ts", 'import { providedBy } from "../../delivery/providers/registry.js"'],
    ["src/warehouse/canonical.ts", 'import { addressOf } from "../../channels/registry.js"'],
    ["src/project/checks/lint.ts", 'import { analyse } from "../../render/contexts.js"'],
    ["src/commands/run.ts", 'import { openDuckDb } from "../../warehouse/duckdb.js"'],
  ])("lets pass in %s: %s", async (file, code) => {
    expect(await complaints(file, code)).toEqual([]);
  });

  it("covers every file but the entries and the version", async () => {
    const files = readdirSync(new URL("../../src", import.meta.url), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const without: string[] = [];
    for (const file of files) if (!hasRule(await eslint.calculateConfigForFile(`src/${file}`))) without.push(file);
    expect(without.sort()).toEqual(["cli.ts", "index.ts", "version.ts"]);
  });
});

function hasRule(config: unknown): boolean {
  return RULE in (config as { rules: object }).rules;
}
