/**
 * Deliveries of 20,000 messages to a provider 80 ms away, 256 in flight, killed (SIGKILL) at random moments that a seed draws: nobody
 * hears twice, nobody is lost, and little is in doubt. The provider counts; the table says how much each kill left.
 */
import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CountingProvider } from "../chaos/support/provider.js";
import { openGround, type Ground, type Kind, type Shop } from "../chaos/support/shop.js";
import { createRandom } from "../support/random.js";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const SEED = 20_261_128;
const USERS = Number(process.env["SOAK_USERS"] ?? 20_000);
const STORIES = Number(process.env["SOAK_STORIES"] ?? 8);
/** Runs killed in a row, each going on with what the last one left: 40 kills on each warehouse. */
const KILLS = 5;
const LATENCY_MS = 80;
const IN_FLIGHT = 256;
/** Latest moment of a kill after the run's first request, ms: five of them stay within a delivery. */
const LATEST_MS = Math.round(USERS * 0.11);
/** A kill so soon leaves a few. */
const EARLY_MS = 250;

/** The shop with one segment and the lane of the promise. */
async function openShop(ground: Ground, endpoint: string): Promise<Shop> {
  const shop = await ground.open({ endpoint, users: USERS });
  rmSync(join(shop.root, "segments/news.sql"));
  const file = join(shop.root, "opportune.yml");
  writeFileSync(file, readFileSync(file, "utf8").replace("in_flight: 4", `in_flight: ${String(IN_FLIGHT)}`));
  return shop;
}

const LEFT = `select count(*) as n from (
  select message_id, run_id from LEDGER.sent_ledger where event in ('sending', 'accepted', 'failed', 'in_doubt', 'released')
  group by message_id, run_id having max(case when event <> 'sending' then 1 else 0 end) = 0) left_over`;

interface Kill {
  warehouse: Kind;
  afterMs: number;
  /** Messages that the provider had taken from this run. */
  taken: number;
  /** Marked, without an outcome: what the next run calls in doubt. */
  inDoubt: number;
}

const kills: Kill[] = [];

describe.each(["duckdb", "postgres"] as const)("killed amid delivery on %s", (kind) => {
  let provider: CountingProvider;
  let ground: Ground;
  beforeAll(async () => {
    provider = await CountingProvider.start();
    ground = await openGround(kind);
  });
  afterAll(async () => {
    await ground.close();
    await provider.close();
  });

  /** One run of the command line, to its end, or killed so long after its first request. Gives whether it was killed. */
  async function run(shop: Shop, killAfterMs: number | null): Promise<boolean> {
    const child = spawn(process.execPath, [CLI, "run", "--quiet"], {
      cwd: shop.root,
      env: { PATH: process.env["PATH"] },
      stdio: ["ignore", "ignore", "inherit"],
    });
    let begun = false;
    provider.hooks = {
      taken: async () => {
        if (!begun && killAfterMs !== null) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
        begun = true;
        await sleep(LATENCY_MS);
      },
    };
    const signal = await new Promise((resolve) => child.once("exit", (_code, by) => resolve(by)));
    await provider.idle();
    await shop.leaseRunsOut();
    return signal === "SIGKILL";
  }

  it.each(Array.from({ length: STORIES }, (_, i) => i + 1))(`story %i: ${String(KILLS)} kills, then the rest`, async (story) => {
    const random = createRandom(SEED + story);
    provider.reset();
    const shop = await openShop(ground, provider.url);
    const ask = async (sql: string): Promise<Record<string, unknown>[]> => shop.query(sql.replaceAll("LEDGER", shop.schema));
    for (let i = 0; i < KILLS; i += 1) {
      const before = provider.received.length;
      const afterMs = i === 0 ? random.whole(0, Math.min(1_000, LATEST_MS)) : random.whole(0, LATEST_MS);
      const killed = await run(shop, afterMs);
      expect(killed).toBe(true);
      kills.push({ warehouse: kind, afterMs, taken: provider.received.length - before, inDoubt: Number((await ask(LEFT))[0]?.["n"]) });
    }
    expect(await run(shop, null)).toBe(false);

    const taken = provider.received.map(({ address }) => address.split("@")[0] ?? "");
    const standing = await ask("select user_id, status from LEDGER.messages where status <> 'released'");
    const of = (status: string): Set<string> => new Set(standing.filter((row) => row["status"] === status).map((row) => String(row["user_id"])));
    const [accepted, inDoubt, reached] = [of("accepted"), of("in_doubt"), new Set(taken)];
    expect({ twice: taken.length - reached.size, lost: shop.users.filter((user) => !reached.has(user) && !inDoubt.has(user)) }).toEqual({ twice: 0, lost: [] });
    expect([...accepted].filter((user) => !reached.has(user))).toEqual([]);
    expect([...reached].filter((user) => !accepted.has(user) && !inDoubt.has(user))).toEqual([]);
    expect(standing.length).toBe(USERS);
    expect(inDoubt.size).toBe(kills.slice(-KILLS).reduce((sum, kill) => sum + kill.inDoubt, 0));
  });

  it("little is in doubt", () => {
    const mine = kills.filter(({ warehouse }) => warehouse === kind);
    expect(Math.max(...mine.map(({ inDoubt }) => inDoubt))).toBeLessThanOrEqual(600);
    for (const { afterMs, inDoubt } of mine) if (afterMs <= EARLY_MS) expect({ afterMs, inDoubt }).toSatisfy(() => inDoubt <= 64);
  });
});

afterAll(() => {
  const table = new Table({ head: ["warehouse", "killed after, ms", "taken", "in doubt"], style: { head: [], border: [], compact: true } });
  for (const { warehouse, afterMs, taken, inDoubt } of [...kills].sort((a, b) => a.warehouse.localeCompare(b.warehouse) || a.afterMs - b.afterMs))
    table.push([warehouse, afterMs, taken, inDoubt]);
  process.stdout.write(`${table.toString()}\n`);
});
