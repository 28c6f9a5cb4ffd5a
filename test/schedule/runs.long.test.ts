/** The scheduler with real runs on a real DuckDB file: what the ledger keeps from being sent twice, whatever the clock does. */
import { expect, it } from "vitest";
import { Ledger } from "../../src/ledger/ledger.js";
import { runHistory, type RunHistory } from "../../src/ledger/runs/history.js";
import { loadProject } from "../../src/project/build/load.js";
import { Scheduler, type SchedulerEvent } from "../../src/schedule/scheduler.js";
import { write } from "../commands/support.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

const HOUR = 60 * MINUTE;

const historyOf = (shop: Shop): Promise<RunHistory> => shop.warehouse((warehouse) => runHistory(new Ledger(warehouse, "opportune"), true));

/** A scheduler of this shop whose runs are as of the beat. */
function scheduled(shop: Shop): { beat(at: number): Promise<void>; events: SchedulerEvent[] } {
  const events: SchedulerEvent[] = [];
  let now = 0;
  const scheduler = new Scheduler(
    {
      load: () => loadProject(shop.root, { env: {} }),
      history: () => historyOf(shop),
      run: (_project, segments) => shop.run(now, { segments }),
      onInterval: () => undefined,
      random: () => 0,
      sleep: () => Promise.resolve(),
      on: (event) => void events.push(event),
    },
    300,
    T0,
  );
  return {
    events,
    beat: (at) => {
      now = at;
      return scheduler.beat(at);
    },
  };
}

it("a host clock that jumps back starts no run twice and sends nothing twice, and goes on once it has caught up", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  const first = scheduled(shop);
  await first.beat(T0);
  await shop.carts(["eve"], 90);
  for (const back of [HOUR, 55 * MINUTE, 5 * MINUTE, 0]) await first.beat(T0 - back);
  // It reads the ledger again while its clock stands behind: the run that was ahead may have been taken back.
  const reread = ["remembered", "remembered", "remembered"];
  expect(first.events.map(({ event }) => event)).toEqual(["remembered", "run_started", "run_ended", "clock_back", ...reread]);

  const restarted = scheduled(shop);
  await restarted.beat(T0 - HOUR);
  expect(restarted.events).toMatchObject([{ event: "remembered" }, { event: "clock_back", until: T0 }]);

  // Another process went on while this one's clock was wrong: the scheduler reads so in the ledger, and waits for that too.
  await shop.run(T0 + 7 * MINUTE);
  await restarted.beat(T0 + 5 * MINUTE);
  expect(restarted.events.slice(2)).toMatchObject([{ event: "remembered", history: { lastAsOf: T0 + 7 * MINUTE } }]);
  await restarted.beat(T0 + 10 * MINUTE);
  expect(restarted.events.at(-1)).toMatchObject({ event: "run_ended" });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "eve@example.com"]);
  expect((await shop.rows("select as_of from opportune.runs")).length).toBe(3);
});

it("the ledger says who was asked when, but not of those who must be asked again", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  expect(await historyOf(shop)).toEqual({ lastAsOf: null, askedAt: new Map(), lastSuccess: null, lastDecided: null });
  write(shop.root, {
    "segments/daily.sql": "/*---\nstatus: live\nevery: 1 day\nsteps: [{name: hint, channel: email, template: cart}]\n---*/\nselect * from carts where false\n",
  });
  await shop.run(T0);
  expect(await historyOf(shop)).toEqual({
    lastAsOf: T0,
    askedAt: new Map([
      ["cart", T0],
      ["daily", T0],
    ]),
    lastSuccess: T0,
    lastDecided: T0,
  });

  shop.edit("segments/daily.sql", "from carts", "from no_such_table");
  await shop.run(T0 + 5 * MINUTE);
  expect(await historyOf(shop)).toMatchObject({ askedAt: new Map([["cart", T0 + 5 * MINUTE]]), lastSuccess: T0, lastDecided: T0 + 5 * MINUTE });

  shop.edit("segments/daily.sql", "from no_such_table", "from carts");
  await shop.carts(["eve"], 40);
  await shop.run(T0 + 10 * MINUTE, { stop: AbortSignal.abort() });
  expect(await shop.rows("select released from opportune.runs order by as_of desc limit 1")).toEqual([{ released: 1 }]);
  expect((await historyOf(shop)).askedAt).toEqual(new Map());

  await shop.run(T0 + 15 * MINUTE);
  await shop.rows("update opportune.runs set status = 'running' where as_of = (select max(as_of) from opportune.runs)");
  expect((await historyOf(shop)).askedAt).toEqual(new Map());
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "eve@example.com"]);
});
