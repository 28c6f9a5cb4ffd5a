/** Runs that end before they are through: on a signal, or in the middle of a write. */
import { expect, it } from "vitest";
import type { Warehouse } from "../../src/warehouse/types.js";
import { letLeaseRunOut } from "../ledger/support.js";
import { around } from "../support/around.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

/** A warehouse that is gone from the n-th append of events on: every later call fails, as after a crash. */
function goneAtAppend(n: number): (warehouse: Warehouse) => Warehouse {
  return (warehouse) => {
    let appends = 0;
    const alive = <T>(work: () => T): T => {
      if (appends >= n) throw new Error("the warehouse is gone");
      return work();
    };
    return around(warehouse, {
      describe: async (statement) => alive(() => warehouse.describe(statement)),
      query: async (statement) => alive(() => warehouse.query(statement)),
      execute: async (statement) => alive(() => warehouse.execute(statement)),
      script: async (script) => {
        if (script.fill !== undefined) appends += 1;
        return alive(() => warehouse.script(script));
      },
    });
  };
}

it("a crash before `sending` is written: nothing was posted, and the next run sends", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  await expect(shop.run(T0, {}, goneAtAppend(1))).rejects.toThrow("the warehouse is gone");
  expect(shop.mails()).toEqual([]);
  expect(await shop.rows("select status from opportune.runs")).toEqual([{ status: "running" }]);
  await expect(shop.run(T0 + MINUTE)).rejects.toThrow("Another run holds the ledger");
  await shop.warehouse((warehouse) => letLeaseRunOut(warehouse));
  const next = await shop.run(T0 + 2 * MINUTE);
  expect(next).toMatchObject({ recovered: { released: 2, inDoubt: 0 }, delivery: { counts: { accepted: 2 } } });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
  expect(await shop.story("user_id = 'ada'")).toEqual([
    "ada claimed claimed",
    "ada released interrupted",
    "ada claimed claimed",
    "ada sending sending",
    "ada accepted accepted",
  ]);
  expect(await shop.rows("select status from opportune.runs order by as_of")).toEqual([{ status: "interrupted" }, { status: "success" }]);
});

it("a crash after the posts, before their answers are written: in doubt, never sent again", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  shop.edit("opportune.yml", "in_flight: 1", "in_flight: 2");
  await expect(shop.run(T0, {}, goneAtAppend(2))).rejects.toThrow("the warehouse is gone");
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
  await shop.warehouse((warehouse) => letLeaseRunOut(warehouse));
  const next = await shop.run(T0 + 2 * MINUTE);
  expect(next).toMatchObject({ recovered: { released: 0, inDoubt: 2 }, delivery: { claims: 0 } });
  expect(shop.sandbox.stats().requests).toBe(2);
  expect(await shop.story("user_id = 'ada'")).toEqual(["ada claimed claimed", "ada sending sending", "ada in_doubt interrupted"]);
  expect(await shop.rows("select user_id, status from opportune.messages order by 1")).toEqual([
    { user_id: "ada", status: "in_doubt" },
    { user_id: "bob", status: "in_doubt" },
  ]);
});

it("a crash in the first moments leaves in doubt what was under way, and nothing else", async () => {
  const shop = await Shop.sending(["ada", "bob", "eve"]);
  await expect(shop.run(T0, {}, goneAtAppend(2))).rejects.toThrow("the warehouse is gone");
  await shop.warehouse((warehouse) => letLeaseRunOut(warehouse));
  const next = await shop.run(T0 + 2 * MINUTE);
  expect(next).toMatchObject({ recovered: { released: 2, inDoubt: 1 }, delivery: { counts: { accepted: 2 } } });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "eve@example.com"]);
});

it("a crash after the posts on a channel that resends: sent again by the next run", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  shop.edit("opportune.yml", "in_flight: 1", "in_flight: 2, on_doubt: resend");
  await expect(shop.run(T0, {}, goneAtAppend(2))).rejects.toThrow("the warehouse is gone");
  await shop.warehouse((warehouse) => letLeaseRunOut(warehouse));
  const next = await shop.run(T0 + 2 * MINUTE);
  expect(next).toMatchObject({ recovered: { released: 2, inDoubt: 0 }, delivery: { counts: { accepted: 2 } } });
  expect(shop.recipients()).toEqual(["ada@example.com", "ada@example.com", "bob@example.com", "bob@example.com"]);
  expect(await shop.story("user_id = 'ada'")).toEqual([
    "ada claimed claimed",
    "ada sending sending",
    "ada released resend",
    "ada claimed claimed",
    "ada sending sending",
    "ada accepted accepted",
  ]);
});

it("a stop before delivery releases every claim, and the run ends as a success that sent nothing", async () => {
  const shop = await Shop.sending(["ada", "bob", "eve"]);
  const stop = new AbortController();
  const result = await shop.run(T0, { stop: stop.signal, onDecided: () => stop.abort() });
  expect(result).toMatchObject({ problems: [], delivery: { posts: 0, counts: { accepted: 0, released: { stopped: 3 } } } });
  expect(await shop.rows("select status, released from opportune.runs")).toEqual([{ status: "success", released: 3 }]);
  expect(await shop.run(T0 + MINUTE)).toMatchObject({ recovered: { released: 0, inDoubt: 0 }, delivery: { counts: { accepted: 3 } } });
});

