/** The parts of the benchmark: each runs the command line a few times on one warehouse and gives figures. */
import { fork } from "node:child_process";
import { loadavg } from "node:os";
import { messageOf, type Claim } from "../src/run/claims.js";
import { toSendGrid } from "../src/delivery/providers/sendgrid/body.js";
import { loadProject } from "../src/project/build/load.js";
import { loadRenderer } from "../src/render/renderer.js";
import { endWithUs } from "./children.js";
import { arbitrationAlone, queriesAlone } from "./floors.js";
import { figure, median, type Asked, type Figure } from "./figures.js";
import { writeProject, type ProjectOptions, type Repeat } from "./project.js";
import { bareUndici, IN_FLIGHT, sinkCeiling, type Sink } from "./provider.js";
import { runOnce, type Watched } from "./run.js";
import type { ScriptOptions, ScriptResult } from "./script.js";
import type { Kind, Store } from "./store.js";
import { asOfRows, forget, type Size } from "./warehouse.js";

export interface Bench {
  root: string;
  store: Store;
  sink: Sink;
  size: Size;
  /** Runs of each figure. */
  runs: number;
  /** False with small sizes, for which the aims were not made. */
  judged: boolean;
  say(line: string): void;
}

const AIMS: Record<Kind, { decide: number; ratio: number; memory: number }> = {
  duckdb: { decide: 0.8, ratio: 0.4, memory: 350 },
  postgres: { decide: 2, ratio: 0.4, memory: 200 },
};
/** Of a provider far away, ms. */
const LATENCY_MS = 80;

function write({ root, store, sink }: Bench, options: Partial<Pick<ProjectOptions, "repeat" | "maxPerRun">>): void {
  writeProject(root, { target: store.target, endpoint: sink.endpoint, repeat: "mixed", maxPerRun: 10_000_000, ...options });
}

function figureOf(bench: Bench, name: string, unit: string, values: readonly number[], load: number, asked: Asked = {}): Figure {
  const { aim, ...rest } = asked;
  return figure(bench.store.kind, name, unit, values, load, bench.judged && aim !== undefined ? { ...rest, aim } : rest);
}

const load = (): number => loadavg()[0] ?? NaN;

/** A run that delivers; what the sink got must be what the run says. */
async function delivered(bench: Bench, asOf: string): Promise<Watched & { accepted: number }> {
  const before = await bench.sink.received();
  const watched = await runOnce(bench.root, asOf);
  const accepted = watched.document.delivery?.accepted ?? 0;
  const received = (await bench.sink.received()) - before;
  if (received !== accepted || watched.document.delivery?.claims !== accepted)
    throw new Error(`The sink got ${String(received)} messages, the run says ${JSON.stringify(watched.document.delivery)}`);
  return { ...watched, accepted };
}

