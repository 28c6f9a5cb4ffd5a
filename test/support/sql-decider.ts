import { createHash } from "node:crypto";
import { reasonOf } from "../../src/arbitration/reasons.js";
import { instant } from "../../src/core/clock.js";
import { decide } from "../../src/run/decide.js";
import { forgetRun } from "../../src/ledger/recovery/forget-run.js";
import { appendEvents, type ClaimEvent } from "../../src/ledger/events/append.js";
import { ledgerFacts } from "../../src/ledger/facts.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { NOTHING_DONE, recordRunEnd, recordRunStart } from "../../src/ledger/runs/record.js";
import { setPause } from "../../src/ledger/pauses.js";
import { LEAST_RUNS } from "../../src/arbitration/surge.js";
import { prune } from "../../src/ledger/prune.js";
import { EVERY, settle } from "../../src/ledger/recovery/settle.js";
import type { Audience, Project, Segment } from "../../src/project/types.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import { reachesOfRules } from "../../src/run/reach.js";
import type { TemplateCatalog } from "../../src/segments/types.js";
import { isoText, workTables } from "../../src/warehouse/sql.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { TEST_SALT, type ClaimOutcome, type DecidedRow, type Decider, type Staged, type WorldRow, type WorldRun } from "./world.js";
import { claimPlaces } from "./claim-places.js";

const SCHEMA = "opportune";
const STORY_TABLES = ["sent_ledger", "runs", "segment_runs", "suppressions", "preferences", "pauses"];
const DECISION_EVENTS = ["claimed", "held_out", "waiting", "denied", "settled", "left", "backfilled"];

/** Opens an empty warehouse to decide on. */
export type OpenEmpty = () => Promise<Warehouse>;

export const openDuckDbInMemory: OpenEmpty = () =>
  openDuckDb({ type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: "." });

/** Warehouses that earlier stories are done with, by what opened them: opening one and installing a ledger takes longer than a run. */
const idleOf = new Map<OpenEmpty, Warehouse[]>();

/** Closes the warehouses that `createSqlDecider` keeps for the next story; for those that must not outlive the tests. */
export async function closeIdleWarehouses(): Promise<void> {
  for (const idle of idleOf.values()) for (const warehouse of idle.splice(0)) await warehouse.close();
}

/** Decides with sql/stage.sql and sql/arbitrate/ on a real warehouse: the world is laid out as tables, the segments' SQL reads them. */
export async function createSqlDecider(open: OpenEmpty = openDuckDbInMemory): Promise<Decider> {
  const idle = idleOf.get(open) ?? [];
  idleOf.set(open, idle);
  const warehouse = idle.pop() ?? (await openWarehouse(open));
  for (const table of STORY_TABLES) await warehouse.execute({ sql: `delete from ${SCHEMA}.${table} where true`, params: [] });
  await warehouse.execute({ sql: `delete from ${SCHEMA}.meta where name = 'pruned_to'`, params: [] });
  const close = (): Promise<void> => {
    idle.push(warehouse);
    return Promise.resolve();
  };
  return deciderOn(warehouse, (world) => layOut(warehouse, world), templatesNeeding, close);
}

/**
 * Decides with the SQL that the project's segments and audiences really have, over tables that `prepare` makes in an empty
 * warehouse once. The rows and audiences that the world lists are for the model and not looked at.
 */
export async function createRealDecider(
  prepare: (warehouse: Warehouse) => Promise<void>,
  templates: TemplateCatalog,
  open: OpenEmpty = openDuckDbInMemory,
): Promise<Decider> {
  const warehouse = await openWarehouse(open);
  await prepare(warehouse);
  const real = ({ project }: WorldRun): Promise<Project> => Promise.resolve({ ...project, target: { ...project.target, schema: SCHEMA } });
  return deciderOn(
    warehouse,
    real,
    () => templates,
    () => warehouse.close(),
  );
}

