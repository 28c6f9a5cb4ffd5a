/**
 * The speed figures: 1 M users, 10 M ledger rows, 100,000 candidates over 20 segments, half of them settled already.
 * `npm run bench [-- --output json] [--scale 0.1] [--runs 3]`; each figure stands beside a limit measured in the same run.
 */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { messageOf } from "../src/claims.js";
import { toSendGrid } from "../src/delivery/sendgrid-mail.js";
import { loadProject } from "../src/project/load.js";
import { loadRenderer } from "../src/render/renderer.js";
import type { RunDocument } from "../src/report/artefacts.js";
import { openWarehouse } from "../src/warehouse/open.js";
import { BENCH_AS_OF, fillBenchWarehouse, writeBenchProject } from "./warehouse.js";

interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What bounds the figure, measured in the same run. */
  limit: number | null;
  /** How near the figure comes to its limit: 1 is at it. */
  ratio: number | null;
  runs: number[];
}

const { values: args } = parseArgs({
  options: { output: { type: "string", default: "text" }, scale: { type: "string", default: "1" }, runs: { type: "string", default: "3" } },
});
const scale = Number(args.scale);
const runs = Number(args.runs);
const size = { users: Math.round(1_000_000 * scale), ledgerRows: Math.round(10_000_000 * scale), candidates: Math.round(100_000 * scale), segments: 20 };
const IN_FLIGHT = 256;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function figure(name: string, unit: string, list: readonly number[], limits: readonly number[], better: "less" | "more"): Figure {
  const value = median(list);
  const limit = limits.length === 0 ? null : median(limits);
  return { name, value, unit, limit, ratio: limit === null ? null : better === "more" ? value / limit : limit / value, runs: [...list] };
}

async function startSink(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL("sink.ts", import.meta.url), { execArgv: ["--import", "tsx"] });
  const port = await new Promise<number>((resolve) =>
    child.once("message", (message) => {
      resolve(Number(message));
    }),
  );
  return { child, port };
}

/** One run of the built command line, as it is shipped, in its own copy of the warehouse. */
async function runOnce(root: string): Promise<{ document: RunDocument; peakMb: number; queriesMs: number }> {
  copyFileSync(join(root, "full.duckdb"), join(root, "bench.duckdb"));
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("../dist/cli.js", import.meta.url)), "run", "--as-of", BENCH_AS_OF, "--output", "json", "--quiet"],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  );
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  let peakMb = 0;
  const watch = setInterval(() => (peakMb = Math.max(peakMb, peakResidentMb(child.pid))), 20);
  const code = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`the run ended with ${String(code)}: ${stdout}`);
  return { document: JSON.parse(stdout) as RunDocument, peakMb, queriesMs: await queriesAlone(root) };
}

/** The limit of staging: what the segments' own queries take, ms. */
async function queriesAlone(root: string): Promise<number> {
  const project = loadProject(root);
  const warehouse = await openWarehouse(project.target.connection, { root });
  const started = performance.now();
  for (const segment of project.segments.values()) {
    const query = segment.sql.replaceAll(/\{\{ago "(\d+) days"\}\}/g, "(timestamp '2026-06-01 12:00:00' - interval $1 day)");
    await warehouse.query({ sql: `select count(*) as n, count(email) as e, count(first_name) as f, count(city) as c from (${query}) q`, params: [] });
  }
  const ms = performance.now() - started;
  await warehouse.close();
  return ms;
}