async function using<T>({ store }: Bench, work: (warehouse: Awaited<ReturnType<Store["open"]>>) => Promise<T>): Promise<T> {
  const warehouse = await store.open();
  try {
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}

/** Bodies of the kind that the runs post. */
export function sampleBodies(bench: Bench): string[] {
  write(bench, {});
  const project = loadProject(bench.root);
  const renderer = loadRenderer(project);
  return [...project.segments.keys()].flatMap((segment) =>
    Array.from({ length: 50 }, (_, i) => {
      const claim: Claim = {
        place: i + 1,
        messageId: `d41d8cd98f00b204e9800998ecf8${String(1000 + i)}`,
        segment,
        channel: "email",
        sendBy: 0,
        dueAt: 0,
        step: "first",
        variant: "",
        userId: `user-${String(500_000 + i)}`,
        key: "",
        class: "marketing",
        topic: "bench",
        template: "offer",
        occurredAt: "2024-12-26T13:30:00Z",
        address: `user${String(500_000 + i)}@example.com`,
        timezone: "UTC",
        locale: null,
        properties: JSON.stringify({ first_name: `Name${String(i)}`, city: `City${String(i)}`, total: "19.90" }),
      };
      const message = messageOf(claim, project, renderer, {
        runId: "20241226T140000Z_00000000",
        asOf: "2024-12-26T14:00:00Z",
        numbers: new Map(),
        judged: false,
      });
      const body = "invalid" in message ? { refused: message.invalid } : toSendGrid(message);
      if ("refused" in body) throw new Error(body.refused);
      return JSON.stringify(body);
    }),
  );
}

/** Half of the candidates are settled already, the others are written to. Gives messages a second too, for comparison. */
export async function main(bench: Bench, rows: number): Promise<{ figures: Figure[]; rate: number; whole: number }> {
  const asOf = asOfRows(rows, bench.size);
  const aims = AIMS[bench.store.kind];
  const bodies = sampleBodies(bench);
  const seen = {
    staging: [] as number[],
    queries: [] as number[],
    sql: [] as number[],
    arbitration: [] as number[],
    both: [] as number[],
    rate: [] as number[],
    whole: [] as number[],
  };
  const bare: number[] = [];
  const ceiling: number[] = [];
  const memory: number[] = [];
  const cpu: number[] = [];
  const loads: number[] = [];
  for (let i = 0; i < bench.runs; i++) {
    loads.push(load());
    const { document, accepted, peakMb, cpuMs, wallMs } = await delivered(bench, asOf);
    seen.staging.push(document.staging_ms / 1000);
    seen.arbitration.push(document.arbitration_ms / 1000);
    seen.both.push((document.staging_ms + document.arbitration_ms) / 1000);
    seen.rate.push(accepted / ((document.delivery?.duration_ms ?? NaN) / 1000));
    seen.whole.push(accepted / (wallMs / 1000));
    memory.push(peakMb);
    cpu.push(cpuMs / 1000);
    await using(bench, async (warehouse) => {
      seen.queries.push(await queriesAlone(warehouse, bench.root, asOf));
      seen.sql.push(await arbitrationAlone(warehouse, asOf));
    });
    bare.push(await bareUndici(bench.sink, bodies, accepted));
    ceiling.push(await sinkCeiling(bench.sink, bodies, accepted));
    bench.say(
      `${bench.store.kind} run ${String(i + 1)}: staging ${String(document.staging_ms)} ms, arbitration ${String(document.arbitration_ms)} ms, ${String(accepted)} messages, ${String(document.duration_ms)} ms in all`,
    );
    await using(bench, (warehouse) => forget(warehouse, "runs"));
  }
  const at = median(loads);
  return {
    rate: median(seen.rate),
    whole: median(seen.whole),
    figures: [
      figureOf(bench, "staging", "s", seen.staging, at, { limit: { what: "segments' queries alone", values: seen.queries } }),
      figureOf(bench, "arbitration", "s", seen.arbitration, at, { limit: { what: "bare SQL", values: seen.sql } }),
      figureOf(bench, "staging and arbitration", "s", seen.both, at, {
        limit: { what: "queries and bare SQL", values: seen.queries.map((one, i) => one + (seen.sql[i] ?? NaN)) },
        aim: ["value", "most", aims.decide],
      }),
      figureOf(bench, "delivery, first claim to last outcome", "messages/s", seen.rate, at, {
        limit: { what: "undici alone", values: bare },
        aim: ["ratio", "least", aims.ratio],
      }),
      figureOf(bench, "whole run, start to end of the process", "messages/s", seen.whole, at),
      figureOf(bench, "processor time of the process, whole run", "s", cpu, at),
      figureOf(bench, "undici alone", "messages/s", bare, at, { limit: { what: "the sink's ceiling", values: ceiling } }),
      figureOf(bench, "resident memory, peak", "MB", memory, at, { aim: ["value", "most", aims.memory] }),
    ],
  };
}

/** Latency at the sink: how well the room for requests under way is used. */
export async function latency(bench: Bench, rows: number, messages: number): Promise<Figure[]> {
  write(bench, { maxPerRun: messages });
  const rates: number[] = [];
  const loads: number[] = [];
  bench.sink.setLatency(LATENCY_MS);
  for (let i = 0; i < bench.runs; i++) {
    loads.push(load());
    const { document, accepted } = await delivered(bench, asOfRows(rows, bench.size));
    rates.push(accepted / ((document.delivery?.duration_ms ?? NaN) / 1000));
    await using(bench, (warehouse) => forget(warehouse, "runs"));
  }
  bench.sink.setLatency(0);
  const most = IN_FLIGHT / (LATENCY_MS / 1000);
  return [
    figureOf(bench, `delivery with ${String(LATENCY_MS)} ms of latency`, "messages/s", rates, median(loads), {
      limit: { what: `${String(IN_FLIGHT)} in flight / ${String(LATENCY_MS / 1000)} s`, values: rates.map(() => most) },
      aim: ["ratio", "least", 0.8],
    }),
  ];
}

/** Staging and arbitration of dry runs, s: by how the segments repeat. */
export async function growthAt(bench: Bench, rows: number): Promise<{ repeat: Repeat; seconds: number[]; load: number }[]> {
  const results = [];
  for (const repeat of ["bounded", "never"] as const) {
    write(bench, { repeat });
    const seconds: number[] = [];
    const loads: number[] = [];
    for (let i = 0; i < bench.runs; i++) {
      loads.push(load());
      const { document } = await runOnce(bench.root, asOfRows(rows, bench.size), "--dry-run");
      seconds.push((document.staging_ms + document.arbitration_ms) / 1000);
    }
    bench.say(`${bench.store.kind}: ${String(rows)} ledger rows, repeat ${repeat}: ${seconds.map((s) => s.toFixed(2)).join(" ")} s`);
    results.push({ repeat, seconds, load: median(loads) });
  }
  return results;
}

export function growthFigures(
  bench: Bench,
  small: Awaited<ReturnType<typeof growthAt>>,
  large: Awaited<ReturnType<typeof growthAt>>,
  rows: [number, number],
): Figure[] {
  const [from, to] = rows.map((n) => (n >= 1_000_000 ? `${String(n / 1_000_000)} M` : `${String(n / 1000)} k`));
  return large.map(({ repeat, seconds, load: at }, i) => {
    const before = small[i]?.seconds ?? [];
    return figureOf(bench, `${to ?? ""} ledger rows, repeat ${repeat}`, "s", seconds, at, {
      // Runs do not belong together in pairs: each is compared with the median.
      limit: { what: `with ${from ?? ""}`, values: seconds.map(() => median(before)) },
      ...(repeat === "bounded" ? { aim: ["ratio", "most", 1.3] as const } : {}),
    });
  });
}

/** The script that a user would write instead, on a part of the candidates. */
export async function script(bench: Bench, candidates: number, ours: number): Promise<Figure[]> {
  await using(bench, async (warehouse) => {
    await warehouse.execute({ sql: "create table script_ledger as select segment, user_id from opportune.sent_ledger where event = 'claimed'", params: [] });
    await warehouse.execute({ sql: "create index script_ledger_by_user on script_ledger (user_id)", params: [] });
    if (bench.store.kind === "postgres") await warehouse.execute({ sql: "vacuum (analyze) script_ledger", params: [] });
  });
  const rates: number[] = [];
  const loads: number[] = [];
  let done = { candidates: 0, messages: 0 };
  for (let i = 0; i < bench.runs; i++) {
    loads.push(load());
    const result = await runScript({ connection: bench.store.connection, endpoint: bench.sink.endpoint, candidates });
    rates.push(result.messages / result.seconds);
    done = result;
    // What it inserted goes, so that each run finds the same.
    await using(bench, (warehouse) =>
      warehouse.execute({
        sql: "delete from script_ledger where (segment, user_id) in (select 'segment_' || segment, user_id from behaviours where user_number % 2 = 1)",
        params: [],
      }),
    );
  }
  await using(bench, (warehouse) => warehouse.execute({ sql: "drop table script_ledger", params: [] }));
  const all = bench.size.candidates / 2;
  bench.say(`${bench.store.kind}: the script went through ${String(done.candidates)} candidates and sent ${String(done.messages)} messages`);
  return [
    figureOf(bench, `script instead, ${String(done.candidates)} candidates`, "messages/s", rates, median(loads), {
      limit: { what: "Opportune", values: rates.map(() => ours) },
    }),
    figureOf(
      bench,
      `script, if it kept that up for ${String(all)}`,
      "s",
      rates.map((rate) => all / rate),
      median(loads),
      {
        limit: { what: "Opportune", values: rates.map(() => all / ours) },
      },
    ),
  ];
}

async function runScript(options: ScriptOptions): Promise<ScriptResult> {
  const child = endWithUs(fork(new URL("script.ts", import.meta.url), { execArgv: ["--import", "tsx"] }));
  try {
    return await new Promise<ScriptResult>((resolve, reject) => {
      child.once("message", (result) => {
        resolve(result as ScriptResult);
      });
      child.once("exit", (code) => {
        reject(new Error(`the script ended with ${String(code)}`));
      });
      child.send(options);
    });
  } finally {
    if (child.connected) child.disconnect();
  }
}
