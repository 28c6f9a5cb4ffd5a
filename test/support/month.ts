/** The sample company through a month: the shipped project over the sample warehouse, every hour, on DuckDB or Postgres. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { copyShipped, createSample } from "../../src/commands/shared/sample.js";
import { instant } from "../../src/core/clock.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { loadProject } from "../../src/project/build/load.js";
import type { Cap, Project, Segment } from "../../src/project/types.js";
import { run } from "../../src/run/run.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { copyTable } from "./copy-table.js";
import { createDatabase } from "./postgres.js";
import { QUIET_RUN } from "./quiet-run.js";

/** The sample is made as of the month's end, so that behaviours occur throughout. */
const END = Date.parse("2026-03-02T12:00:00Z");
const HOUR_MS = 3_600_000;

/** The month is that of the first so many users: enough for every segment, and few enough that a run's own costs prevail. */
const USERS = 600;

/** How much of the month is played, and the table that it comes to. */
interface Stretch {
  days: number;
  /** Hours between two runs. */
  everyHours: number;
  /** In test/golden/. */
  golden: string;
}

export const MONTH: Stretch = { days: 30, everyHours: 1, golden: "month.csv" };
/** Its last week, for CI. */
export const WEEK: Stretch = { days: 7, everyHours: 3, golden: "week.csv" };

interface Month {
  project: Project;
  warehouse: Warehouse;
  close(): Promise<void>;
}