/** The most memory a process has held so far, MB, as Linux counts it; 0 elsewhere. */
function peakResidentMb(pid: number | undefined): number {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1];
    return Math.round(Number(kilobytes ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** Posts the same bytes with undici alone, as many at once: messages/s. */
async function bareUndici(root: string, port: number, count: number): Promise<number> {
  const project = loadProject(root);
  const renderer = loadRenderer(project);
  const bodies = sampleBodies();
  const pool = new Pool(`http://127.0.0.1:${String(port)}`, { connections: IN_FLIGHT, pipelining: 1 });
  const post = async (i: number): Promise<void> => {
    const answer = await pool.request({
      path: "/v3/mail/send",
      method: "POST",
      headers: { authorization: "Bearer SG.bench", "content-type": "application/json" },
      body: bodies[i % bodies.length] ?? "",
    });
    await answer.body.dump();
  };
  const started = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (next < count) await post(next++);
    }),
  );
  const rate = count / ((performance.now() - started) / 1000);
  await pool.close();
  return rate;

  function sampleBodies(): string[] {
    const segment = project.segments.values().next().value;
    if (segment === undefined) throw new Error("no segment");
    return Array.from({ length: 100 }, (_, i) => {
      const claim = {
        messageId: `message-${String(i)}`,
        segment: segment.id,
        channel: "email",
        sendBy: 0,
        dueAt: 0,
        step: "first",
        variant: "",
        userId: `user-${String(i)}`,
        key: "",
        class: "marketing" as const,
        topic: "bench",
        template: "offer",
        occurredAt: BENCH_AS_OF,
        address: `user${String(i)}@example.com`,
        timezone: "UTC",
        locale: null,
        properties: JSON.stringify({ first_name: `Name${String(i)}`, city: "City", total: "19.90" }),
      };
      const message = messageOf(claim, project, renderer, { runId: "bench", asOf: BENCH_AS_OF });
      if ("invalid" in message) throw new Error(message.invalid);
      const body = toSendGrid(message);
      if ("refused" in body) throw new Error(body.refused);
      return JSON.stringify(body);
    });
  }
}

const root = mkdtempSync(join(tmpdir(), "opportune-bench-"));
const sink = await startSink();
try {
  writeBenchProject(root, size, `http://127.0.0.1:${String(sink.port)}`, 1_000_000, IN_FLIGHT);
  say(`filling a warehouse of ${String(size.users)} users and ${String(size.ledgerRows)} ledger rows …`);
  await fillBenchWarehouse(root, size);
  copyFileSync(join(root, "bench.duckdb"), join(root, "full.duckdb"));
  const stage: number[] = [];
  const queries: number[] = [];
  const arbitration: number[] = [];
  const rate: number[] = [];
  const bare: number[] = [];
  const memory: number[] = [];
  let before = 0;
  for (let i = 0; i < runs; i++) {
    const { document, peakMb, queriesMs } = await runOnce(root);
    const { delivery } = document;
    const received = Number(await (await fetch(`http://127.0.0.1:${String(sink.port)}/`)).text());
    if (delivery === null || received - before !== delivery.accepted)
      throw new Error(`The sink got ${String(received - before)} messages, the run says ${String(delivery?.accepted)}`);
    const stageMs = document.segments.reduce((sum, segment) => sum + segment.duration_ms, 0);
    stage.push(stageMs / 1000);
    queries.push(queriesMs / 1000);
    arbitration.push(document.arbitration_ms / 1000);
    rate.push(delivery.accepted / (delivery.duration_ms / 1000));
    memory.push(peakMb);
    bare.push(await bareUndici(root, sink.port, delivery.accepted));
    before = received + delivery.accepted;
    say(
      `run ${String(i + 1)}: staging ${String(stageMs)} ms (queries alone ${queriesMs.toFixed(0)}), arbitration ${String(document.arbitration_ms)} ms, ${rate.at(-1)?.toFixed(0) ?? ""} messages/s (bare ${bare.at(-1)?.toFixed(0) ?? ""}), ${String(peakMb)} MB`,
    );
  }
  const figures = [
    figure("staging", "s", stage, queries, "less"),
    figure("arbitration", "s", arbitration, [], "less"),
    figure(
      "staging and arbitration",
      "s",
      stage.map((s, i) => s + (arbitration[i] ?? 0)),
      [1.5],
      "less",
    ),
    figure("end to end delivery", "messages/s", rate, bare, "more"),
    figure("resident memory, peak", "MB", memory, [350], "less"),
  ];
  if (args.output === "json") for (const one of figures) process.stdout.write(`${JSON.stringify(one)}\n`);
  else
    for (const { name, value, unit, limit, ratio } of figures)
      process.stdout.write(
        `${name.padEnd(28)} ${value.toFixed(2).padStart(10)} ${unit.padEnd(10)} limit ${limit?.toFixed(2) ?? "–"}  ratio ${ratio?.toFixed(2) ?? "–"}\n`,
      );
} finally {
  sink.child.disconnect();
  rmSync(root, { recursive: true, force: true });
}