it("a stop in the middle finishes what is under way and releases the rest", async () => {
  const stop = new AbortController();
  const shop = await Shop.sending(["ada", "bob", "eve", "kim"], { onRequest: () => stop.abort() });
  const { delivery } = await shop.run(T0, { stop: stop.signal });
  expect(delivery).toMatchObject({ claims: 4, posts: 1, counts: { accepted: 1, released: { stopped: 3 } } });
  expect(shop.mails()).toHaveLength(1);
  expect((await shop.run(T0 + MINUTE)).delivery).toMatchObject({ counts: { accepted: 3 } });
  expect(new Set(shop.recipients()).size).toBe(4);
});

it("an answer that never comes is in doubt, and stays so in the next run", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  shop.sandbox.setFaults([{ cut: "after", count: 1 }]);
  expect((await shop.run(T0)).delivery).toMatchObject({ ok: true, counts: { accepted: 1, inDoubt: 1 } });
  expect((await shop.run(T0 + MINUTE)).delivery).toMatchObject({ claims: 0 });
  expect(new Set(shop.recipients()).size).toBe(2);
  expect(await shop.rows("select status, in_doubt from opportune.runs order by as_of")).toEqual([
    { status: "success", in_doubt: 1 },
    { status: "success", in_doubt: 0 },
  ]);
});

/** A warehouse that commits its n-th transaction under the lease and then says that it failed, as DuckDB does when it is interrupted amid a commit. */
function commitsAndFails(n: number): (warehouse: Warehouse) => Warehouse {
  return (warehouse) => {
    let transactions = 0;
    const commit = warehouse.script.bind(warehouse);
    warehouse.script = async (script) => {
      const rows = await commit(script);
      if (script.statements[0]?.mustChange === 1) transactions += 1;
      if (transactions === n) throw new Error("INTERRUPT Error: Interrupted!");
      return rows;
    };
    return warehouse;
  };
}

it("a commit that stands although it failed: claims are sent, events are not told twice", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  // Of a run's start, of its decisions, of `sending`, of outcomes.
  expect(await shop.run(T0, {}, commitsAndFails(2))).toMatchObject({ delivery: { counts: { accepted: 2 } } });
  await shop.carts(["eve"], 30);
  expect(await shop.run(T0 + MINUTE, {}, commitsAndFails(3))).toMatchObject({ delivery: { counts: { accepted: 1 } } });
  await shop.carts(["kim", "max"], 30);
  const stop = new AbortController();
  const released = await shop.run(T0 + 2 * MINUTE, { stop: stop.signal, onDecided: () => stop.abort() }, commitsAndFails(3));
  expect(released).toMatchObject({ delivery: { counts: { accepted: 0, released: { stopped: 2 } } } });
  expect(await shop.run(T0 + 3 * MINUTE, {}, commitsAndFails(4))).toMatchObject({ delivery: { counts: { accepted: 2 } } });
  expect(shop.recipients()).toEqual(["ada", "bob", "eve", "kim", "max"].map((user) => `${user}@example.com`));
  expect(await shop.rows("select user_id, sum(settles) as settles from opportune.sent_ledger group by user_id having sum(settles) <> 1")).toEqual([]);
  expect(await shop.run(T0 + 4 * MINUTE)).toMatchObject({ recovered: { released: 0, inDoubt: 0 }, delivery: { claims: 0 } });
});

it("a run that failed although its claims stand is left to the next one", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  const blind = (warehouse: Warehouse): Warehouse => {
    const failing = commitsAndFails(2)(warehouse);
    const query = failing.query.bind(failing);
    failing.query = (statement) => (statement.sql.includes('"seq" <=') ? Promise.reject(new Error("INTERRUPT Error: Interrupted!")) : query(statement));
    return failing;
  };
  await expect(shop.run(T0, {}, blind)).rejects.toThrow("Interrupted");
  expect(await shop.rows("select status from opportune.runs")).toEqual([{ status: "running" }]);
  expect(await shop.run(T0 + MINUTE)).toMatchObject({ recovered: { released: 2, inDoubt: 0 }, delivery: { counts: { accepted: 2 } } });
});

it("outcomes whose append may stand are not written again: the next run finds each once", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  let appends = 0;
  const losing = (warehouse: Warehouse): Warehouse =>
    around(warehouse, {
      script: async (script) => {
        const rows = await warehouse.script(script);
        if (script.fill !== undefined) appends += 1;
        // The second append of events is made and fails; a third would succeed.
        if (script.fill !== undefined && appends === 2) throw new Error("the connection was lost");
        return rows;
      },
      query: (statement) => (statement.sql.includes('"seq" <=') ? Promise.reject(new Error("the connection was lost")) : warehouse.query(statement)),
    });
  await expect(shop.run(T0, {}, losing)).rejects.toThrow("the connection was lost");
  const events = await shop.rows("select event, user_id from opportune.sent_ledger where event <> 'claimed' order by seq");
  expect(events.map(({ event }) => event)).toEqual(["sending", "accepted", "sending"]);
  expect(appends).toBe(2);
  expect(await shop.run(T0 + MINUTE)).toMatchObject({ recovered: { released: 0, inDoubt: 1 }, delivery: { claims: 0 } });
  expect(shop.recipients()).toEqual([`${String(events[1]?.["user_id"])}@example.com`]);
});
