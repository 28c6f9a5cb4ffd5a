/** Runs that overlap on Postgres: processes that start at once, holders that lose their lease, holders that sleep. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRandom } from "../support/random.js";
import { rounds } from "../support/rounds.js";
import { connectBeside, Stop, stopBefore } from "./support/stops.js";
import type { Order, Outcome } from "./worker/messages.js";
import { IN_FLIGHT, type Shop } from "./support/shop.js";
import { aftermath, openStage, type Stage } from "./support/story.js";
import { Worker } from "./support/workers.js";

const ROUNDS = rounds(15, 50);
const PROCESSES = 8;
const MINUTE = 60_000;

let stage: Stage;
let shop: Shop;
/** The test's own connection, which no run shares. */
let admin: Client;
const workers: Worker[] = [];

beforeAll(async () => {
  stage = await openStage("postgres");
});
afterAll(() => stage.close());

beforeEach(async () => {
  stage.provider.reset();
  shop = await stage.ground.open({ endpoint: stage.provider.url, users: 0 });
  admin = await connectBeside(shop);
});
afterEach(async () => {
  stage.provider.hooks = {};
  await Promise.all(workers.splice(0).map((worker) => worker.end()));
  await admin.end();
});

function hire(count: number): Worker[] {
  const hired = Array.from({ length: count }, () => new Worker("postgres"));
  workers.push(...hired);
  return hired;
}

const expire = (): Promise<unknown> => admin.query(`update ${shop.schema}.leases set expires_at = '2000-01-01' where name = 'run'`);

/** A run under way; where the test ends before it does, nobody waits for its end. */
function begin(...[worker, ...asked]: [Worker, ...Parameters<Worker["outcome"]>]): Promise<Outcome> {
  const outcome = worker.outcome(...asked);
  outcome.catch(() => undefined);
  return outcome;
}

/**
 * The time passes that the lease of a stopped process has, and that its transaction has if it was stopped amid one: the
 * server ends such a connection by itself (idle_in_transaction_session_timeout).
 */
async function timePasses(): Promise<void> {
  const ofRuns = "datname = current_database() and application_name = 'opportune'";
  for (let busy = true; busy;) {
    const { rows } = await admin.query(`select pid from pg_stat_activity where ${ofRuns} and state = 'active'`);
    busy = rows.length > 0;
  }
  await admin.query(`select pg_terminate_backend(pid, 10000) from pg_stat_activity where ${ofRuns} and state like 'idle in transaction%'`);
  await expire();
}

/** Until so many other connections wait for a lock, as the server itself says. */
async function waiting(count: number): Promise<void> {
  for (;;) {
    await admin.query("select pg_stat_clear_snapshot()");
    const { rows } = await admin.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if ((rows[0]?.n ?? 0) >= count) return;
  }
}

const HELD = { ok: false, code: "ledger/lease", message: expect.stringMatching(/^Another run holds the ledger \(process \d+, until .+ UTC\)\.$/) as string };
/** To whoever comes last it may have been given back before they could ask who has it. */
const HELD_UNTIL_NOW = { ...HELD, message: expect.stringMatching(/^Another run holds the ledger(?: \(process \d+, until .+ UTC\))?\.$/) as string };
const LOST = { ok: false, code: "ledger/lease-lost", message: "Another run has taken over the ledger; this one stops without writing." };

