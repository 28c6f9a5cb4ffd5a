/** Whole runs on Postgres: a target in opportune.yml, a user's own types, claims streamed while outcomes are committed. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { setPause } from "../../src/ledger/pauses.js";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import { run } from "../../src/run/run.js";
import type { RunResult } from "../../src/run/types.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder, write } from "../commands/support.js";
import { letLeaseRunOut } from "../ledger/support.js";
import { createDatabase } from "../support/postgres.js";
import { QUIET_RUN } from "../support/quiet-run.js";
import { typedShop } from "../support/typed-shop.js";
import { BY_OPERATOR } from "../support/pauses.js";

const NOW = Date.parse("2026-03-02T12:00:00Z");
const USERS = 6_000;
/** More properties than json_build_object takes. */
const WIDE = Array.from({ length: 60 }, (_, i) => `${String(i)} as wide_${String(i)}`).join(", ");

const FILES = typedShop({
  target: `{type: postgres, url: "\${DATABASE_URL}", database: "\${DATABASE}", search_path: [shop, public], statement_timeout: 1 minute, schema: messages}`,
  loadedAt: "updated_at + interval '30 minutes'",
  columns: `, ${WIDE}`,
  shown: " {{wide_59}}",
});

let root: string;
let project: Project;
let warehouse: Warehouse;
let drop: () => Promise<void>;

beforeEach(async () => {
  const database = await createDatabase();
  drop = database.drop;
  const { host, port, user, password, database: name } = database.connection;
  root = temporaryFolder();
  write(root, FILES);
  project = loadProject(root, {
    env: { DATABASE_URL: `postgres://${String(user)}:${String(password)}@${host}:${String(port)}/elsewhere`, DATABASE: name ?? "" },
  });
  warehouse = await openWarehouse(project.target.connection, { root });
  for (const sql of [
    "create schema shop",
    `create table shop.carts as select i as user_id, 'User' || i || '@Example.com' as email, gen_random_uuid() as cart_id, timestamptz '2026-03-02 12:30:00+01' as updated_at, 12.50::numeric(10, 2) as total,
      case when i % 2 = 0 then 'starter' else 'growth' end::varchar(20) as plan, array['a', 'b"c'] as tags, '{"size": "XL"}'::jsonb as extra, date '2026-02-01' as bought_on, 'NaN'::float8 as rating from generate_series(1, ${String(USERS)}) i`,
    "create table shop.orders as select 8 as user_id, timestamp '2026-03-02 11:45:00' as ordered_at",
  ])
    await warehouse.execute({ sql, params: [] });
  await installLedger(new Ledger(warehouse, project.target.schema));
});

afterEach(async () => {
  await warehouse.close();
  await drop();
});

function runAt(now: number, dryRun = false): Promise<RunResult> {
  return run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], dryRun, now: () => now });
}

const query = (sql: string): Promise<Row[]> => warehouse.query({ sql, params: [] });

describe("a run on Postgres", () => {
  it("sends what is due once, with the user's own types, and leaves the broken segment alone", async () => {
    const { decisions, delivery } = await runAt(NOW);
    expect(delivery?.counts.accepted).toBe(USERS - 2);
    const [cart, broken] = ["cart", "broken"].map((id) => decisions.segments.find(({ segment }) => segment === id));
    expect(cart?.reasons).toEqual({ claimed: USERS - 2, excluded: 1, converted: 1 });
    expect(broken?.problem).toMatchObject({ file: "segments/broken.sql" });
    expect(broken?.problem?.message).toMatch(/invalid input syntax for type integer: \[value\]$/);
    const [row] = await query(
      "select count(*) as n, count(distinct message_id) as messages, sum(settles) as settled, min(address) as address, min(properties) as properties from messages.sent_ledger where event = 'claimed'",
    );
    expect(row).toMatchObject({ n: USERS - 2, messages: USERS - 2, settled: String(USERS - 2), address: "user1000@example.com" });
    expect(JSON.parse(String(row?.["properties"]))).toMatchObject({ total: "12.50" });
    expect(await query("select event, count(*) as n from messages.sent_ledger where event in ('sending', 'accepted') group by event order by event")).toEqual([
      { event: "accepted", n: USERS - 2 },
      { event: "sending", n: USERS - 2 },
    ]);
    expect(await query("select status, status_reason, count(*) as n from messages.messages group by 1, 2")).toEqual([
      { status: "accepted", status_reason: null, n: USERS - 2 },
    ]);
    const files = readdirSync(join(root, project.target.outbox), { recursive: true, encoding: "utf8" }).filter((file) => /\.(eml|html|json|txt)$/.test(file));
    expect(files.length).toBeGreaterThan(0);
    expect(readFileSync(join(root, project.target.outbox, files[0] ?? ""), "utf8")).toContain("12.50");

    const again = await runAt(NOW + 300_000);
    expect(again.delivery?.counts.accepted).toBe(0);
    expect(again.decisions.changed).toBe(0);
  });

  it("a dry run decides and renders the same, and leaves nothing", async () => {
    const { decisions, unrenderable } = await runAt(NOW, true);
    expect(decisions.segments.find(({ segment }) => segment === "cart")?.reasons["claimed"]).toBe(USERS - 2);
    expect(unrenderable).toEqual({});
    expect(
      await query(
        "select (select count(*) from messages.sent_ledger) as events, (select count(*) from messages.runs) as runs, (select count(*) from messages.leases where holder is not null) as held",
      ),
    ).toEqual([{ events: 0, runs: 0, held: 0 }]);
  });

  it("recovers what a run left that lost its connection after claiming: nothing twice, nothing lost", async () => {
    const other = await openWarehouse(project.target.connection, { root });
    const [backend] = await other.query({ sql: "select pg_backend_pid() as pid", params: [] });
    let batches = 0;
    const onProgress = (): void => {
      if (++batches === 1) void warehouse.execute({ sql: `select pg_terminate_backend(${String(backend?.["pid"])})`, params: [] });
    };
    const cut = run(project, other, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => NOW, onProgress });
    await expect(cut).rejects.toThrow(/connection to Postgres .* was lost/);
    await other.close();
    await letLeaseRunOut(warehouse, project.target.schema);
    const { recovered, delivery } = await runAt(NOW + 900_000);
    const [row] = await query("select count(distinct message_id) as claimed from messages.sent_ledger where event = 'claimed'");
    expect(row).toEqual({ claimed: USERS - 2 });
    const [told] = await query("select count(*) as n from messages.messages where status in ('accepted', 'in_doubt')");
    expect(told).toEqual({ n: USERS - 2 });
    expect(recovered.released).toBe(delivery?.counts.accepted);
    const twice = await query("select message_id from messages.sent_ledger where event = 'accepted' group by message_id having count(*) > 1");
    expect(twice).toEqual([]);
  });

  it("keeps its lease from another process's run, and can be paused meanwhile", async () => {
    const other = await openWarehouse(project.target.connection, { root });
    try {
      const holder = await HeldLedger.take(new Ledger(other, project.target.schema));
      await expect(runAt(NOW)).rejects.toThrow(/Another run holds the ledger/);
      await setPause(new Ledger(warehouse, project.target.schema, () => NOW), { ...BY_OPERATOR, scope: "segment", name: "cart", paused: true });
      await holder.release();
      expect((await runAt(NOW)).decisions.segments.find(({ segment }) => segment === "cart")?.reasons["paused"]).toBe(USERS - 2);
    } finally {
      await other.close();
    }
  });
});
