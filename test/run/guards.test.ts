/** What keeps a run from sending: pauses, targets that are not live, replays, dry runs, drafts, limits. */
import { expect, it } from "vitest";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { edit, write } from "../commands/support.js";
import { around } from "../support/around.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

/** Nobody answers there: a request would end in doubt or be tried again, never be accepted. */
const ELSEWHERE = "https://sendgrid.invalid";

it("a pause that comes between decision and delivery releases the claims; resumed, they go out", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  // Paused for delivery alone, as if someone had paused just after the decisions.
  const result = await shop.run(T0, {}, (warehouse) =>
    around(warehouse, {
      script: async (script) => {
        const rows = await warehouse.script(script);
        if (script.statements.some(({ sql }) => /insert into .*sent_ledger.*d\.changed = 1/s.test(sql)))
          await warehouse.execute({
            sql: "insert into opportune.pauses (scope, name, paused, recorded_at, seq) values ('segment', 'cart', true, timestamp '2026-03-02 12:00:00', 0)",
            params: [],
          });
        return rows;
      },
    }),
  );
  expect(result).toMatchObject({ problems: [], delivery: { posts: 0, counts: { accepted: 0, released: { paused: 2 } } } });
  // One place is open: the first in line is marked and not posted, the other is not even marked.
  const stories = await Promise.all(["ada", "bob"].map(async (user) => (await shop.story(`user_id = '${user}'`)).map((row) => row.replace(`${user} `, ""))));
  expect(stories.sort((a, b) => a.length - b.length)).toEqual([
    ["claimed claimed", "released paused"],
    ["claimed claimed", "sending sending", "released paused"],
  ]);
  expect((await shop.run(T0 + MINUTE)).decisions.segments[0]?.reasons).toEqual({ paused: 2 });
  await shop.pause("segment", "cart", false, T0 + 2 * MINUTE);
  expect((await shop.run(T0 + 3 * MINUTE)).delivery).toMatchObject({ counts: { accepted: 2 } });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
});

it("a target that is not live writes to its outbox and asks no provider", async () => {
  const shop = await Shop.sending(["ada", "bob"], { endpoint: ELSEWHERE });
  const result = await shop.run(T0);
  expect(result.delivery).toMatchObject({ counts: { accepted: 2 }, posts: 2 });
  expect(
    shop
      .outbox()
      .map((message) => message["address"])
      .sort(),
  ).toEqual(["ada@example.com", "bob@example.com"]);
  expect(shop.files().filter((file) => file.endsWith(".html")).length).toBe(2);
  expect(await shop.rows("select count(*) as n from opportune.sent_ledger where provider_id like 'outbox:%'")).toEqual([{ n: 2 }]);
});

it("a replay goes to the outbox even on a live target, and to the sandbox where there is one", async () => {
  const asOf = new Date(T0 - 5 * MINUTE).toISOString().replace(".000Z", "Z");
  const live = await Shop.sending(["ada"], { endpoint: ELSEWHERE });
  live.edit("opportune.yml", "live: false", "live: true");
  expect(await live.run(T0, { asOf })).toMatchObject({ asOf, delivery: { counts: { accepted: 1 } } });
  expect(live.outbox()).toMatchObject([{ address: "ada@example.com", segment: "cart" }]);
  expect(await live.rows("select distinct cast(decided_at as varchar) as decided_at from opportune.sent_ledger")).toEqual([
    { decided_at: "2026-03-02 11:55:00" },
  ]);
  expect(await live.rows("select cast(max(recorded_at) as varchar) as recorded_at from opportune.sent_ledger")).toEqual([
    { recorded_at: "2026-03-02 12:00:00" },
  ]);

  const sandboxed = await Shop.sending(["ada"]);
  await sandboxed.run(T0 + 400 * 24 * 60 * MINUTE, { asOf });
  expect(sandboxed.recipients()).toEqual(["ada@example.com"]);
});

it("an as_of earlier than the last run is refused and leaves the lease free; the same one is not", async () => {
  const shop = await Shop.sending(["ada"]);
  await shop.run(T0);
  await expect(shop.run(T0 - 1000)).rejects.toMatchObject({
    exitCode: 1,
    problems: [
      { code: "run/as-of", message: "The ledger knows a run as of 2026-03-02T12:00:00Z; this one would be as of 2026-03-02T11:59:59Z, earlier than that." },
    ],
  });
  await expect(shop.run(T0 + MINUTE, { asOf: "2026-03-02T11:00:00Z" })).rejects.toMatchObject({ problems: [{ code: "run/as-of" }] });
  expect((await shop.run(T0)).delivery?.claims).toBe(0);
  expect(await shop.rows("select holder from opportune.leases where name = 'run'")).toEqual([{ holder: null }]);
});