function deciderOn(
  warehouse: Warehouse,
  projectOf: (world: WorldRun) => Promise<Project>,
  templatesOf: (world: WorldRun) => TemplateCatalog,
  close: () => Promise<void>,
): Decider {
  const ran: { runId: string; asOf: string; trial: boolean }[] = [];
  let runs = 0;
  return {
    async run(world) {
      const ledger = await HeldLedger.take(new Ledger(warehouse, SCHEMA, () => Date.parse(world.asOf)));
      try {
        for (const asOf of world.forget ?? []) {
          const place = ran.findLastIndex((run) => run.asOf === asOf);
          for (const run of place < 0 ? [] : ran.splice(place, 1)) await forgetRun(ledger, run, Date.parse(world.asOf), "test");
        }
        if (world.prune !== undefined) await prune(ledger, world.prune, LEAST_RUNS);
        if (world.beforeFactors === true) await warehouse.execute({ sql: `update ${SCHEMA}.sent_ledger set factor = null where true`, params: [] });
        if (world.pruneAll !== undefined) await pruneAll(ledger, world.asOf, world.pruneAll);
        const runId = `run${String(++runs).padStart(6, "0")}`;
        ran.push({ runId, asOf: world.asOf, trial: world.trial === true });
        return await runOnce(ledger, world, runId, projectOf, templatesOf(world));
      } finally {
        await ledger.release();
      }
    },
    close,
  };
}

async function pruneAll(ledger: HeldLedger, asOf: string, { projects, told }: NonNullable<WorldRun["pruneAll"]>): Promise<void> {
  const reaches = [];
  for (const project of projects) reaches.push(...(await reachesOfRules(project, ledger, asOf)));
  const before = instant(Math.min(...reaches.map(({ from }) => Date.parse(from))));
  await prune(ledger, before, LEAST_RUNS);
  told(before);
}

/** Templates that need what the world says, all of the same version. */
function templatesNeeding(world: WorldRun): TemplateCatalog {
  return {
    versionOf: () => "1",
    sourceOf: () => "as it is",
    variablesOf: (_, { template }) => (world.templateNeeds?.[template] ?? []).map((name) => ({ name, file: template, line: 1, column: 1, required: true })),
    usesOf: () => [],
  };
}

async function openWarehouse(open: OpenEmpty): Promise<Warehouse> {
  const warehouse = await open();
  const ledger = new Ledger(warehouse, SCHEMA);
  await installLedger(ledger);
  await ledger.execute(ledger.tables.updateTable("meta").set({ content: TEST_SALT }).where("name", "=", "salt"));
  return warehouse;
}

