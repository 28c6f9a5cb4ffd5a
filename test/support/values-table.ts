/**
 * What templates make of columns, found out the way a message goes: a query is compiled and staged, its row read back, each message
 * rendered. One table for a warehouse, in Markdown.
 */
import { messageOf, type Claim } from "../../src/run/claims.js";
import { OpportuneError } from "../../src/core/errors.js";
import { workTables } from "../../src/warehouse/sql.js";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { compileProject, numberColumns, stageSegments } from "../../src/segments/stage.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder, write } from "../commands/support.js";
import { CLAIM } from "../segments/claim.js";
import { createTestDatabase, type WarehouseName } from "./databases.js";
import { VALUES, type Shown } from "./values-of-types.js";

const AS_OF = "2026-12-24T23:00:00Z";
const ZONES = ["UTC", "Pacific/Honolulu", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"] as const;
const LOCALES = ["en-US", "de-DE", "ja-JP"] as const;

/** A template's text for a column. */
const USES: readonly ((column: string) => string)[] = [
  (v) => `{{${v}}}`,
  (v) => `{{date ${v} "long"}}`,
  (v) => `{{money ${v} "EUR"}}`,
  (v) => `{{number ${v}}}`,
  (v) => `{{#if ${v}}}yes{{else}}no{{/if}}`,
  (v) => `{{#each ${v}}}({{this}}){{else}}none{{/each}}`,
];
const HEAD = ["type", "value", "`{{v}}`", '`{{date v "long"}}`', '`{{money v "EUR"}}`', "`{{number v}}`", "`{{#if v}}`", "`{{#each v}}`"];

/** A column of one type in one of its uses; its template has the same name. */
interface Cell {
  name: string;
  column: string;
  text: string;
}

/** The table of a warehouse: a row for each value; types that do the same share it, and that they do is checked. */
export async function valuesTable(name: WarehouseName): Promise<string> {
  const { define = [], rows } = VALUES[name];
  const columns = rows.flatMap((row, i) => row.types.map((type, j) => ({ name: `v${String(i)}_${String(j)}`, sql: sqlOf(row, type) })));
  const cells = columns.flatMap(({ name: column }) => USES.map((text, u): Cell => ({ name: `${column}_${String(u)}`, column, text: text(column) })));
  const database = await createTestDatabase(name);
  try {
    const warehouse = await database.connect();
    for (const sql of define) await warehouse.execute({ sql, params: [] });
    const query = `select 'u1' as user_id, cast('2026-12-24 10:00:00' as ${warehouse.dialect.types.timestamp}) as occurred_at,\n${columns.map((column) => `${column.sql} as ${column.name}`).join(",\n")}`;
    const refused = await refusedCells(project(query, cells), warehouse);
    const kept = cells.filter((cell) => !refused.has(cell.name));
    const written = await render(project(query, kept), warehouse, kept);
    const lines = rows.map((row, i) => line(row, i, (cell) => written.get(cell) ?? "refused"));
    return [`| ${HEAD.join(" | ")} |`, `| ${HEAD.map(() => "---").join(" | ")} |`, ...lines].join("\n");
  } finally {
    await database.drop();
  }
}

function sqlOf({ value, sql }: Shown, type: string): string {
  return (sql ?? `cast('${value.replaceAll("'", "''")}' as TYPE)`).replaceAll("TYPE", type);
}

function project(query: string, cells: readonly Cell[]): Project {
  const root = temporaryFolder();
  const steps = cells.map((cell, i) => `  - {name: ${cell.name}, after: ${String(i)} minutes, channel: in_app, template: ${cell.name}}`);
  write(root, {
    "opportune.yml": `name: values\ntargets:\n  dev: {type: duckdb, path: ":memory:"}\nchannels:\n  in_app: {provider: outbox}\n`,
    "segments/values.sql": `/*---\nstatus: live\nsteps:\n${steps.join("\n")}\n---*/\n${query}\n`,
    ...Object.fromEntries(cells.map((cell) => [`templates/${cell.name}.hbs`, `It is ${cell.text}.\n`])),
  });
  return loadProject(root, { env: {} });
}

/** Names of the cells that compiling refuses for the column's type. */
async function refusedCells(all: Project, warehouse: Warehouse): Promise<Set<string>> {
  const { failedSegments } = await compileProject(all, [...all.segments.values()], [], loadRenderer(all), warehouse, AS_OF);
  const problems = [...failedSegments.values()].flat();
  const [other] = problems.filter(({ code }) => code !== "template/type");
  if (other !== undefined) throw new OpportuneError(other);
  return new Set(problems.map(({ file = "" }) => /^templates\/(.+)\.hbs$/.exec(file)?.[1] ?? ""));
}

/** Cell → what is written for it. */
async function render(kept: Project, warehouse: Warehouse, cells: readonly Cell[]): Promise<Map<string, string>> {
  const renderer = loadRenderer(kept);
  const segments = [...kept.segments.values()];
  const compiled = await compileProject(kept, segments, [], renderer, warehouse, AS_OF);
  for (const problem of [...compiled.failedSegments.values()].flat()) throw new OpportuneError(problem);
  await warehouse.script({ work: workTables(warehouse.dialect), statements: [] });
  const staged = await stageSegments(
    compiled,
    segments,
    warehouse,
    () => 0,
    () => undefined,
  );
  for (const { problem } of staged.values()) if (problem !== null) throw new OpportuneError(problem);
  const [row] = await warehouse.query({ sql: `select properties from ${warehouse.dialect.workTable("segment_rows")}`, params: [] });
  const numbers = numberColumns(compiled);
  const one = (cell: Cell, timezone: string, locale: string): string => {
    const claim: Claim = {
      ...CLAIM,
      ...{ segment: "values", channel: "in_app", step: cell.name, template: cell.name },
      ...{ timezone, locale, properties: String(row?.["properties"]) },
    };
    const message = messageOf(claim, kept, renderer, { runId: "values", asOf: AS_OF, numbers, judged: true });
    return "invalid" in message ? "invalid" : String(message.text).slice("It is ".length, -1);
  };
  return new Map(cells.map((cell) => [cell.name, differences(cell, one)]));
}

/** As in UTC and English, and where it is another. */
function differences(cell: Cell, one: (cell: Cell, timezone: string, locale: string) => string): string {
  const base = one(cell, ZONES[0], LOCALES[0]);
  const others = [
    ...ZONES.map((zone) => [zone.replace(/^.*\//, "").replaceAll("_", " "), one(cell, zone, LOCALES[0])] as const),
    ...LOCALES.map((locale) => [locale, one(cell, ZONES[0], locale)] as const),
  ].filter(([, text]) => text !== base);
  const grouped = new Map<string, string[]>();
  for (const [where, text] of others) grouped.set(text, [...(grouped.get(text) ?? []), where]);
  return [base, ...[...grouped].map(([text, where]) => `${where.join(", ")}: ${text}`)].map(tableText).join("<br>");
}

function line(row: Shown, index: number, cell: (name: string) => string): string {
  const [first, ...rest] = row.types.map((_, j) => USES.map((__, u) => cell(`v${String(index)}_${String(j)}_${String(u)}`)).join(" | "));
  const other = rest.findIndex((cells) => cells !== first);
  if (other !== -1) throw new Error(`${row.types[0] ?? ""} and ${row.types[other + 1] ?? ""} differ:\n${String(first)}\n${String(rest[other])}`);
  return `| ${row.types.map((type) => `\`${type}\``).join(", ")} | ${tableText(row.value)} | ${String(first)} |`;
}

/** In a cell of a table in Markdown; spaces that don't break are not told apart. */
function tableText(text: string): string {
  return text
    .replaceAll(/[\u00a0\u202f]/g, " ")
    .replaceAll("|", "\\|")
    .replaceAll("<", "&lt;")
    .replaceAll(/ {2,}/g, (blanks) => "&nbsp;".repeat(blanks.length));
}
