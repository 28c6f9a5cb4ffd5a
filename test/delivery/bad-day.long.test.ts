/** A bad day at the provider: whole runs against a sandbox that misbehaves, counted there and in the ledger, message by message. */
import { expect, it, onTestFinished } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { loadProject } from "../../src/project/build/load.js";
import { run } from "../../src/run/run.js";
import type { RunResult } from "../../src/run/types.js";
import { startSandbox, type Fault, type Sandbox } from "../../src/server/sandbox/sandbox.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { edit, temporaryFolder, write } from "../commands/support.js";
import { createDatabase } from "../support/postgres.js";
import { QUIET_RUN } from "../support/quiet-run.js";
import { rounds } from "../support/rounds.js";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const MINUTE = 60_000;
/** Longer than a channel that stopped is paused. */
const BETWEEN_RUNS = 20 * MINUTE;

/** Three requests in ten fail, some after the message was taken; a few are asked to wait, by each of SendGrid's headers. */
const MIX: readonly Fault[] = [
  { status: 429, resetInSeconds: 1, share: 0.001, count: 3, seed: 11 },
  { status: 429, retryAfterSeconds: 0.1, share: 0.003, seed: 12 },
  { status: 500, share: 0.2, seed: 13 },
  { hang: "before", share: 0.003, seed: 14 },
  { hang: "after", share: 0.003, seed: 15 },
  { cut: "after", share: 0.05, seed: 16 },
  { cut: "before", share: 0.05, seed: 17 },
];

const WAREHOUSES = ["duckdb", "postgres"] as const;
const MESSAGES = rounds(5_000, 20_000);

/** A shop whose every cart is half an hour old, and a sandbox that remembers what befell each request. */
class BadDay {
  /** Message id → what befell its requests, in order. */
  readonly befell = new Map<string, (Fault | null)[]>();
  sandbox!: Sandbox;
  warehouse!: Warehouse;
  readonly #root = temporaryFolder();

