/** A ledger in memory and runs whose every step a test can stop at. */
import { readdirSync } from "node:fs";
import { onTestFinished } from "vitest";
import { decide } from "../../src/run/decide.js";
import type { Decisions } from "../../src/run/types.js";
import { appendEvents, type ClaimEvent } from "../../src/ledger/events/append.js";
import { ledgerFacts } from "../../src/ledger/facts.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { NOTHING_DONE, recordRunEnd, recordRunStart, type RunKey } from "../../src/ledger/runs/record.js";
import type { Project } from "../../src/project/types.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { renderSqlFile, statementsOf, workTables } from "../../src/warehouse/sql.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { projectWith, warehouseWith } from "../segments/support.js";
import { claimPlaces } from "../support/claim-places.js";

export const SCHEMA = "opportune";
export const T0 = Date.parse("2026-03-02T12:00:00Z");
export const MINUTE = 60_000;
/** The files that a ledger consists of, in their order. */
export const LEDGER_FILES = readdirSync(new URL("../../sql/ledger/", import.meta.url)).sort();

/** Five users with a cart of an hour before T0; the segment never repeats and sends on its first run. */
export async function ledgerWarehouse(): Promise<Warehouse> {
  const warehouse = await warehouseWith(
    "create table carts as select 'u' || range as user_id, 'u' || range || '@example.com' as email, timestamp '2026-03-02 11:00:00' as occurred_at, 10 * range as total from range(1, 6)",
  );
  await installLedger(new Ledger(warehouse, SCHEMA));
  return warehouse;
}

export function cartProject(front = "keep_properties: [total]"): Project {
  return projectWith(
    "select * from carts",
    `topic: carts\nsteps: [{name: nudge, after: 10 minutes, within: 10 hours, channel: email, template: cart}]\n${front}`,
  );
}

export interface OpenRun {
  ledger: HeldLedger;
  run: RunKey;
  decisions: Decisions;
  /** The message ids of this run's claims by user. */
  ids: Map<string, string>;
  /** Message id → its claim's place. */
  places: ReadonlyMap<string, number>;
  /** Appends events of users' claims at the run's time. */
  tell(...events: readonly (readonly [user: string, event: ClaimEvent["event"], reason?: string])[]): Promise<void>;
  end(): Promise<void>;
}

/** Takes the lease and decides as of `at` (ms), as `run` does; what becomes of the claims is the test's. */
export async function begin(warehouse: Warehouse, project: Project, runId: string, at: number): Promise<OpenRun> {
  const ledger = await HeldLedger.take(new Ledger(warehouse, SCHEMA, () => at));
  const run = { runId, asOf: new Date(at).toISOString().replace(".000Z", "Z"), trial: false };
  await recordRunStart(ledger, { ...run, version: "test" }, workTables(warehouse.dialect));
  const decisions = await decide(project, ledger, {
    ...run,
    held: ledger,
    facts: await ledgerFacts(ledger, { asOf: run.asOf, trial: false, segments: [...project.segments.keys()] }),
    segments: [...project.segments.values()],
    whole: true,
    backfill: new Set(),
    approved: new Set(),
    templates: loadRenderer(project),
    onStep: () => undefined,
    onStatement: () => undefined,
  });
  const ids = new Map(
    (await rows(warehouse, `select user_id, message_id from opportune.sent_ledger where run_id = '${runId}' and event in ('claimed', 'held_out')`)).map(
      (row) => [String(row["user_id"]), String(row["message_id"])],
    ),
  );
  const places = await claimPlaces(warehouse);
  return {
    ledger,
    run,
    decisions,
    ids,
    places,
    async tell(...events) {
      await appendEvents(
        ledger,
        run,
        events.map(([user, event, reason = event]) => ({
          messageId: ids.get(user) ?? "",
          place: places.get(ids.get(user) ?? "") ?? 0,
          event,
          reason,
          detail: event === "sending" ? null : `{"because":"${reason}"}`,
          providerId: event === "accepted" ? `p-${user}` : null,
          at: at + 5000,
        })),
      );
    },
    async end() {
      await recordRunEnd(ledger, runId, { ...NOTHING_DONE, status: "success", error: null });
    },
  };
}

export function rows(warehouse: Warehouse, sql: string): Promise<Row[]> {
  return warehouse.query({ sql, params: [] });
}

/** A ledger as an older version made it: with two files. */
export async function ledgerOfVersion2(warehouse: Warehouse): Promise<void> {
  const { dialect } = warehouse;
  const statements = LEDGER_FILES.slice(0, 2).flatMap((file) =>
    statementsOf(renderSqlFile(`ledger/${file}`, dialect, SCHEMA, { types: dialect.columnTypes }).sql),
  );
  for (const sql of [`create schema ${SCHEMA}`, ...statements, `insert into ${SCHEMA}.meta (name, content) values ('schema_version', '2'), ('salt', 'salt')`])
    await warehouse.execute({ sql, params: [] });
}

/** As if the holder had not been heard of for as long as a lease is. */
export async function letLeaseRunOut(warehouse: Warehouse, schema = SCHEMA): Promise<void> {
  await warehouse.execute({ sql: `update ${schema}.leases set expires_at = timestamp '2026-01-01 00:00:00' where name = 'run'`, params: [] });
}

/** Takes a ledger, at a frozen clock (ms), that is given back after the test. */
export async function openLedger(warehouse: Warehouse, at: number): Promise<HeldLedger> {
  const ledger = await HeldLedger.take(new Ledger(warehouse, SCHEMA, () => at));
  onTestFinished(() => ledger.release().catch(() => undefined));
  return ledger;
}
