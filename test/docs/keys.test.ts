/**
 * The tables of keys and helpers in docs/ say what the schemas say. They stand between `<!-- NAME -->` and `<!-- end -->`;
 * `UPDATE_DOCS=1 npx vitest run test/docs/keys.test.ts` writes them anew.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { expect, it } from "vitest";
import * as z from "zod";
import { lintProject } from "../../src/project/checks/lint.js";
import { RULES, ruleTable } from "../../src/project/checks/rules.js";
import { projectJsonSchema, segmentJsonSchema } from "../../src/project/schema/json-schema.js";
import { loadProject } from "../../src/project/build/load.js";
import { audienceSchema } from "../../src/project/schema/segment-schema.js";
import { HELPERS } from "../../src/render/language/helpers.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { lintLines } from "../../src/report/lint.js";
import { expectGenerated, table } from "../support/docs.js";

/** The parts of a JSON Schema that a table of keys is made of. */
interface Schema {
  type?: string | string[];
  const?: string;
  enum?: string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  description?: string;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | false;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

interface Key {
  path: string;
  allowed: string;
  fallback: string;
  meaning: string;
}

/** Every key below a schema: `policy.caps[].max`, `channels.<name>.from`. */
function keysOf(schema: Schema, prefix = ""): Key[] {
  const forms = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return forms.flatMap((form) => [
    ...Object.entries(form.properties ?? {}).flatMap(([name, value]) =>
      keyOf(`${prefix}${name}`, value, form.required?.includes(name) === true && value.default === undefined),
    ),
    ...(form.items === undefined ? [] : keysOf(form.items, `${prefix.slice(0, -1)}[].`)),
    ...(typeof form.additionalProperties === "object" ? keysOf(form.additionalProperties, `${prefix}<name>.`) : []),
  ]);
}

function keyOf(path: string, schema: Schema, required: boolean): Key[] {
  const fallback = required ? "required" : isPlain(schema.default) ? `\`${String(schema.default)}\`` : "";
  return [{ path, allowed: allowed(schema), fallback, meaning: schema.description ?? "" }, ...keysOf(schema, `${path}.`)];
}

function isPlain(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function allowed(schema: Schema): string {
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(allowed))].join(" or ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.pattern?.startsWith("^(?:never")) return "`never`, `each_occurrence`, `every` and a duration";
  if (schema.pattern?.includes("week|day|hour")) return "duration";
  if (schema.pattern?.includes("[KMGT]i?B|PB")) return "size";
  if (schema.pattern?.includes("2[0-3]") === true) return '`"HH:MM"`';
  if (schema.pattern?.endsWith("%$") === true) return "`10%`";
  if (schema.pattern === "^[a-z][a-z0-9_]*$") return "name";
  if (Array.isArray(schema.type)) return schema.type.join(", ");
  switch (schema.type) {
    case "object":
      return "mapping";
    case "array":
      return schema.items === undefined ? "list" : `list of ${allowed(schema.items)}`;
    case "integer":
      return schema.minimum !== undefined && schema.minimum >= 0 ? `whole number from ${schema.minimum}` : "whole number";
    case "number":
      return schema.maximum === 100 ? "0 to 100" : "number";
    case "boolean":
      return "`true`, `false`";
    default:
      return "text";
  }
}

const keyTable = (schema: unknown): string =>
  table(
    ["key", "allowed", "default", "meaning"],
    together(keysOf(schema as Schema)).map(({ path, ...key }) => [`\`${path}\``, key.allowed, key.fallback, key.meaning]),
  );

/** Keys of channels once, where several providers have the same: with what any of them allows. */
function together(keys: readonly Key[]): Key[] {
  const rows = new Map<string, Key>();
  for (const [at, key] of keys.entries()) {
    const same = key.path.startsWith("channels.") ? [key.path, key.fallback, key.meaning].join("\n") : String(at);
    const row = rows.get(same);
    if (row === undefined) rows.set(same, key);
    else rows.set(same, { ...row, allowed: [...new Set([row.allowed, key.allowed])].join(", ") });
  }
  return [...rows.values()];
}

const TABLES: readonly (readonly [string, string, () => string])[] = [
  ["configuration.md", "keys of opportune.yml", () => keyTable(projectJsonSchema())],
  ["segments.md", "keys of a segment", () => keyTable(segmentJsonSchema())],
  ["segments.md", "keys of an audience", () => keyTable(z.toJSONSchema(audienceSchema, { io: "input", target: "draft-7" }))],
  [
    "segments.md",
    "helpers of templates",
    () =>
      table(
        ["written", "gives"],
        Object.values(HELPERS).map(({ usage, gives }) => [`\`${usage}\``, gives]),
      ),
  ],
  ["lint.md", "rules of lint", () => table(["rule", "finds", "why", "instead"], ruleTable())],
  ["lint.md", "opportune lint", lintExample],
];

/** What `opportune lint` says of two of its fixtures. */
function lintExample(): string {
  const root = join(import.meta.dirname, "../project/checks");
  const folder = mkdtempSync(join(tmpdir(), "opportune-docs-"));
  try {
    for (const fixture of ["good", "no-goal", "generic-subject"]) cpSync(join(root, fixture), folder, { recursive: true });
    const loaded = loadProject(folder, { env: {} });
    const result = lintProject(loaded, loadRenderer(loaded).templateOf);
    return ["```text", "$ opportune lint", ...lintLines(result, RULES, loaded.segments.size, pc.createColors(false)), "```"].join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it.each(TABLES)("docs/%s has all %s", (document, name, write) => {
  expectGenerated(`docs/${document}`, name, write());
});

it("every key has a meaning", () => {
  const keys = [projectJsonSchema(), segmentJsonSchema()].flatMap((schema) => keysOf(schema as Schema));
  expect(keys.length).toBeGreaterThan(80);
  // A discriminator says by its value what it means.
  expect(keys.filter(({ meaning, allowed }) => meaning === "" && !/^`(duckdb|postgres|snowflake|bigquery)`$/.test(allowed)).map(({ path }) => path)).toEqual(
    [],
  );
});
