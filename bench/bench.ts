/**
 * The speed figures of both warehouses: 1 M users, 10 M ledger rows, 100,000 candidates over 20 segments. Each stands beside a limit
 * measured in the same run. Everything is on this machine; the data lies in a temporary folder (8 GB at most) that goes away.
 *
 * README.md beside this says how to read them. `--part million` (ten times the candidates) is asked for by name.
 *
 * npm run bench [-- --only duckdb|postgres] [--part main,latency,script,drt,settled,small,growth] [--quick] [--runs 3] [--output json]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { line, type Figure } from "./figures.js";
import { drt } from "./drt.js";
import { settled, small } from "./idle.js";
import { million } from "./million.js";
import { growthAt, growthFigures, latency, main, script, type Bench } from "./parts.js";
import { startSink } from "./provider.js";
import { openStore, type Kind, type Store } from "./store.js";
import { asOfRows, behave, createTables, forget, growLedger, settleCandidates } from "./warehouse.js";

const PARTS = ["main", "latency", "script", "drt", "settled", "small", "growth"];
/** It takes minutes, and gigabytes. */
const BY_NAME = ["million"];

const { values: args } = parseArgs({
  options: {
    only: { type: "string" },
    part: { type: "string", default: PARTS.join(",") },
    quick: { type: "boolean", default: false },
    runs: { type: "string" },
    scale: { type: "string" },
    output: { type: "string", default: "text" },
  },
});
const kinds = (["duckdb", "postgres"] as const).filter((kind) => args.only === undefined || args.only === kind);
const parts = args.part.split(",");
const unknown = parts.find((part) => ![...PARTS, ...BY_NAME].includes(part));
if (kinds.length === 0 || unknown !== undefined) {
  process.stderr.write(`--only is duckdb or postgres, --part some of ${[...PARTS, ...BY_NAME].join(", ")}; not ${unknown ?? args.only ?? ""}\n`);
  process.exit(2);
}
const scale = Number(args.scale ?? (args.quick ? 0.01 : 1));
const runs = Number(args.runs ?? (args.quick ? 1 : 3));
const size = { users: 1_000_000 * scale, candidates: 100_000 * scale, rowsPerYear: 10_000_000 * scale };
const [SMALL, MIDDLE, LARGE] = [size.rowsPerYear / 2, size.rowsPerYear, size.rowsPerYear * 2] as const;

/** How far the script goes: on DuckDB each of its inserts waits alone for the disk. */
const SCRIPT_CANDIDATES = { duckdb: 1_000, postgres: 10_000 };

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(figures: readonly Figure[]): void {
  for (const one of figures) process.stdout.write(`${args.output === "json" ? JSON.stringify(one) : line(one)}\n`);
}

/** Brings the ledger to so many rows, and the behaviours to that moment, half of the candidates settled. */
async function prepare(store: Store, from: number, to: number): Promise<void> {
  const started = performance.now();
  const warehouse = await store.open();
  try {
    if (from === 0) await createTables(warehouse, size);
    await forget(warehouse, "settled");
    await growLedger(warehouse, from, to, size);
    await behave(warehouse, asOfRows(to, size), size);
    await settleCandidates(warehouse, asOfRows(to, size), 0, 2);
  } finally {
    await warehouse.close();
  }
  say(`${store.kind}: ${String(to)} ledger rows, ${((performance.now() - started) / 1000).toFixed(0)} s to make`);
}

async function measure(bench: Bench): Promise<void> {
  const { store } = bench;
  const asked = (part: string): boolean => parts.includes(part);
  let rows = 0;
  const grow = async (to: number): Promise<void> => {
    await prepare(store, rows, to);
    rows = to;
  };
  let before: Awaited<ReturnType<typeof growthAt>> = [];
  if (asked("growth")) {
    await grow(SMALL);
    before = await growthAt(bench, SMALL);
  }
  if (asked("small")) {
    const root = mkdtempSync(join(bench.root, "small-"));
    print(await small(bench, store.kind, root));
  }
  if (parts.some((part) => part !== "growth" && part !== "small")) {
    await grow(MIDDLE);
    let [rate, whole] = [NaN, NaN];
    if (asked("main") || asked("script") || asked("drt")) {
      const result = await main(bench, MIDDLE);
      ({ rate, whole } = result);
      print(result.figures);
    }
    if (asked("latency")) print(await latency(bench, MIDDLE, Math.min(20_000, size.candidates / 4)));
    if (asked("script")) print(await script(bench, Math.min(SCRIPT_CANDIDATES[store.kind], size.candidates / 4), rate));
    if (asked("drt")) print(await drt(bench, Math.min(SCRIPT_CANDIDATES[store.kind], size.candidates / 4), whole, say));
    if (asked("settled")) {
      const warehouse = await store.open();
      await settleCandidates(warehouse, asOfRows(MIDDLE, size), 1, 2);
      await warehouse.close();
      print(await settled(bench, asOfRows(MIDDLE, size)));
    }
    if (asked("million")) print(await million(bench, asOfRows(MIDDLE, size), size, say));
  }
  if (asked("growth")) {
    await grow(LARGE);
    print(growthFigures(bench, before, await growthAt(bench, LARGE), [SMALL, LARGE]));
  }
}

async function benchmark(kind: Kind): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "opportune-bench-"));
  const sink = await startSink();
  let store: Store | null = null;
  const clean = async (): Promise<void> => {
    sink.stop();
    await store?.stop();
    rmSync(root, { recursive: true, force: true });
  };
  const interrupted = (): void => {
    void clean().finally(() => process.exit(130));
  };
  // However it ends.
  process.once("exit", () => {
    rmSync(root, { recursive: true, force: true });
  });
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    store = await openStore(kind, root);
    if (args.output !== "json") process.stdout.write(`${kind} (${store.settings})\n`);
    await measure({ root, store, sink, size, runs, judged: scale === 1, say });
  } finally {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
    await clean();
  }
}

if (args.output !== "json") {
  const processors = cpus();
  process.stdout.write(
    `${String(processors.length)} × ${processors[0]?.model.trim() ?? "?"}, ${String(Math.round(totalmem() / 2 ** 30))} GB, Node ${process.version}, load ${loadavg()
      .map((one) => one.toFixed(1))
      .join(" ")}; medians of ${String(runs)}${scale === 1 ? "" : `, sizes × ${String(scale)}: too small for the aims`}\n`,
  );
}
for (const kind of kinds) await benchmark(kind);
