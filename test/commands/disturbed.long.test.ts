/** Processes that are disturbed amid a delivery: readers, disks and terminals that go away, signals, errors that nobody caught. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CountingProvider } from "../chaos/support/provider.js";
import { openGround, type Ground, type Shop } from "../chaos/support/shop.js";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const USERS = 60;
/** The request at which it happens. */
const AMID = 20;

let provider: CountingProvider;
let ground: Ground;
beforeAll(async () => {
  provider = await CountingProvider.start();
  ground = await openGround("duckdb");
});
afterAll(async () => {
  await ground.close();
  await provider.close();
});

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** A command of the shop's; `output`: the file that takes stdout and stderr, null for pipes. `atRequest`: at the AMID-th request, held until then. */
async function disturbed(
  args: readonly string[],
  { output = null, env = {}, atRequest }: { output?: string | null; env?: NodeJS.ProcessEnv; atRequest?: (child: ChildProcess, shop: Shop) => void } = {},
): Promise<{ shop: Shop; ended: Ended; child: ChildProcess }> {
  provider.reset();
  const shop = await ground.open({ endpoint: provider.url, users: USERS });
  const to = output === null ? "pipe" : openSync(output, "w");
  const child = spawn(process.execPath, [CLI, ...args], { cwd: shop.root, env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", to, to] });
  if (typeof to === "number") closeSync(to);
  let stderr = "";
  child.stdout?.resume();
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  provider.hooks.arrived = (nth) => {
    if (nth === AMID) atRequest?.(child, shop);
  };
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => child.once("exit", (...how) => resolve(how)));
  provider.hooks = {};
  await provider.idle();
  return { shop, child, ended: { code, signal, stderr } };
}

/** How many of the shop's messages ended how, once nothing is under way: none may be in doubt. */
async function outcomes(shop: Shop): Promise<Record<string, number>> {
  const rows = await shop.query(
    "select event, count(*) as n from opportune.sent_ledger where event in ('accepted', 'failed', 'in_doubt', 'released') group by event",
  );
  const left = await shop.query("select run_id from opportune.runs where status = 'running'");
  expect(left).toEqual([]);
  return Object.fromEntries(rows.map(({ event, n }) => [String(event), Number(n)]));
}

/** After a stop: whatever left has its answer, the rest is free, and the next run sends it: each user heard once. */
async function allOnce(shop: Shop): Promise<void> {
  const { accepted = 0, released = 0, ...others } = await outcomes(shop);
  expect(others).toEqual({});
  expect({ accepted, all: accepted + released }).toEqual({ accepted: provider.received.length, all: USERS });
  expect(await shop.runUntilQuiet()).toEqual([]);
  const heard = provider.received.filter(({ segment }) => segment === "cart").map(({ address }) => address);
  expect(heard.length).toBe(USERS);
  expect(new Set(heard).size).toBe(USERS);
}

const throwing = (how: string): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`process.on("SIGUSR2",()=>{${how}})`)}`,
});

describe("output that can't be written is dropped, and the run goes on", () => {
  it("readers of stdout and stderr that go away", async () => {
    const { shop, ended } = await disturbed(["run"], {
      atRequest: (child) => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      },
    });
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(await outcomes(shop)).toEqual({ accepted: USERS });
  });

  it("a reader of stderr that goes away before a line must be told", async () => {
    const { shop, ended } = await disturbed(["run"], {
      atRequest: (child) => {
        child.stderr?.destroy();
        child.kill("SIGTERM");
      },
    });
    expect([0, 1]).toContain(ended.code);
    await allOnce(shop);
  });

  it.each([["run"], ["run", "--output", "json"], ["run", "--debug"]])("a full disk under stdout and stderr: %s %s %s", async (...args) => {
    const { shop, ended } = await disturbed(args, { output: "/dev/full" });
    expect(ended).toMatchObject({ code: 1, signal: null });
    expect(await outcomes(shop)).toEqual({ accepted: USERS });
  });

  it.each([["json"], ["text"]])("a full disk under the log of start: %s", async (format) => {
    let child: ChildProcess | null = null;
    provider.hooks = {};
    const { shop, ended } = await disturbed(["start", "--port", "0", "--log-format", format], {
      output: "/dev/full",
      atRequest: (running) => {
        child = running;
        child.kill("SIGTERM");
      },
    });
    // As text, what a run did goes to stdout.
    expect(ended).toMatchObject({ code: format === "text" ? 1 : 0, signal: null });
    await allOnce(shop);
  });

  it.each([["ls"], ["ls", "--output", "json"], ["lint"], ["--help"], ["demo"]])("data that is lost is exit code 1: %s %s", async (...args) => {
    const { ended } = await disturbed(args, { output: "/dev/full" });
    expect(ended).toMatchObject({ code: 1, signal: null });
  });

  it("an unknown command still ends with 2", async () => {
    expect((await disturbed(["nothing"], { output: "/dev/full" })).ended).toMatchObject({ code: 2, signal: null });
  });
});

describe("files below target/ that can't be written", () => {
  it("run_results.json, found out when everything is sent", async () => {
    const { shop, ended } = await disturbed(["run"], {
      atRequest: (_child, { root }) => mkdirSync(join(root, "target/opportune/run_results.json")),
    });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("target/opportune can't be written (EISDIR): the run goes on without it.");
    expect(await outcomes(shop)).toEqual({ accepted: USERS });
  });

  it("the whole folder, from the beginning", async () => {
    provider.reset();
    const shop = await ground.open({ endpoint: provider.url, users: 3 });
    writeFileSync(join(shop.root, "target"), "");
    const child = spawn(process.execPath, [CLI, "run"], { cwd: shop.root, env: { PATH: process.env["PATH"] }, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(stderr.match(/can't be written/g)).toHaveLength(1);
    expect(await outcomes(shop)).toEqual({ accepted: 3 });
  });
});

describe("what ends a run early", () => {
  it.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)("%s: what is under way is finished, the rest is released", async (signal) => {
    const { shop, ended } = await disturbed(["run"], { atRequest: (child) => child.kill(signal) });
    expect(ended.signal).toBeNull();
    expect(ended.stderr).toContain("Stopping: what is under way is finished, the rest is released.");
    await allOnce(shop);
  });

  it("a second SIGHUP is as one: shell and kernel may both send it", async () => {
    const { shop, ended } = await disturbed(["run"], {
      atRequest: (child) => {
        child.kill("SIGHUP");
        setImmediate(() => child.kill("SIGHUP"));
      },
    });
    expect(ended).toMatchObject({ signal: null });
    expect(ended.stderr).not.toContain("Ended at once");
    await allOnce(shop);
  });

  it("SIGPIPE is nothing", async () => {
    const { shop, ended } = await disturbed(["run"], { atRequest: (child) => child.kill("SIGPIPE") });
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(await outcomes(shop)).toEqual({ accepted: USERS });
  });

  it.each([
    ["thrown", 'throw new Error("out of nowhere")'],
    ["rejected", 'void Promise.reject(new Error("out of nowhere"))'],
  ])("an error that is %s and that nobody catches: in good order, exit 2", async (_, how) => {
    const { shop, ended } = await disturbed(["run"], { env: throwing(how), atRequest: (child) => child.kill("SIGUSR2") });
    expect(ended).toMatchObject({ code: 2, signal: null });
    expect(ended.stderr).toContain("out of nowhere");
    await allOnce(shop);
  });
});
