/** `opportune start` as a real process: a DuckDB file, a sandbox, and signals. */
import { readdirSync, renameSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox, type SandboxOptions } from "../../src/server/sandbox/sandbox.js";
import { edit, opportune, query, read, shop, sql, start, write, type Outcome, type Running } from "../commands/support.js";
import { KEEP, inWords, told } from "../alerts/support.js";

const USERS = 300;

/** The shop with `users` carts, and its mail at a sandbox. */
async function sending(users: number, interval: string, options: Partial<SandboxOptions> = {}): Promise<{ root: string; sandbox: Sandbox }> {
  const sandbox = await startSandbox({ port: 0, ...options });
  onTestFinished(() => sandbox.close());
  const root = await shop();
  edit(root, "opportune.yml", "{provider: outbox,", `{provider: sendgrid, sandbox: true, in_flight: 4, endpoint: "${sandbox.url}", api_key: "\${KEY}",`);
  edit(root, "opportune.yml", "links: {}", `interval: ${interval}`);
  edit(root, "opportune.yml", "max_per_run: 100", "max_per_run: 10000\n  surge: false");
  edit(root, "opportune.yml", "wait_for_lock: 1 second", "wait_for_lock: 10 seconds");
  write(root, { "segments/cart_waiting.sql": read(root, "segments/cart_waiting.sql").replace("status: live", "status: draft") });
  await carts(root, users);
  return { root, sandbox };
}

async function carts(root: string, users: number, prefix = "v"): Promise<void> {
  await sql(
    join(root, "shop.duckdb"),
    "delete from carts",
    `insert into carts select '${prefix}' || i, '${prefix}' || i || '@example.com', cast(now() at time zone 'UTC' as timestamp) - interval 1 hour, 10, 'UTC' from range(${String(users)}) t(i)`,
  );
}

const KEY = "SG.key-of-a-start-test.0123456789";

interface Started extends Running {
  url: string;
}

async function starting(root: string, ...args: string[]): Promise<Started> {
  const running = start(root, ["start", "--port", "0", "--log-format", "json", ...args], { KEY });
  onTestFinished(() => void running.child.kill("SIGKILL"));
  const [, url = ""] = await running.seen(/"url":"(http:[^"]+)"/);
  return { ...running, url };
}

/** All samples of /metrics: `name{labels}` → value. */
async function metrics(url: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name = "", value = ""] = /^([a-z][a-z0-9_]*(?:\{(?:[a-zA-Z_]+="[^"]*",?)+\})?) (\S+)$/.exec(line) ?? [];
      expect(name, line).not.toBe("");
      return [name, Number(value)];
    }),
  );
}

const sent = (sandbox: Sandbox): string[] =>
  sandbox.messages().map(({ body }) => (body as { personalizations: { to: { email: string }[] }[] }).personalizations[0]?.to[0]?.email ?? "");

const outcomes = (root: string): Promise<Record<string, unknown>[]> =>
  query(
    root,
    "select event, count(*)::int as n from opportune.sent_ledger where event in ('accepted', 'released', 'in_doubt', 'failed') group by event order by event",
  );