/** The shipped project with its sample in a DuckDB file of its own. */
export async function openMonth(): Promise<Month> {
  const root = mkdtempSync(join(tmpdir(), "opportune-month-"));
  copyShipped(root);
  const project = sending(loadProject(root, { env: {} }));
  await createSample(project, instant(END));
  const warehouse = await openWarehouse(project.target.connection, { root });
  await keepFirst(warehouse);
  await fixSalt(warehouse);
  return {
    project,
    warehouse,
    close: async () => {
      await warehouse.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** As on a live target, and with those who qualify at the beginning written to, so that there is much to decide. */
function sending(project: Project): Project {
  const segments = new Map([...project.segments].map(([id, segment]) => [id, { ...segment, firstRun: "send" as const }]));
  return { ...project, segments, target: { ...project.target, live: true } };
}

/** The same in a Postgres database: the tables are copied over, row by row. */
export async function openMonthOnPostgres(): Promise<Month> {
  const month = await openMonth();
  const { connection, drop } = await createDatabase();
  const target = { ...month.project.target, connection };
  const warehouse = await openWarehouse(connection, { root: month.project.root });
  await installLedger(new Ledger(warehouse, target.schema));
  for (const table of await query(month.warehouse, "select table_name as name from duckdb_tables() where schema_name = 'main' and not temporary order by 1"))
    await copyTable(month.warehouse, String(table["name"]), warehouse, `public.${String(table["name"])}`);
  for (const table of ["preferences", "suppressions"]) await copyTable(month.warehouse, `opportune.${table}`, warehouse, `opportune.${table}`);
  await fixSalt(warehouse);
  await execute(warehouse, "analyze");
  return {
    project: { ...month.project, target },
    warehouse,
    close: async () => {
      await warehouse.close();
      await drop();
      await month.close();
    },
  };
}

/** Runs the job at every full hour of the days, or every third; gives what went wrong. */
async function play({ project, warehouse }: Month, { days, everyHours }: Stretch): Promise<string[]> {
  const wrong: string[] = [];
  for (let hour = days * 24 - everyHours; hour >= 0; hour -= everyHours) {
    const at = END - hour * HOUR_MS;
    const { problems } = await run(project, warehouse, { ...QUIET_RUN, segments: liveSegments(project), now: () => at });
    wrong.push(...problems.map(({ message }) => `${instant(at)}: ${message}`));
  }
  return wrong;
}

/**
 * What must hold of the month, or of its last days, on a warehouse; one file a warehouse calls it, so that they run side by side.
 * `UPDATE_GOLDEN=1` writes the table anew; the other warehouse must then come to the same.
 */
export function describeMonth(open: () => Promise<Month>, stretch: Stretch): void {
  const file = join(import.meta.dirname, "../golden", stretch.golden);
  let month: Month;
  let wrong: string[];

  beforeAll(async () => {
    month = await open();
    wrong = await play(month, stretch);
  });
  afterAll(() => month.close());

  it("passes without a failed query, mail or template", () => {
    expect(wrong).toEqual([]);
  });

  it("decides as the golden table has it, for every live segment", async () => {
    const found = await tally(month);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, found);
    expect(found).toBe(readFileSync(file, "utf8"));
    const claimed = new Set([...found.matchAll(/^(\w+),claimed,/gm)].map(([, segment]) => segment));
    expect(liveSegments(month.project).filter(({ id }) => !claimed.has(id))).toEqual([]);
  });

  it("takes nobody, and no address, over a cap or nearer than the spacing", async () => {
    const { caps, spacingSeconds } = month.project.policy;
    const limits = [...caps, ...(spacingSeconds === null ? [] : [{ max: 1, windowSeconds: spacingSeconds }])];
    expect(limits).toHaveLength(3);
    for (const limit of limits) expect(await overLimit(month, limit)).toEqual([]);
    // Would it find them? Somebody heard as often as a cap allows.
    const [cap] = caps;
    expect(await overLimit(month, { max: (cap?.max ?? 1) - 1, windowSeconds: cap?.windowSeconds ?? 0 })).not.toEqual([]);
  });
}

/** The ledger by segment, event and reason, as CSV. */
async function tally({ project, warehouse }: Month): Promise<string> {
  const order = warehouse.dialect.name === "postgres" ? ' collate "C"' : "";
  const rows = await query(
    warehouse,
    `select segment, event, reason, count(*) as n, count(distinct user_id) as users from ${project.target.schema}.sent_ledger
     group by segment, event, reason order by segment${order}, event${order}, reason${order}`,
  );
  return (
    ["segment,event,reason,rows,users", ...rows.map((row) => [row["segment"], row["event"], row["reason"], row["n"], row["users"]].join(","))].join("\n") + "\n"
  );
}

/** Users, and addresses, with more marketing messages in a window than that, from the ledger's events alone; hold-outs count. */
async function overLimit({ project, warehouse }: Month, { max, windowSeconds }: Pick<Cap, "max" | "windowSeconds">): Promise<Row[]> {
  const ledger = `${project.target.schema}.sent_ledger`;
  const whose = (column: string): string => `
    select a.${column} as whose, a.decided_at, count(*) as messages
    from claims a
    join claims b on b.${column} = a.${column} and b.decided_at <= a.decided_at
      and ${warehouse.dialect.plusSeconds("b.decided_at", String(windowSeconds))} > a.decided_at
    group by a.${column}, a.message_id, a.decided_at
    having count(*) > ${String(max)}`;
  return query(
    warehouse,
    `with claims as (
      select message_id, user_id, address, decided_at from ${ledger} l
      where event in ('claimed', 'held_out') and class = 'marketing'
        and not exists (select 1 from ${ledger} f where f.message_id = l.message_id and f.event in ('failed', 'released'))
    ) ${whose("user_id")} union all ${whose("address")}`,
  );
}

function liveSegments(project: Project): Segment[] {
  return [...project.segments.values()].filter(({ status }) => status === "live");
}

/** As many users of the sample as the month takes; what belongs to no user stays. */
async function keepFirst(warehouse: Warehouse): Promise<void> {
  const last = `u${String(USERS).padStart(4, "0")}`;
  await execute(warehouse, `delete from order_items where order_id in (select order_id from orders where user_id > '${last}')`);
  const tables = await query(
    warehouse,
    "select schema_name || '.' || table_name as name from duckdb_columns() where column_name = 'user_id' and schema_name = 'main'",
  );
  for (const { name } of tables) await execute(warehouse, `delete from ${String(name)} where user_id > '${last}'`);
}

/** Buckets and message ids come from the salt. */
async function fixSalt(warehouse: Warehouse): Promise<void> {
  await execute(warehouse, "update opportune.meta set content = 'plainfold' where name = 'salt'");
}

function query(warehouse: Warehouse, sql: string): Promise<Row[]> {
  return warehouse.query({ sql, params: [] });
}

function execute(warehouse: Warehouse, sql: string): Promise<number> {
  return warehouse.execute({ sql, params: [] });
}