  /** `timeoutSeconds`: of the channel. Sandbox and run share this process, so that what is answered at once may take a while on a busy machine. */
  static async open(kind: (typeof WAREHOUSES)[number], users: number, timeoutSeconds: number): Promise<BadDay> {
    const day = new BadDay();
    await day.openSandbox();
    let target = "{type: duckdb, path: shop.duckdb, threads: 2}";
    if (kind === "postgres") {
      const { connection, drop } = await createDatabase();
      onTestFinished(drop);
      const { host, port, user, password, database } = connection;
      target = `{type: postgres, host: "${host}", port: ${String(port)}, user: "${String(user)}", password: "${String(password)}", database: ${String(database)}, ssl: false}`;
    }
    write(day.#root, {
      "opportune.yml": `name: shop
targets:
  dev: ${target}
channels:
  email: {provider: sendgrid, sandbox: true, api_key: SG.test-key, endpoint: "${day.sandbox.url}", from: "Shop <shop@example.com>", rate: 100000, timeout: ${String(timeoutSeconds)} seconds}
sources:
  carts: carts
policy:
  max_per_run: 100000
  surge: false
`,
      "segments/cart.sql":
        '/*---\nstatus: live\nfirst_run: send\nsteps:\n  - {name: nudge, after: 10 minutes, channel: email, template: cart}\n---*/\nselect user_id, email, occurred_at from {{source "carts"}}\n',
      "templates/cart.hbs": "---\nsubject: Your cart\nlayout: none\n---\n<p>Your cart waits.</p>\n",
    });
    const { target: opened } = loadProject(day.#root, { env: {} });
    const warehouse = await openWarehouse(opened.connection, { root: day.#root });
    onTestFinished(() => warehouse.close());
    day.warehouse = warehouse;
    await installLedger(new Ledger(warehouse, "opportune"));
    await warehouse.execute({
      sql: `create table carts as select 'u' || i as user_id, 'u' || i || '@example.com' as email, timestamp '2026-03-02 11:30:00' as occurred_at from generate_series(1, ${String(users)}) as t(i)`,
      params: [],
    });
    return day;
  }

  async openSandbox(): Promise<void> {
    const sandbox = await startSandbox({
      port: 0,
      keep: 50_000,
      onRequest: (body, fault) => {
        const id = messageId(JSON.parse(String(body)));
        const list = this.befell.get(id);
        if (list === undefined) this.befell.set(id, [fault]);
        else list.push(fault);
      },
    });
    onTestFinished(() => sandbox.close());
    this.sandbox = sandbox;
  }

  /** Changes the project for the runs to come. */
  edit(from: string, to: string): void {
    edit(this.#root, "opportune.yml", from, to);
  }

  /** One whole run that begins at `at` (ms); time passes in it. */
  run(at: number): Promise<RunResult> {
    const project = loadProject(this.#root, { env: {} });
    const begun = Date.now();
    return run(project, this.warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => at + Date.now() - begun });
  }

  /** Message ids as the sandbox took them, each as often as it did. */
  taken(): string[] {
    return this.sandbox.messages().map(({ body }) => messageId(body));
  }

  /** Messages whose last answer never came. */
  unanswered(): string[] {
    return [...this.befell].filter(([, faults]) => isLost(faults.at(-1) ?? null)).map(([id]) => id);
  }

  async ids(status: string): Promise<string[]> {
    const rows = await this.warehouse.query({ sql: "select message_id from opportune.messages where status = $1", params: [status] });
    return rows.map((row) => String(row["message_id"]));
  }

  /** Claims with an outcome that stands, and rows by event. */
  async sums(): Promise<Record<string, number>> {
    const rows = await this.warehouse.query({
      sql: `select 'settled' as event, cast(sum(settles) as bigint) as n from opportune.sent_ledger union all select event, count(*) from opportune.sent_ledger group by event`,
      params: [],
    });
    return Object.fromEntries(rows.map((row) => [String(row["event"]), Number(row["n"])]));
  }
}

function messageId(body: unknown): string {
  return (body as { personalizations: [{ custom_args: { message_id: string } }] }).personalizations[0].custom_args.message_id;
}

function isLost(fault: Fault | null): boolean {
  return fault?.hang !== undefined || fault?.cut !== undefined;
}

/** Every message is accepted once or in doubt where its answer was lost, by the sandbox's list and by the ledger's. */
async function expectAccounted(day: BadDay, users: number): Promise<{ accepted: number; inDoubt: number; takenUnanswered: number }> {
  const taken = day.taken();
  const lost = new Set(day.unanswered());
  expect(new Set(taken).size).toBe(taken.length);
  const [accepted, inDoubt] = [await day.ids("accepted"), await day.ids("in_doubt")];
  expect(accepted.length + inDoubt.length).toBe(users);
  expect(new Set(inDoubt)).toEqual(lost);
  expect(new Set(accepted)).toEqual(new Set(taken.filter((id) => !lost.has(id))));
  // Nothing that was in doubt was ever posted again.
  for (const faults of day.befell.values()) expect(faults.slice(0, -1).some(isLost)).toBe(false);
  const sums = await day.sums();
  const takenUnanswered = taken.filter((id) => lost.has(id)).length;
  expect(sums["settled"]).toBe(users);
  expect([sums["accepted"] ?? 0, sums["in_doubt"] ?? 0]).toEqual([accepted.length, inDoubt.length]);
  expect(accepted.length + takenUnanswered).toBe(day.sandbox.stats().accepted);
  return { accepted: accepted.length, inDoubt: inDoubt.length, takenUnanswered };
}

it.each(WAREHOUSES)(`${String(MESSAGES)} messages through every fault on %s: each accepted once, or in doubt where the answer was lost`, async (kind) => {
  const users = MESSAGES;
  const day = await BadDay.open(kind, users, 10);
  day.sandbox.setFaults(MIX);
  const begun = Date.now();
  const results: RunResult[] = [];
  for (;;) {
    const result = await day.run(T0 + results.length * BETWEEN_RUNS);
    if (result.delivery?.claims === 0) break;
    results.push(result);
    expect(results.length).toBeLessThan(20);
  }
  const ms = Date.now() - begun;
  const { accepted, inDoubt, takenUnanswered } = await expectAccounted(day, users);
  expect(inDoubt).toBeGreaterThan(users * 0.08);
  // Chance is no outage: ten failures in a row, and one more after a rest, come once in some hundred days as bad as this.
  expect(results.flatMap(({ delivery }) => [...(delivery?.stoppedChannels.values() ?? [])]).length).toBeLessThan(2);
  const { requests, refused } = day.sandbox.stats();
  const released = results.map(({ delivery }) => delivery?.counts.released.provider_unavailable ?? 0);
  console.info(
    `${kind}: ${String(users)} messages in ${(ms / 1000).toFixed(1)} s and ${String(results.length)} runs (released ${released.join(", ")}): ${String(requests)} requests, ` +
      `answers ${JSON.stringify(refused)}, ${String(accepted)} accepted, ${String(inDoubt)} in doubt, ${String(takenUnanswered)} of them taken`,
  );
  expect(refused["500"]).toBeGreaterThan(users * 0.15);
  expect(refused["429"]).toBeGreaterThan(users * 0.0015);
});

it.each<["hangs" | "refuses connections" | "answers 500", number]>([
  ["hangs", 6],
  ["refuses connections", 0],
  ["answers 500", 0],
])("a provider that %s for everyone stops the channel, with at most a handful in doubt; back again, it gets the rest", async (what, doubts) => {
  const users = 300;
  const day = await BadDay.open("duckdb", users, what === "hangs" ? 2 : 30);
  if (what === "hangs") day.sandbox.setFaults([{ hang: "before" }]);
  if (what === "answers 500") day.sandbox.setFaults([{ status: 500 }]);
  if (what === "refuses connections") await day.sandbox.close();

  const begun = Date.now();
  const outage = await day.run(T0);
  const ms = Date.now() - begun;
  expect(outage.delivery).toMatchObject({ ok: false, counts: { accepted: 0, inDoubt: doubts, released: { provider_unavailable: users - doubts } } });
  const stopped = outage.delivery?.stoppedChannels.get("email");
  expect(stopped).toMatchObject({ kind: "unavailable", accepted: 0, inDoubt: doubts, released: users - doubts });
  expect(outage.problems).toMatchObject([{ code: "delivery/provider-unavailable", message: expect.stringContaining(stopped?.reason ?? "-") as string }]);
  console.info(
    `provider ${what}: ${String(doubts)} of ${String(users)} in doubt, ${String(outage.delivery?.posts)} requests, ${String(ms)} ms; ${outage.problems[0]?.message ?? ""}`,
  );
  expect(outage.delivery?.posts).toBeLessThan(20);

  if (what === "hangs") day.edit("timeout: 2 seconds", "timeout: 30 seconds");
  if (what === "refuses connections") {
    const gone = day.sandbox.url;
    await day.openSandbox();
    day.edit(gone, day.sandbox.url);
  }
  day.sandbox.setFaults([]);
  const back = await day.run(T0 + (stopped?.pauseMs ?? 0) + MINUTE);
  expect(back).toMatchObject({ problems: [], delivery: { ok: true, counts: { accepted: users - doubts } } });
  expect(await expectAccounted(day, users)).toEqual({ accepted: users - doubts, inDoubt: doubts, takenUnanswered: 0 });
});