const lines = ({ stderr }: Outcome): Record<string, unknown>[] =>
  stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("opportune start", { timeout: 120_000 }, () => {
  it("touches the warehouse not at all at a tick at which no segment is due: its file may be away meanwhile", async () => {
    const { root } = await sending(3, "1 second");
    for (const file of readdirSync(join(root, "segments")).filter((name) => name.endsWith(".sql")))
      write(root, { [`segments/${file}`]: read(root, `segments/${file}`).replace("/*---", "/*---\nevery: 1 hour") });
    const running = await starting(root, "--log-level", "debug");
    await running.seen(/"event":"nothing_due"/);
    renameSync(join(root, "shop.duckdb"), join(root, "away.duckdb"));
    const so = (await running.seen(/"event":"nothing_due"/)).input.length;
    await running.seen(new RegExp(`^[\\s\\S]{${String(so)},}(?:"event":"nothing_due"[\\s\\S]*){3}`));
    renameSync(join(root, "away.duckdb"), join(root, "shop.duckdb"));
    running.child.kill("SIGTERM");
    const told = lines(await running.done);
    expect(told.filter(({ event }) => event === "run_started")).toHaveLength(1);
    expect(told.filter(({ level }) => level === "error" || level === "warn").map(({ event }) => event)).toEqual(["signal"]);
  });

  it("on SIGTERM in the midst of a batch: finishes, releases the rest, exits 0; nothing lost, nothing twice", async () => {
    let busy = (): void => undefined;
    const underWay = new Promise<void>((resolve) => (busy = resolve));
    const { root, sandbox } = await sending(USERS, "5 minutes", { onRequest: () => sandbox.stats().requests >= 40 && busy() });
    sandbox.setFaults([{ delayMs: 50 }]);
    const running = await starting(root, "--grace", "10 seconds");
    await underWay;
    expect((await metrics(running.url)).get("opportune_run_in_progress")).toBe(1);
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
    running.child.kill("SIGTERM");
    const outcome = await running.done;
    expect(outcome.code, outcome.stderr).toBe(0);
    // A tick may fall into the run: every five minutes on the clock is one.
    const events = lines(outcome).flatMap(({ event }) => (event === "merged" ? [] : [event]));
    expect(events).toEqual(["started", "run_started", "signal", "run_ended", "stopped"]);
    expect(outcome.stderr + outcome.stdout).not.toMatch(/@example\.com|SG\.key/);

    const first = sent(sandbox);
    expect(first.length).toBeGreaterThan(30);
    expect(first.length).toBeLessThan(USERS);
    expect(await outcomes(root)).toEqual([
      { event: "accepted", n: first.length },
      { event: "released", n: USERS - first.length },
    ]);
    sandbox.setFaults([]);
    expect((await opportune(root, ["run", "--quiet"], { KEY })).code).toBe(0);
    const all = sent(sandbox);
    expect(all).toHaveLength(USERS);
    expect(new Set(all).size).toBe(USERS);
  });

  it("gives up answers that don't come within the grace period: those are in doubt, and known", async () => {
    let busy = (): void => undefined;
    const underWay = new Promise<void>((resolve) => (busy = resolve));
    const { root, sandbox } = await sending(20, "5 minutes", { onRequest: () => sandbox.stats().requests >= 4 && busy() });
    sandbox.setFaults([{ hang: "after" }]);
    const running = await starting(root, "--grace", "20 seconds");
    await underWay;
    const asked = performance.now();
    running.child.kill("SIGTERM");
    const outcome = await running.done;
    // It waited, and was through before the period was over: else it is 1.
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(performance.now() - asked).toBeGreaterThan(15_000);
    expect(await outcomes(root)).toEqual([
      { event: "in_doubt", n: 4 },
      { event: "released", n: 16 },
    ]);
    expect(sent(sandbox)).toHaveLength(4);
    expect(await query(root, "select holder from opportune.leases where name = 'run'")).toEqual([{ holder: null }]);
  });

  it("ends at once on a second signal", async () => {
    let busy = (): void => undefined;
    const underWay = new Promise<void>((resolve) => (busy = resolve));
    const { root, sandbox } = await sending(20, "5 minutes", { onRequest: () => busy() });
    sandbox.setFaults([{ hang: "after" }]);
    const running = await starting(root);
    await underWay;
    running.child.kill("SIGTERM");
    await running.seen(/"event":"signal"/);
    running.child.kill("SIGTERM");
    expect((await running.done).code).toBe(1);
  });

  it("ticks, leaves the file to others in between, reads the project anew, and counts what it does", async () => {
    const { root, sandbox } = await sending(3, "2 seconds");
    edit(root, "opportune.yml", "wait_for_lock: 10 seconds", `wait_for_lock: 10 seconds, on_alert: {command: ${JSON.stringify(KEEP)}}`);
    write(root, {
      "segments/daily.sql":
        "/*---\nstatus: live\nfirst_run: send\nevery: 1 day\nsteps: [{name: hint, channel: email, template: cart}]\n---*/\nselect user_id, email, updated_at as occurred_at, total from carts where false\n",
    });
    const started = Date.now();
    const running = await starting(root);
    await running.seen(/"event":"run_ended"/);
    // Waits for a moment between two runs, as an analyst would.
    await carts(root, 2, "w");
    await running.seen(/(?:"event":"run_ended"[^]*"accepted":[1-9][^]*){2}/);
    const first = await metrics(running.url);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    edit(root, "opportune.yml", "interval: 2 seconds", "intervall: 2 seconds");
    await running.seen(/"event":"project_invalid"/);
    const notReady = await fetch(`${running.url}/readyz`);
    expect([notReady.status, await notReady.json()]).toMatchObject([503, { ready: false, because: [{ code: "config/unknown-key", file: "opportune.yml" }] }]);
    edit(root, "opportune.yml", "intervall: 2 seconds", "interval: 2 seconds");
    await running.seen(/"event":"project_invalid"[^]*"event":"run_ended"/);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${running.url}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
    expect((await fetch(`${running.url}/`, { method: "HEAD" })).status).toBe(404);
    running.child.kill("SIGINT");
    const outcome = await running.done;
    expect(outcome.code).toBe(0);

    expect(new Set(sent(sandbox)).size).toBe(5);
    expect(sent(sandbox)).toHaveLength(5);
    const runs = Number(first.get('opportune_runs_total{status="success"}'));
    expect(runs).toBeGreaterThanOrEqual(2);
    expect(first.get('opportune_sends_total{channel="email",outcome="accepted"}')).toBe(5);
    expect(first.get('opportune_decisions_total{segment="cart_abandoned",reason="claimed"}')).toBe(5);
    expect(first.get("opportune_trigger_lag_seconds_count")).toBe(5);
    // They fell due fifty minutes ago.
    expect(first.get('opportune_trigger_lag_seconds_bucket{le="1800"}')).toBe(0);
    expect(first.get('opportune_trigger_lag_seconds_bucket{le="3600"}')).toBe(5);
    expect(first.get("opportune_provider_latency_seconds_count")).toBe(5);
    expect(first.get('opportune_statement_seconds_count{statement="arbitration"}')).toBe(runs);
    expect(first.get('opportune_statement_seconds_count{statement="segment"}')).toBe(runs + 1);
    const succeeded = Number(first.get("opportune_last_success_timestamp_seconds"));
    expect(succeeded).toBeGreaterThanOrEqual(Math.floor(started / 1000));
    expect(succeeded).toBeLessThanOrEqual(Date.now() / 1000);
    expect(first.get("opportune_ready")).toBe(1);
    expect(await query(root, "select count(*)::int as n from opportune.segment_runs where segment = 'daily'")).toEqual([{ n: 1 }]);
    expect(await query(root, "select count(*)::int as n from opportune.runs where lag_p50_ms between 3000000 and 3600000")).toEqual([{ n: 2 }]);
    expect(told(root).map(inWords)).toEqual(["failed began: project config/unknown-key", "failed ended: project config/unknown-key"]);
    const starts = lines(outcome).filter(({ event }) => event === "run_started");
    expect(starts[0]).toMatchObject({ segments: ["cart_abandoned", "daily"] });
    expect(starts[1]).toMatchObject({ segments: ["cart_abandoned"] });
  });

  it("goes on while the warehouse is not there", async () => {
    const { root } = await sending(1, "1 second");
    edit(root, "opportune.yml", "path: shop.duckdb", "path: elsewhere.duckdb");
    const running = await starting(root);
    await running.seen(/(?:"event":"run_failed"[^]*){2}/);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
    edit(root, "opportune.yml", "path: elsewhere.duckdb", "path: shop.duckdb");
    await running.seen(/"event":"run_ended"/);
    running.child.kill("SIGTERM");
    expect((await running.done).code).toBe(0);
  });

  it("tells people at a terminal what run tells them", async () => {
    const { root } = await sending(1, "1 second");
    const running = start(root, ["start", "--port", "0", "--log-format", "text"], { KEY });
    onTestFinished(() => void running.child.kill("SIGKILL"));
    await running.seen(/Done\. OK=1 ERROR=0[^]*Done\. OK=1/);
    running.child.kill("SIGTERM");
    const { code, stderr } = await running.done;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^shop on dev: a tick every 1 second\. http:\S+\/healthz/);
    expect(stderr).toMatch(/A run of cart_abandoned\.\n1 of 1 START audience ordered/);
  });

  it("refuses at the start what can't go well", async () => {
    const { root } = await sending(1, "5 minutes");
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const port = String((taken.address() as AddressInfo).port);
    expect(await opportune(root, ["start", "--port", port], { KEY })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Can't listen on 127.0.0.1:${port}`) as string,
    });
    expect((await opportune(root, ["start", "--grace", "25"], { KEY })).stderr).toContain(`--grace can't be "25".`);
    edit(root, "opportune.yml", "interval:", "intervall:");
    expect(await opportune(root, ["start", "--port", "0"], { KEY })).toMatchObject({ code: 2 });
  });
});