async function runOnce(
  ledger: HeldLedger,
  world: WorldRun,
  runId: string,
  projectOf: (world: WorldRun) => Promise<Project>,
  templates: TemplateCatalog,
): Promise<DecidedRow[]> {
  const { warehouse, tables } = ledger;
  for (const row of world.suppressions ?? [])
    await ledger.execute(tables.insertInto("suppressions").values({ ...row, trial: row.trial ?? null, recorded_at: world.asOf }));
  for (const [i, row] of (world.preferences ?? []).entries())
    await ledger.execute(tables.insertInto("preferences").values({ ...row, trial: row.trial ?? null, recorded_at: world.asOf, seq: ledger.fence * 1000 + i }));
  for (const { until, trial = false, kind = "operator", ...pause } of world.pauses ?? [])
    await setPause(ledger, { ...pause, kind, trial, until: until === undefined ? null : Date.parse(until), note: null });

  const project = await projectOf(world);
  const segments = [...project.segments.values()].filter(
    (segment) => segment.status !== "draft" && (world.select === undefined || world.select.includes(segment.id)),
  );
  const run = { runId, asOf: world.asOf, trial: world.trial === true };
  await recordRunStart(ledger, { ...run, version: "test" }, workTables(warehouse.dialect));
  await decide(project, ledger, {
    ...run,
    held: ledger,
    facts: await ledgerFacts(ledger, {
      asOf: world.asOf,
      trial: run.trial,
      segments: segments.map(({ id }) => id),
      whole: world.select === undefined,
    }),
    segments,
    whole: world.select === undefined,
    backfill: new Set(world.backfill ?? []),
    approved: new Set(world.approve ?? []),
    templates,
    onStep: () => undefined,
    onStatement: () => undefined,
  });
  const text = (column: string): string => isoText(column, warehouse.dialect);
  const rows = await warehouse.query({
    sql: `select message_id, segment, step, user_id, item_key as "key", ${text("occurred_at")} as occurred_at, event, reason, rule, ${text("due_at")} as due_at,
      case when event in ('claimed', 'held_out') then coalesce(variant, '') else '' end as variant,
      case when event in ('claimed', 'held_out') then coalesce(factor, '') else '' end as factor, case when event in ('claimed', 'held_out') then channel else '' end as channel,
      coalesce(${text("send_by")}, '') as send_by, detail
      from ${SCHEMA}.sent_ledger where run_id = ${warehouse.dialect.placeholder(1)} and event in (${DECISION_EVENTS.map((event) => `'${event}'`).join(", ")}) order by seq`,
    params: [runId],
  });
  for (const row of rows) checkDetail(row);
  const decided = rows.map((row) => ({ row, messageId: String(row["message_id"]) }));
  const places = await claimPlaces(warehouse);
  const outcomes = decided
    .filter(({ row }) => row["event"] === "claimed")
    .map(({ row, messageId }) => ({ messageId, place: places.get(messageId) ?? 0, outcome: world.outcome?.(toDecided(row)) ?? "accepted" }));
  await appendEvents(
    ledger,
    run,
    outcomes.flatMap(({ messageId, place, outcome }) => eventsOf({ messageId, place }, outcome, ledger.now())),
  );
  for (const [outcome, verdict] of [
    ["resent", "resend"],
    ["retried", "retry"],
  ] as const) {
    const messageIds = outcomes.filter((each) => each.outcome === outcome).map(({ messageId }) => messageId);
    if (messageIds.length > 0) await settle(ledger, verdict, { ...EVERY, trial: false, messageIds });
  }
  await recordRunEnd(ledger, runId, { ...NOTHING_DONE, status: "success", error: null });
  return decided.map(({ row }) => toDecided(row));
}

/** Whatever a case is about: the keys that SQL gives a reason's detail are those of its row. */
function checkDetail({ reason, rule, event, detail }: Row): void {
  const given = Object.keys(JSON.parse(String(detail ?? "{}")) as object);
  // What waited in a removed segment says so in place of a newer behaviour.
  const plain = event === "left" ? given.map((key) => (key === "segment" ? "newer_behaviour" : key)) : given;
  // Superseded by a later step: that step's own row has the rest.
  const keys = reason === "superseded" && rule === "" ? [] : Object.keys(reasonOf(String(reason))?.detail ?? {});
  if ([...plain].sort().join() !== [...keys].sort().join())
    throw new Error(`${String(event)} ${String(reason)} has the detail ${given.join(", ")}, its row in reasons.ts says ${keys.join(", ")}`);
}

function toDecided(row: Row): DecidedRow {
  const { message_id: _, detail: __, ...decided } = row;
  return decided as unknown as DecidedRow;
}

function eventsOf(claim: Pick<ClaimEvent, "messageId" | "place">, outcome: ClaimOutcome, at: number): ClaimEvent[] {
  const event = (name: ClaimEvent["event"], reason: string = name): ClaimEvent => ({ ...claim, event: name, reason, detail: null, providerId: null, at });
  switch (outcome) {
    case "accepted":
      return [event("sending"), event("accepted")];
    case "in_doubt":
    case "resent":
      return [event("sending"), event("in_doubt")];
    case "failed":
    case "retried":
      return [event("sending"), event("failed", "rejected")];
    case "invalid":
      return [event("failed", "invalid")];
    case "released":
      return [event("released", "paused")];
  }
}