it("a dry run leaves no trace, and tells exactly what the real run then does", async () => {
  const shop = await Shop.sending(["ada", "bob", "eve", "kim"]);
  write(shop.root, {
    "segments/other.sql":
      "/*---\nstatus: live\npriority: 90\nfirst_run: send\nsteps: [{name: hint, channel: email, template: cart}]\n---*/\nselect * from carts where user_id < 'c'\n",
  });
  edit(shop.root, "opportune.yml", "max_per_run: 100", "max_per_run: 3");
  await shop.run(T0 - 5 * MINUTE, { dryRun: true });
  const [before, files] = [await shop.dump(), shop.files()];
  const dry = await shop.run(T0, { dryRun: true });
  expect(dry).toMatchObject({ dryRun: true, delivery: null, unrenderable: {}, problems: [] });
  expect(await shop.dump()).toEqual(before);
  expect(shop.files()).toEqual(files);
  expect(shop.sandbox.stats().requests).toBe(0);
  const real = await shop.run(T0);
  expect(real.decisions).toEqual({
    ...dry.decisions,
    segments: dry.decisions.segments.map((segment) => ({ ...segment, ms: expect.any(Number) as number })),
    stagingMs: expect.any(Number) as number,
    arbitrationMs: expect.any(Number) as number,
  });
  expect(real.decisions.segments.map(({ reasons }) => reasons)).toEqual([{ claimed: 1, outranked: 2, run_limit: 1 }, { claimed: 2 }]);
  expect(real.delivery?.claims).toBe(3);
});

it("a dry run goes beside a run that holds the ledger", async () => {
  const shop = await Shop.sending(["ada"]);
  await shop.warehouse((warehouse) => HeldLedger.take(new Ledger(warehouse, "opportune")));
  expect((await shop.run(T0, { dryRun: true })).decisions.segments[0]?.reasons).toEqual({ claimed: 1 });
  await expect(shop.run(T0)).rejects.toThrow(`Another run holds the ledger (process ${String(process.pid)}, until `);
});

it("max_per_run lets the rest wait for the next run, of the segment and of the project", async () => {
  const shop = await Shop.sending(["a", "b", "c", "d", "e"]);
  shop.edit("segments/cart.sql", "topic: carts", "topic: carts\nmax_per_run: 2");
  expect((await shop.run(T0)).decisions.segments[0]?.reasons).toEqual({ claimed: 2, run_limit: 3 });
  shop.edit("segments/cart.sql", "max_per_run: 2", "max_per_run: 9");
  shop.edit("opportune.yml", "max_per_run: 100", "max_per_run: 1");
  expect((await shop.run(T0 + MINUTE)).decisions.segments[0]?.reasons).toEqual({ claimed: 1, run_limit: 2 });
  shop.edit("opportune.yml", "max_per_run: 1", "max_per_run: 100");
  expect((await shop.run(T0 + 2 * MINUTE)).delivery?.claims).toBe(2);
  expect(new Set(shop.recipients()).size).toBe(5);
  expect(await shop.rows("select rule, count(*) as n from opportune.sent_ledger where reason = 'run_limit' group by rule order by rule")).toEqual([
    { rule: "project", n: 2 },
    { rule: "segment", n: 3 },
  ]);
});

it("a broken segment ends nobody else's run, whether the warehouse refuses it or its columns are wrong", async () => {
  const shop = await Shop.sending(["ada"]);
  write(shop.root, {
    "segments/broken.sql":
      "/*---\nstatus: live\nsteps: [{name: hint, channel: email, template: cart}]\n---*/\nselect user_id, email, occurred_at, name, total\nfrom no_such_table\n",
  });
  const result = await shop.run(T0);
  expect(result.problems).toMatchObject([{ code: "segment/query", file: "segments/broken.sql", line: 6 }]);
  expect(result.delivery).toMatchObject({ counts: { accepted: 1 } });
  expect(await shop.rows("select status from opportune.runs")).toEqual([{ status: "error" }]);
  edit(shop.root, "segments/broken.sql", "no_such_table", "(select user_id as u, * exclude (user_id) from carts)");
  edit(shop.root, "segments/broken.sql", "select user_id, email", "select email");
  expect(await shop.run(T0 + MINUTE)).toMatchObject({ problems: [{ message: "Segment broken returns no column user_id." }] });
  expect(await shop.rows("select holder from opportune.leases where name = 'run'")).toEqual([{ holder: null }]);
  expect(await shop.rows("select status from opportune.runs order by as_of")).toEqual([{ status: "error" }, { status: "error" }]);
});
