/** A bad day at the warehouse, on Postgres: connections cut, servers restarted and crashed, disks full, statements that take too long. */
import { once } from "node:events";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startPostgres, type PostgresServer } from "../support/postgres-server.js";
import { BATCH, type Shop } from "./support/shop.js";
import { connectBeside, stopBefore } from "./support/stops.js";
import { aftermath, openStage, type Stage } from "./support/story.js";
import type { Outcome, Phase } from "./worker/messages.js";
import { Worker } from "./support/workers.js";

const LOST = /^The connection to Postgres \(.+ on 127\.0\.0\.1:\d+\) was lost: [^\n]+\.$/;
const UNREACHABLE = /^Can't connect to Postgres \(.+ on 127\.0\.0\.1:\d+\): [^\n]+\.$/;

let server: PostgresServer;
let stage: Stage;
let worker: Worker;

beforeAll(async () => {
  // As a server may well be set up: it forgets its last commits in a crash, unless a session asks for more.
  server = await startPostgres(["fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_writer_delay=10s"]);
  stage = await openStage("postgres", server.url);
  worker = new Worker("postgres");
});
afterAll(async () => {
  await worker.end();
  await stage.close();
  await server.dispose();
});

async function openShop(users: number, target?: string): Promise<{ shop: Shop; admin: Client }> {
  stage.provider.reset();
  const shop = await stage.ground.open({ endpoint: stage.provider.url, users, ...(target === undefined ? {} : { target }) });
  const admin = await connectBeside(shop);
  onTestFinished(() => admin.end());
  return { shop, admin };
}

/** What `how` does to the database, and the line that the run ends with. */
function clearly(outcome: Outcome, code: string, message: RegExp): void {
  expect({ ok: outcome.ok, code: outcome.code, message: outcome.message }).toEqual({ ok: false, code, message: expect.stringMatching(message) as string });
}

