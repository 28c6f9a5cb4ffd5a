/** Alerts of real runs on a real DuckDB file: each when it begins and when it is over. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { Alerts } from "../../src/alerts/alerts.js";
import { alerted } from "../../src/commands/shared/alerted.js";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { EVERY, settle } from "../../src/ledger/recovery/settle.js";
import { standingDoubts, type StandingDoubts } from "../../src/ledger/recovery/standing-doubts.js";
import { loadProject } from "../../src/project/build/load.js";
import { run } from "../../src/run/run.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import { write } from "../commands/support.js";
import { QUIET_RUN } from "../support/quiet-run.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { inWords, KEEP, listener, told } from "./support.js";

let now = T0;
let failures: string[] = [];
const fresh = (): Alerts => new Alerts({ now: () => now, onFailure: (message) => failures.push(message) });

beforeEach(() => {
  now = T0;
  failures = [];
});

/** A run five minutes after the last, with the alerts of a process of its own unless given; what was told of it. */
async function next(shop: Shop, alerts = fresh()): Promise<string[]> {
  const before = told(shop.root).length;
  now += 5 * MINUTE;
  const project = loadProject(shop.root, { env: { TOKEN: "token-of-tests" } });
  const open = () =>
    openDuckDb({ type: "duckdb", path: "shop.duckdb", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: shop.root, create: false });
  await alerted(project, alerts, open, (warehouse) =>
    run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => now }),
  ).catch(() => undefined);
  return told(shop.root).slice(before).map(inWords);
}

async function alerting(shop: Shop, more = ""): Promise<Shop> {
  shop.edit("opportune.yml", "live: false", `live: false, on_alert: {command: ${JSON.stringify(KEEP)}${more}}`);
  return Promise.resolve(shop);
}

it("a failed segment is told once, and once more when it is over, whoever runs the job", async () => {
  const shop = await alerting(await Shop.sending(["ada"]));
  expect(await next(shop)).toEqual([]);
  shop.edit("segments/cart.sql", '{{source "carts"}}', '"ada@example.com"');
  expect(await next(shop)).toEqual(["failed began: segment cart segment/query"]);
  expect(await next(shop)).toEqual([]);
  const one = fresh();
  expect(await next(shop, one)).toEqual([]);
  expect(await next(shop, one)).toEqual([]);
  shop.edit("segments/cart.sql", '"ada@example.com"', '{{source "carts"}}');
  expect(await next(shop, one)).toEqual(["failed ended: segment cart segment/query"]);
  expect(await next(shop)).toEqual([]);
  const [began, ended] = told(shop.root);
  expect(began).toMatchObject({ schema_version: 1, project: "shop", target: "dev", at: "2026-03-02T12:10:00Z", items: [{ since: "2026-03-02T12:10:00Z" }] });
  expect(ended).toMatchObject({ at: "2026-03-02T12:30:00Z", items: [{ since: "2026-03-02T12:10:00Z", message: null }] });
  expect(began?.items[0]?.message).toContain("[address]");
  expect(JSON.stringify([began, ended])).not.toContain("@example.com");
  expect(failures).toEqual([]);
});

it("guards hold messages back: an audience that is too small, a source that is too old", async () => {
  const shop = await alerting(await Shop.sending(["ada"]));
  write(shop.root, { "segments/audiences/vip.sql": "/*---\nmin_rows: 2\n---*/\nselect user_id from carts where user_id = 'ada'\n" });
  shop.edit("opportune.yml", "max_per_run: 100", "max_per_run: 100\n  require: [vip]");
  expect(await next(shop)).toEqual(["held began: audience vip audience/min-rows"]);
  shop.edit("opportune.yml", "carts: carts", "carts: {table: carts, loaded_at: occurred_at, stale_after: 10 minutes}");
  expect(await next(shop)).toEqual(["held began: segment cart stale-data"]);
  expect(await next(shop)).toEqual([]);
  shop.edit("opportune.yml", ", stale_after: 10 minutes", "");
  shop.edit("segments/audiences/vip.sql", "min_rows: 2", "min_rows: 1");
  expect(await next(shop)).toEqual(["held ended: audience vip audience/min-rows, segment cart stale-data"]);
});

it("silence: no segment returns a row any more, where one did within a day", async () => {
  const shop = await alerting(await Shop.sending(["ada"]));
  expect(await next(shop)).toEqual([]);
  await shop.rows("delete from carts");
  expect(await next(shop)).toEqual(["silent began: run no-rows"]);
  expect(await next(shop)).toEqual([]);
  now += 48 * 60 * MINUTE;
  expect(await next(shop)).toEqual([]);
  await shop.carts(["eve"], 30);
  expect(await next(shop)).toEqual(["silent ended: run no-rows"]);
  await shop.rows("delete from carts");
  now += 48 * 60 * MINUTE;
  // Nothing for two days is no news, where nothing came before either.
  await shop.rows("update opportune.segment_runs set as_of = as_of - interval 3 day");
  expect(await next(shop)).toEqual([]);
});

it("a warehouse that is gone is told once by one process, which remembers, and the ledger hears of it later", async () => {
  const shop = await alerting(await Shop.sending(["ada"]));
  const one = fresh();
  expect(await next(shop, one)).toEqual([]);
  const [file, away] = [join(shop.root, "shop.duckdb"), join(shop.root, "away.duckdb")];
  renameSync(file, away);
  expect(await next(shop, one)).toEqual(["failed began: run warehouse/missing"]);
  expect(await next(shop, one)).toEqual([]);
  // Nobody else can know.
  expect(await next(shop)).toEqual(["failed began: run warehouse/missing"]);
  renameSync(away, file);
  expect(await next(shop, one)).toEqual(["failed ended: run warehouse/missing"]);
  expect(await next(shop, one)).toEqual([]);
  expect(await next(shop)).toEqual([]);
});