/** Writes the world's rows into tables and gives the project with segments and audiences whose SQL reads them. */
async function layOut(warehouse: Warehouse, world: WorldRun): Promise<Project> {
  const { project } = world;
  const sources = new Map(project.sources);
  for (const [name, source] of project.sources) {
    if (source.loadedAt === null) continue;
    const table = `source_${name}`;
    await fill(warehouse, table, ["loaded_at"], [[world.loadedAt?.[name] ?? null]]);
    sources.set(name, { ...source, table, loadedAt: "loaded_at" });
  }
  const reading = (name: string): string => (world.reads?.[name] ?? []).map((source) => ` -- {{source "${source}"}}`).join("");
  const query = async (
    name: string,
    table: string,
    staged: Staged<WorldRow> | undefined,
    columns: readonly string[],
    condition: string,
    key: string | null,
  ): Promise<string> => {
    if (staged === "failed") await warehouse.execute({ sql: `drop table if exists ${table}`, params: [] });
    else
      await fill(
        warehouse,
        table,
        columns,
        (staged ?? []).map((row) => columns.map((column) => (column === key ? row.key : row[column]) ?? null)),
      );
    return `select * from ${table}${condition}${reading(name)}\n`;
  };
  const segments = new Map<string, Segment>();
  for (const [id, segment] of project.segments) {
    const staged = world.rows[id];
    const sql = await query(
      id,
      `rows_${id}`,
      staged,
      columnsOf(segment, staged, world),
      // Part of the query, so that an edit of it is one: comments are not.
      ` where '${createHash("md5").update(segment.sql).digest("hex")}' <> ''`,
      segment.key,
    );
    segments.set(id, { ...segment, sql, sqlLine: 1 });
  }
  const audiences = new Map<string, Audience>();
  for (const [name, audience] of project.audiences) {
    const staged = world.audiences[name];
    audiences.set(name, {
      ...audience,
      sql: await query(name, `audience_${name}`, staged as Staged<WorldRow> | undefined, ["user_id", "occurred_at"], "", null),
      buildsOn: [],
      sqlLine: 1,
    });
  }
  return { ...project, sources, segments, audiences, target: { ...project.target, schema: SCHEMA } };
}

function columnsOf(segment: Segment, staged: Staged<WorldRow> | undefined, world: WorldRun): string[] {
  const given = (staged === "failed" ? [] : (staged ?? [])).flatMap((row) => Object.keys(row)).filter((name) => name !== "key");
  const named = [...segment.contract.map((rule) => rule.column), ...Object.values(world.templateNeeds ?? {}).flat()];
  const own = ["user_id", "occurred_at", "email", "phone", "device_token", "timezone", "locale"];
  return [...new Set([...own, ...named, ...given, ...(segment.key === null ? [] : [segment.key])])];
}

/** Every column is text: staging casts what it needs, and types are other tests' business. */
async function fill(
  warehouse: Warehouse,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number | boolean | null | undefined)[])[],
): Promise<void> {
  await warehouse.execute({ sql: `drop table if exists ${table}`, params: [] });
  await warehouse.execute({
    sql: `create table ${table} (${columns.map((name) => `${warehouse.dialect.quote(name)} ${warehouse.dialect.types.text}`).join(", ")})`,
    params: [],
  });
  const text = (value: string | number | boolean | null | undefined): string | null => (value === undefined || value === null ? null : String(value));
  if (rows.length > 0)
    await warehouse.append(
      warehouse.dialect.name === "duckdb" ? `main.${table}` : table,
      columns.map((name, i) => ({ name, kind: "text" as const, values: rows.map((row) => text(row[i])) })),
    );
}
