/** The project and the warehouse of docs/tutorial.md, on a real DuckDB or Postgres, for whatever else the documentation shows. */
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { statementsOf } from "../../src/warehouse/sql.js";
import { loadProject } from "../../src/project/build/load.js";
import type { PostgresConnection } from "../../src/project/targets/postgres.js";
import type { Project } from "../../src/project/types.js";
import { run } from "../../src/run/run.js";
import type { RunResult } from "../../src/run/types.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder, write } from "../commands/support.js";
import { blocksOf } from "./docs.js";
import { createDatabase } from "./postgres.js";
import { QUIET_RUN } from "./quiet-run.js";

export type WarehouseType = "duckdb" | "postgres";
export const WAREHOUSES: readonly WarehouseType[] = ["duckdb", "postgres"];

/** The files that docs/tutorial.md writes: opportune.yml, segments, templates, warehouse.sql. */
export function tutorialFiles(): Record<string, string> {
  return Object.fromEntries(blocksOf("docs/tutorial.md").flatMap(({ file, body }) => (file === null ? [] : [[file, body]])));
}

/** Who signed up is told of the templates too: less important, so that the two compete, and half are held out. */
const SECOND_SEGMENT = `/*---
status: live
priority: 10
first_run: send
holdout: 50
steps:
  - {name: hint, channel: email, template: first_planner}
---*/
select user_id, email, first_name, timezone, signed_up_at as occurred_at from {{source "users"}} where signed_up_at > {{ago "7 days"}}
`;

/** An empty warehouse; closed, and its database dropped, by `close`. */
export async function openEmpty(on: WarehouseType): Promise<{ warehouse: Warehouse; connection: PostgresConnection | null; close: () => Promise<void> }> {
  if (on === "duckdb") {
    const warehouse = await openDuckDb({ type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: "." });
    return { warehouse, connection: null, close: () => warehouse.close() };
  }
  const { connection, drop } = await createDatabase();
  const warehouse = await openPostgres(connection, { root: "." });
  return { warehouse, connection, close: () => warehouse.close().then(drop) };
}

export async function execute(warehouse: Warehouse, sql: string): Promise<void> {
  for (const each of statementsOf(sql)) await warehouse.execute({ sql: each, params: [] });
}

export class DocsWorld {
  readonly warehouse: Warehouse;
  /** Of its superuser; null on DuckDB. */
  readonly connection: PostgresConnection | null;
  readonly close: () => Promise<void>;
  readonly project: Project;

  private constructor(opened: Awaited<ReturnType<typeof openEmpty>>) {
    ({ warehouse: this.warehouse, connection: this.connection, close: this.close } = opened);
    const root = temporaryFolder();
    write(root, { ...tutorialFiles(), "segments/templates_hint.sql": SECOND_SEGMENT });
    // The layout and the button that `init` brings along.
    write(root, { "templates/layouts/base.hbs": "{{{body}}}", "templates/partials/button.hbs": '<a href="{{href}}">{{label}}</a>' });
    this.project = loadProject(root, { env: {} });
  }

  /** With the tutorial's tables, and a ledger unless `ledger` is false. */
  static async open(on: WarehouseType, options: { ledger?: boolean } = {}): Promise<DocsWorld> {
    const world = new DocsWorld(await openEmpty(on));
    await execute(world.warehouse, tutorialFiles()["warehouse.sql"] ?? "");
    if (options.ledger !== false) await installLedger(new Ledger(world.warehouse, "opportune"));
    return world;
  }

  /** One run by the wall's clock, as the tutorial's tables are filled by it, with the baseline lifted unless `backfill` is false. */
  run(warehouse = this.warehouse, options: { dryRun?: boolean; backfill?: boolean; project?: Project } = {}): Promise<RunResult> {
    return runAll(options.project ?? this.project, warehouse, options.dryRun ?? false, options.backfill === false ? [] : ["no_planner_yet"]);
  }

  query(sql: string): Promise<Row[]> {
    return this.warehouse.query({ sql, params: [] });
  }
}

/** One run of every segment, drafts too. */
export function runAll(project: Project, warehouse: Warehouse, dryRun: boolean, backfill: readonly string[] = []): Promise<RunResult> {
  return run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], backfill: new Set(backfill), dryRun, now: Date.now });
}