describe("a bad day at Postgres", () => {
  it.each(["before", "during"] as const)("the connection is cut %s each statement of a run", async (phase: Phase) => {
    const { shop, admin } = await openShop(3);
    const cut = async (): Promise<void> => {
      await admin.query("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and application_name = 'opportune'");
    };
    await worker.outcome(shop.job());
    await shop.qualify(3);
    const { statements } = await worker.outcome(shop.job());
    // How many statements a delivery takes hangs on when answers come: each run is judged by its own.
    const neededBy = (ran: readonly string[]): number => ran.lastIndexOf("commit record run end") + 1;
    let least = neededBy(statements);
    let failed = 0;
    for (let nth = 1; nth <= statements.length; nth++) {
      await shop.qualify(3);
      const outcome = await worker.outcome(shop.job([{ label: null, nth, phase, act: "report" }]), cut);
      // The lease is given back last, and ends by itself where it is not; nothing of a run hangs on what comes after its end.
      if (outcome.ok) {
        const needed = neededBy(outcome.statements);
        least = Math.min(least, needed);
        expect(nth).toBeGreaterThanOrEqual(phase === "during" ? needed : needed + 1);
      } else if (outcome.code === "warehouse/unreachable") clearly(outcome, "warehouse/unreachable", UNREACHABLE);
      else clearly(outcome, "warehouse/connection-lost", LOST);
      if (!outcome.ok) failed += 1;
      await shop.leaseRunsOut();
      const next = await worker.outcome(shop.job());
      expect({ nth, ok: next.ok, message: next.message }).toEqual({ nth, ok: true, message: null });
    }
    expect(failed).toBeGreaterThanOrEqual(least - 1);
    await aftermath(stage, shop, {
      point: "connection cut",
      struck: `${phase} each of ${String(statements.length)} statements`,
      doubts: statements.length * BATCH,
      again: true,
    });
  });

  it.each(["stage segment", "arbitrate", "commit append segment runs", "commit append events", "commit record run end"])(
    "the server is restarted before: %s",
    async (label) => {
      const { shop } = await openShop(30);
      const outcome = await worker.outcome(shop.job([stopBefore(label)]), async () => {
        await server.stop();
        await server.start();
      });
      clearly(outcome, "warehouse/connection-lost", LOST);
      await shop.leaseRunsOut();
      await aftermath(stage, shop, { point: "server restarted", struck: `before ${label}`, again: true });
    },
  );

  it.each([3, 13, 25])("the server crashes at request %i, on a server that forgets commits", async (request) => {
    const { shop, admin } = await openShop(30);
    const pid = (await admin.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid;
    if (pid === undefined) throw new Error("the server named no process");
    const witness = await connectBeside(shop);
    // Any of its processes that is killed takes all with it, and what was not yet written of its log. No run outruns that: nothing is
    // answered until the server is back, and it comes back once the last of them is gone.
    let crash: Promise<void> | null = null;
    stage.provider.hooks.taken = (nth) => {
      if (nth < request) return undefined;
      crash ??= (async () => {
        const noticed = once(witness, "end");
        process.kill(pid, "SIGKILL");
        await noticed;
        await recovered(shop);
      })();
      return crash;
    };
    clearly(await worker.outcome(shop.job()), "warehouse/connection-lost", LOST);
    stage.provider.hooks = {};
    await recovered(shop);
    await shop.leaseRunsOut();
    const { inDoubt } = await aftermath(stage, shop, { point: "server crashed", struck: `request ${String(request)}`, again: true });
    expect(inDoubt).toBeGreaterThan(0);
  });

  it("the disk is full when the claims are written", async () => {
    const { shop, admin } = await openShop(30);
    const { rows } = await admin.query<{ path: string }>(`select pg_relation_filepath('${shop.schema}.sent_ledger') as path`);
    const file = join(server.dataFolder, rows[0]?.path ?? "");
    // Every write to it fails as on a disk without space.
    await server.stop();
    renameSync(file, `${file}.kept`);
    symlinkSync("/dev/full", file);
    await server.start();
    const outcome = await worker.outcome(shop.job());
    clearly(outcome, "warehouse/statement", /^The disk of Postgres is full: could not extend file "[^"]+": No space left on device/);
    expect(stage.provider.requests).toBe(0);
    await server.stop();
    rmSync(file);
    renameSync(`${file}.kept`, file);
    await server.start();
    await aftermath(stage, shop, { point: "disk full", struck: "append decisions", again: true });
  });

  it.each([
    ["append decisions", 1, 0],
    ["append events", 1, 0],
    ["append events", 2, BATCH],
  ] as const)("a statement takes too long: %s %i", async (label, nth, posted) => {
    const { shop, admin } = await openShop(30, "statement_timeout: 3 seconds");
    const outcome = await worker.outcome(shop.job([stopBefore(label, nth)]), async () => {
      await admin.query("begin");
      await admin.query(`lock table ${shop.schema}.sent_ledger in share mode`);
    });
    clearly(outcome, "warehouse/statement", /^it took longer than 3 seconds, the statement_timeout of this target$/);
    expect(stage.provider.requests).toBeLessThanOrEqual(posted);
    await admin.query("rollback");
    const { inDoubt } = await aftermath(stage, shop, { point: "statement timeout", struck: `${label} ${String(nth)}`, again: true });
    expect(inDoubt).toBeLessThanOrEqual(posted);
  });

  it("a segment takes too long: it fails alone, and sends in the next run", async () => {
    const { shop, admin } = await openShop(30, "statement_timeout: 3 seconds");
    await admin.query(`alter table ${shop.sources}.carts rename to stored`);
    await admin.query(`create view ${shop.sources}.carts as select * from ${shop.sources}.stored where (select pg_sleep(30)) is not null`);
    const outcome = await worker.outcome(shop.job());
    expect(outcome).toMatchObject({
      ok: false,
      claims: 0,
      message: expect.stringContaining("it took longer than 3 seconds, the statement_timeout of this target") as string,
    });
    await admin.query(`create or replace view ${shop.sources}.carts as select * from ${shop.sources}.stored`);
    expect((await aftermath(stage, shop, { point: "statement timeout", struck: "stage segment", again: true })).inDoubt).toBe(0);
  });
});

/** Until the server takes connections again. */
async function recovered(shop: Shop): Promise<void> {
  for (;;) {
    try {
      await shop.query("select 1");
      return;
    } catch (error) {
      if (!(error instanceof Error && UNREACHABLE.test(error.message.split("\n")[0] ?? ""))) throw error;
    }
  }
}
