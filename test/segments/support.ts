/** A small shop as files, loaded as the job loads it, with a warehouse in memory to stage it on. */
import { onTestFinished } from "vitest";
import { workTables } from "../../src/warehouse/sql.js";
import type { Problem } from "../../src/core/errors.js";
import { loadProject } from "../../src/project/build/load.js";
import type { Project, Segment } from "../../src/project/types.js";
import { loadRenderer, type Renderer } from "../../src/render/renderer.js";
import { compileProject, stageAudiences, stageSegments, type CompiledProject, type Staged } from "../../src/segments/stage.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder, write } from "../commands/support.js";

export const AS_OF = "2026-03-02T12:00:00Z";

const FILES: Readonly<Record<string, string>> = {
  "opportune.yml": `name: shop
targets:
  dev: {type: duckdb, path: ":memory:"}
channels:
  email: {provider: outbox, from: "Shop <shop@example.com>"}
  sms: {type: sms, provider: outbox}
  push: {type: push, provider: outbox}
sources:
  carts: main.carts
  orders: main.orders
vars:
  least: 10
  share: 0.5
  plan: "it's; -- \\"pro\\""
  beta: true
`,
  "templates/cart.hbs": "---\nsubject: Your cart\nlayout: none\n---\n<p>Hello</p>\n",
  "templates/ping.hbs": "Hello\n",
};

/** The front matter that tests don't care about, and a query below it, which begins on line 6. */
export function segmentFile(query: string, front = "steps: [{name: nudge, channel: email, template: cart}]"): string {
  return `/*---\nstatus: live\n${front}\nfirst_run: send\n---*/\n${query}`;
}

/** Line of the files that `segmentFile` makes on which the query begins. */
export const QUERY_LINE = 6;

export function shopProject(files: Readonly<Record<string, string>>): Project {
  const root = temporaryFolder();
  write(root, { ...FILES, ...files });
  return loadProject(root, { env: {} });
}

/** A project whose only segment `cart` has this query. */
export function projectWith(query: string, front?: string, files: Readonly<Record<string, string>> = {}): Project {
  return shopProject({ "segments/cart.sql": segmentFile(query, front), ...files });
}

export function segmentOf(project: Project, id = "cart"): Segment {
  const segment = project.segments.get(id);
  if (segment === undefined) throw new Error(`no segment ${id}`);
  return segment;
}

/** A warehouse in memory for this test, prepared with some statements. */
export async function warehouseWith(...statements: readonly string[]): Promise<Warehouse> {
  const warehouse = await openDuckDb({ type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: "." });
  onTestFinished(() => warehouse.close());
  for (const sql of statements) await warehouse.execute({ sql, params: [] });
  return warehouse;
}

export interface Stage {
  compiled: CompiledProject;
  audiences: Map<string, Staged>;
  segments: Map<string, Staged>;
  renderer: Renderer;
}

/** Compiles and stages everything that the project has, as of AS_OF. */
export async function stage(project: Project, warehouse: Warehouse): Promise<Stage> {
  const renderer = loadRenderer(project);
  const segments = [...project.segments.values()];
  const names = [...project.audiences.keys()];
  const compiled = await compileProject(project, segments, names, renderer, warehouse, AS_OF);
  await warehouse.script({ work: workTables(warehouse.dialect), statements: [] });
  const now = (): number => 0;
  return {
    compiled,
    renderer,
    audiences: await stageAudiences(compiled, names, warehouse, now, () => undefined),
    segments: await stageSegments(compiled, segments, warehouse, now, () => undefined),
  };
}

/** The staged rows of segment `cart`; `columns` are SQL. */
export function stagedRows(warehouse: Warehouse, columns = "user_id, item_key, dropped"): Promise<Row[]> {
  return warehouse.query({
    sql: `select ${columns} from ${warehouse.dialect.workTable("segment_rows")} where segment = 'cart' order by user_id nulls last, item_key, dropped nulls first`,
    params: [],
  });
}

/** The mistakes that compiling reports, of audiences after those of segments. */
export async function compileProblems(project: Project, warehouse: Warehouse): Promise<readonly Problem[]> {
  const { compiled } = await stage(project, warehouse);
  const problems = [...compiled.failedSegments.values(), ...compiled.failedAudiences.values()].flat();
  if (problems.length === 0) throw new Error("nothing was reported");
  return problems;
}