it("run --due asks those whose every has passed", { timeout: 60_000 }, async () => {
  const { root } = await sending(2, "5 minutes");
  edit(root, "segments/cart_abandoned.sql", "status: live", "status: live\nevery: 1 day");
  write(root, { "segments/often.sql": read(root, "segments/cart_waiting.sql").replace("status: draft", "status: draft\nevery: 1 hour") });
  const json = async (...args: string[]): Promise<unknown> => JSON.parse((await opportune(root, ["run", "--output", "json", ...args], { KEY })).stdout);
  expect(await json("--due")).toMatchObject({ segments: [{ segment: "cart_abandoned" }], delivery: { accepted: 2 } });
  expect(await json("--due")).toEqual({ schema_version: 1, status: "success", run_id: null, segments: [] });
  const none = await opportune(root, ["run", "--due"], { KEY });
  expect(none).toMatchObject({
    code: 0,
    stdout: "No segment is due: nothing was run.\n",
    stderr: expect.stringMatching(/^Not due yet: cart_abandoned \(from \d{4}-/) as string,
  });
  edit(root, "segments/often.sql", "status: draft", "status: live");
  const some = await opportune(root, ["run", "--due"], { KEY });
  expect(some.stderr).toContain("Not selected, so they do not compete in this run: cart_abandoned.");
  expect(some.stdout).toContain("OK=1 ERROR=0 TOTAL=1");
  expect(await json("--due", "--backfill", "cart_abandoned")).toMatchObject({ segments: [{ segment: "cart_abandoned" }] });
  expect(await query(root, "select count(*)::int as n from opportune.runs")).toEqual([{ n: 3 }]);
});