describe("overlap on postgres", () => {
  it(`${String(PROCESSES)} processes at once, ${String(ROUNDS)} rounds: one sends, the others say that the lease is held`, async () => {
    const processes = hire(PROCESSES);
    for (let round = 1; round <= ROUNDS; round++) {
      await shop.qualify(3);
      const before = stage.provider.requests;
      const outcomes: Outcome[] = [];
      const winner = new Stop();
      // Whoever has the lease waits until the others have ended: none may come after it and find it free. Between two
      // transactions, as in one that holds the lease's row it would wait for others that wait for the row.
      const runs = processes.map(async (process) => {
        outcomes.push(await begin(process, shop.job([stopBefore("stage segment")]), () => winner.wait()));
        if (outcomes.length === PROCESSES - 1) winner.go();
      });
      await Promise.all(runs);
      const held = outcomes.slice(0, -1).map(({ ok, code, message }) => ({ ok, code, message }));
      expect(held).toEqual(Array.from({ length: PROCESSES - 1 }, () => HELD));
      // News waited for the round before, as a user hears one message a run.
      const due = round === 1 ? 3 : 6;
      expect(outcomes.at(-1)).toMatchObject({ ok: true, message: null, claims: due, accepted: due });
      expect(stage.provider.requests - before).toBe(due);
    }
    const verdict = await aftermath(stage, shop, { point: `${String(ROUNDS)} rounds of ${String(PROCESSES)} processes`, struck: "all at once", again: true });
    expect(verdict.inDoubt).toBe(0);
  });

  it(`taken over amid a claim, ${String(ROUNDS)} rounds: no claim twice, and who lost the lease sends nothing`, async () => {
    const [holder, taker] = hire(2) as [Worker, Worker];
    await admin.query(`create table ${shop.schema}.time_flies (yes boolean)`);
    await admin.query(`create function ${shop.schema}.fly() returns trigger language plpgsql as
      $$ begin if exists (select from ${shop.schema}.time_flies) then new.expires_at := '2000-01-01'; end if; return new; end $$`);
    await admin.query(`create trigger flies before update on ${shop.schema}.leases for each row execute function ${shop.schema}.fly()`);
    const kinds = [expiredBefore, expiredMeanwhile, renewedInTime, takerFirst, holderFirst];
    const tally = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      await shop.qualify(3);
      const kind = kinds[round % kinds.length] ?? expiredBefore;
      const sent = stage.provider.received.length;
      const { won, lost } = await kind(holder, taker);
      expect({ kind: kind.name, ok: won.ok, message: won.message }).toEqual({ kind: kind.name, ok: true, message: null });
      expect([HELD_UNTIL_NOW, LOST]).toContainEqual({ ok: lost.ok, code: lost.code, message: lost.message });
      const by = new Set(stage.provider.received.slice(sent).map(({ runId }) => runId));
      expect([...by]).toEqual([won.runId]);
      const result = `${kind.name}, ${lost.code === LOST.code ? "taken over" : "kept"}`;
      tally.set(result, (tally.get(result) ?? 0) + 1);
      const { rows } = await admin.query(`select message_id from ${shop.schema}.sent_ledger group by message_id having sum(settles) > 1`);
      expect(rows).toEqual([]);
      expect(await shop.runUntilQuiet()).toEqual([]);
    }
    const verdict = await aftermath(stage, shop, {
      point: `${String(ROUNDS)} takeovers amid a claim`,
      struck: [...tally].map(([kind, n]) => `${kind}: ${String(n)}`).join("; "),
      again: true,
    });
    expect(verdict.inDoubt).toBe(0);
    expect([...tally.keys()].map((kind) => kind.split(", ")[1])).toEqual(expect.arrayContaining(["taken over", "kept"]));
  });
});

interface Takeover {
  won: Outcome;
  lost: Outcome;
}

/** The renewal in the claims' transaction comes after that in the transaction of the run's start. */
const CLAIMS_RENEWAL = stopBefore("renew lease", 2);

/** The lease expires before the claims' transaction, and another run comes and goes. */
async function expiredBefore(holder: Worker, taker: Worker): Promise<Takeover> {
  const stop = new Stop();
  const held = begin(holder, shop.job([CLAIMS_RENEWAL]), () => stop.wait());
  await stop.reached;
  await expire();
  const won = await begin(taker, shop.job());
  stop.go();
  return { won, lost: await held };
}

/** The claims are inserted for longer than the lease lasts: whoever waits for the row finds it expired again. */
async function expiredMeanwhile(holder: Worker, taker: Worker): Promise<Takeover> {
  const held = heldAt(holder, [CLAIMS_RENEWAL, stopBefore("append decisions")]);
  const [renewal, insert] = held.stops as [Stop, Stop];
  await renewal.reached;
  await expire();
  await admin.query(`insert into ${shop.schema}.time_flies values (true)`);
  renewal.go();
  await insert.reached;
  await admin.query(`delete from ${shop.schema}.time_flies`);
  const took = begin(taker, shop.job());
  await waiting(1);
  insert.go();
  return told(held, took);
}