it("a scheduler whose runs don't get through is silent after a while, once", async () => {
  const shop = await alerting(await Shop.sending(["ada"]), ", silent_after: 30 minutes, on: [silent]");
  const one = fresh();
  expect(await next(shop, one)).toEqual([]);
  await shop.rows("update opportune.leases set holder = '1-x', expires_at = timestamp '2099-01-01' where name = 'run'");
  const project = loadProject(shop.root, { env: {} });
  const waited = async (): Promise<string[]> => {
    const before = told(shop.root).length;
    await one.whileWaiting(project);
    return told(shop.root).slice(before).map(inWords);
  };
  now += 30 * MINUTE;
  expect(await waited()).toEqual([]);
  now += 1000;
  expect(await waited()).toEqual(["silent began: run no-run"]);
  expect(await waited()).toEqual([]);
  await shop.rows("update opportune.leases set holder = null where name = 'run'");
  expect(await next(shop, one)).toEqual(["silent ended: run no-run"]);
});

it("what nobody took is told again, and only kinds that somebody wants", async () => {
  const hook = await listener();
  const shop = await Shop.sending(["ada"]);
  const webhook = `{url: "${hook.url}", headers: {Authorization: "Bearer \${TOKEN}"}}`;
  shop.edit("opportune.yml", "live: false", `live: false, on_alert: {webhook: ${webhook}, on: [failed]}`);
  shop.edit("segments/cart.sql", '{{source "carts"}}', '"token-of-tests"');
  hook.status = 503;
  await next(shop);
  expect(failures).toEqual([`Alert failed (began): the webhook at ${new URL(hook.url).host} answered 503.`]);
  hook.status = 204;
  await next(shop);
  await next(shop);
  expect(hook.posts.map(({ body }) => inWords(body))).toEqual(Array(2).fill("failed began: segment cart segment/query"));
  expect(hook.posts[0]?.headers).toMatchObject({ authorization: "Bearer token-of-tests" });
  const bodies = JSON.stringify(hook.posts.map(({ body }) => body));
  expect(bodies).toContain("[redacted]");
  expect(bodies).not.toContain("token-of-tests");
  shop.edit("segments/cart.sql", '"token-of-tests"', "carts where false");
  await next(shop);
  expect(hook.posts.slice(2).map(({ body }) => inWords(body))).toEqual(["failed ended: segment cart segment/query"]);
});

it("messages in doubt are told of once for each run that left any, as held, until they are settled", async () => {
  const shop = await alerting(await Shop.sending(["ada", "bob"]));
  const inDoubt = (count: number): void => shop.sandbox.setFaults([{ cut: "after", count }]);
  const word = (alert: string): string => alert.replace(/run \S+/gu, "run ID");
  inDoubt(1);
  expect((await next(shop)).map(word)).toEqual(["held began: run ID delivery/in-doubt"]);
  expect(await next(shop)).toEqual([]);
  await shop.carts(["cyd", "dan"], 20);
  inDoubt(1);
  expect((await next(shop)).map(word)).toEqual(["held began: run ID delivery/in-doubt"]);
  const second = told(shop.root).at(-1)?.items[0];
  expect(second?.message).toBe(
    `Messages in doubt that run ${second?.name ?? ""} left: 1 on channel email. Not settled in all: 2. \`opportune doubts\` lists them, \`opportune doubts settle\` settles them.`,
  );
  const standing = (): Promise<StandingDoubts[]> => shop.warehouse((warehouse) => standingDoubts(new Ledger(warehouse, "opportune"), true, null));
  expect((await standing()).map(({ channel, messages }) => [channel, messages])).toEqual([
    ["email", 1],
    ["email", 1],
  ]);
  // Those of a trial are nobody else's.
  expect(await shop.warehouse((warehouse) => standingDoubts(new Ledger(warehouse, "opportune"), false, null))).toEqual([]);
  await shop.warehouse(async (warehouse) => {
    const ledger = await HeldLedger.take(new Ledger(warehouse, "opportune"));
    await settle(ledger, "sent", { ...EVERY, trial: true, messageIds: null });
    await ledger.release();
  });
  expect(await standing()).toEqual([]);
  expect((await next(shop)).map(word)).toEqual(["held ended: run ID delivery/in-doubt, run ID delivery/in-doubt"]);
  expect(await next(shop)).toEqual([]);
  expect(failures).toEqual([]);
});

it("a segment each of whose messages is invalid has failed until one is delivered", async () => {
  const shop = await alerting(await Shop.sending(["ada"]));
  shop.edit("segments/cart.sql", "name, total", "case when user_id = 'ada' then 'javascript:x' else 'https://shop.example.com/' end as link, name, total");
  shop.edit("templates/cart.hbs", "https://shop.example.com/?u={{user_id}}", "{{link}}");
  expect((await next(shop))[0]).toBe("failed began: segment cart delivery/segment-invalid");
  expect(await next(shop)).toEqual([]);
  await shop.carts(["bob"], 20);
  expect(await next(shop)).toEqual(["failed ended: segment cart delivery/segment-invalid"]);
});

it("a channel on which nothing was accepted has failed until it takes a message again", async () => {
  const shop = await alerting(await Shop.sending(["ada"]));
  shop.sandbox.setFaults([{ cut: "after", count: 1 }]);
  expect((await next(shop))[0]).toBe("failed began: channel email delivery/failures");
  expect(await next(shop)).toEqual([]);
  await shop.carts(["bob"], 20);
  expect(await next(shop)).toEqual(["failed ended: channel email delivery/failures"]);
});