/** The lease has expired, but the holder renews it in the transaction that claims, before another run gets the row. */
async function renewedInTime(holder: Worker, taker: Worker): Promise<Takeover> {
  const held = heldAt(holder, [CLAIMS_RENEWAL, stopBefore("append decisions")]);
  const [renewal, insert] = held.stops as [Stop, Stop];
  await renewal.reached;
  await expire();
  renewal.go();
  await insert.reached;
  const took = begin(taker, shop.job());
  await waiting(1);
  insert.go();
  const outcomes = await told(held, took);
  expect(outcomes.lost.code).toBe(HELD.code);
  return outcomes;
}

/** Both wait for the row of an expired lease, the taker first. */
const takerFirst = (holder: Worker, taker: Worker): Promise<Takeover> => queued(holder, taker, ["taker", "holder"]);

/** Both wait for the row of an expired lease, the holder first. */
const holderFirst = (holder: Worker, taker: Worker): Promise<Takeover> => queued(holder, taker, ["holder", "taker"]);

async function queued(holder: Worker, taker: Worker, order: readonly ("holder" | "taker")[]): Promise<Takeover> {
  const held = heldAt(holder, [CLAIMS_RENEWAL]);
  const [renewal] = held.stops as [Stop];
  await renewal.reached;
  await expire();
  await admin.query("begin");
  await admin.query(`select 1 from ${shop.schema}.leases where name = 'run' for update`);
  let took: Promise<Outcome> | null = null;
  for (const [i, who] of order.entries()) {
    if (who === "holder") renewal.go();
    else took = begin(taker, shop.job());
    await waiting(i + 1);
  }
  await admin.query("commit");
  if (took === null) throw new Error("there was no taker");
  return told(held, took);
}

interface Held {
  outcome: Promise<Outcome>;
  /** One for each order, in their order. */
  stops: readonly Stop[];
  /** Once its claims are committed, before it reads them. */
  claimed: Stop;
}

/**
 * A run held at statements, and once its claims are committed: a taker that waits must not find the lease given back. Between two
 * transactions, as in one that holds the lease's row it would wait for a taker that waits for the row.
 */
function heldAt(holder: Worker, orders: readonly Order[]): Held {
  const claimed = new Stop();
  const stops = orders.map(() => new Stop());
  const ahead = [...stops];
  const outcome = begin(holder, shop.job([...orders, stopBefore("read claims")]), (label) =>
    (label === "read claims" ? claimed : (ahead.shift() ?? claimed)).wait(),
  );
  return { outcome, stops, claimed };
}

/** Who went through with its run, and who did not. */
async function told(held: Held, taking: Promise<Outcome>): Promise<Takeover> {
  const took = await taking;
  held.claimed.go();
  const outcome = await held.outcome;
  return outcome.ok ? { won: outcome, lost: took } : { won: took, lost: outcome };
}

describe("a holder that sleeps, on postgres", () => {
  const random = createRandom(7);
  const asleep = Array.from({ length: 10 }, (_, i) => ({
    round: i + 1,
    request: random.whole(1, 28),
    clock: i % 2 === 0 ? "past its lease" : "none the wiser",
  }));

  it.each(asleep)("round $round: stopped at request $request, woken $clock", async ({ request, clock }) => {
    await shop.qualify(30);
    const [holder, taker] = hire(2) as [Worker, Worker];
    const ahead = join(shop.root, "clock");
    const stopped = new Promise<void>((resolve) => {
      stage.provider.hooks.taken = (nth) => {
        if (nth !== request) return;
        holder.signal("SIGSTOP");
        resolve();
      };
    });
    await holder.ready;
    const held = begin(holder, shop.job([], ahead));
    await stopped;
    await timePasses();
    const won = await begin(taker, shop.job());
    expect(won.ok).toBe(true);
    const before = stage.provider.requests;
    if (clock === "past its lease") writeFileSync(ahead, String(10 * MINUTE));
    holder.signal("SIGCONT");
    const lost = await held;
    expect(["ledger/lease-lost", "warehouse/connection-lost"]).toContain(lost.code);
    // What was between its check and the socket when it was stopped is written when it wakes: in doubt since, so not sent again.
    if (clock === "past its lease") expect(stage.provider.requests - before).toBeLessThanOrEqual(IN_FLIGHT);
    rmSync(ahead, { force: true });
    const verdict = await aftermath(stage, shop, { point: "a holder stopped and woken", struck: `request ${String(request)}, ${clock}`, again: true });
    expect(verdict.inDoubt).toBeGreaterThan(0);
  });
});
