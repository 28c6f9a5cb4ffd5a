/** Runs with nothing to do, as most are: every candidate has its message already. Whole processes, beside what they can't do without. */
import { loadavg } from "node:os";
import { figure, median, type Asked, type Figure } from "./figures.js";
import { bareProcess, arbitrationAlone, queriesAlone } from "./floors.js";
import { writeProject } from "./project.js";
import type { Sink } from "./provider.js";
import { runOnce } from "./run.js";
import { openStore, type Kind, type Store } from "./store.js";
import { asOfRows, behave, createTables, forget, growLedger, settleCandidates, type Size } from "./warehouse.js";

/** A small shop. */
const SMALL: Size = { users: 5_000, candidates: 2_000, rowsPerYear: 20_000 };
const SMALL_SEGMENTS = 12;

const AIMS: Record<Kind, { large: number; small: number }> = { duckdb: { large: 0.8, small: 0.45 }, postgres: { large: 1.2, small: 0.45 } };

export interface Idle {
  root: string;
  store: Store;
  sink: Sink;
  runs: number;
  /** False with other sizes than those that the aims were made for. */
  judged: boolean;
}

/** Whole processes on a warehouse whose candidates are all settled as of `asOf`. */
export async function idle({ root, store, runs, judged }: Idle, asOf: string, name: string, aim: number): Promise<Figure[]> {
  const seen = { whole: [] as number[], cpu: [] as number[], bare: [] as number[], decide: [] as number[], floor: [] as number[], parts: [] as number[] };
  const loads: number[] = [];
  for (let i = 0; i < runs; i++) {
    loads.push(loadavg()[0] ?? NaN);
    const bare = bareProcess(store);
    const { document, wallMs, cpuMs } = await runOnce(root, asOf);
    const warehouse = await store.open();
    const floor = (await queriesAlone(warehouse, root, asOf)) + (await arbitrationAlone(warehouse, asOf));
    await forget(warehouse, "runs");
    await warehouse.close();
    const accepted = document.delivery?.accepted ?? 0;
    if (accepted !== 0) throw new Error(`Everyone was settled, and ${String(accepted)} messages went out`);
    seen.whole.push(wallMs / 1000);
    seen.cpu.push(cpuMs / 1000);
    seen.decide.push((document.staging_ms + document.arbitration_ms) / 1000);
    seen.bare.push(bare);
    seen.floor.push(floor);
    seen.parts.push(bare + floor);
  }
  const load = median(loads);
  const told = (what: string, values: readonly number[], asked: Asked): Figure => figure(store.kind, `${name}: ${what}`, "s", values, load, asked);
  return [
    told("whole run", seen.whole, {
      limit: { what: "bare process, queries and SQL", values: seen.parts },
      ...(judged ? { aim: ["value", "most", aim] as const } : {}),
    }),
    told("its processor time", seen.cpu, {}),
    told("staging and arbitration", seen.decide, { limit: { what: "queries and bare SQL", values: seen.floor } }),
    told("bare process", seen.bare, {}),
  ];
}

/** The large warehouse, all settled. */
export function settled(bench: Idle, asOf: string): Promise<Figure[]> {
  writeProject(bench.root, { target: bench.store.target, endpoint: bench.sink.endpoint, repeat: "mixed", maxPerRun: 10_000_000 });
  return idle(bench, asOf, "all settled", AIMS[bench.store.kind].large);
}

/** A warehouse of its own, in `root`: what a run takes where there is hardly any data. */
export async function small(bench: Omit<Idle, "store">, kind: Kind, root: string): Promise<Figure[]> {
  const store = await openStore(kind, root);
  try {
    const asOf = asOfRows(SMALL.rowsPerYear, SMALL);
    const warehouse = await store.open();
    await createTables(warehouse, SMALL);
    await growLedger(warehouse, 0, SMALL.rowsPerYear, SMALL);
    await behave(warehouse, asOf, SMALL);
    await settleCandidates(warehouse, asOf, 0, 1);
    await warehouse.close();
    writeProject(root, { target: store.target, endpoint: bench.sink.endpoint, repeat: "mixed", maxPerRun: 10_000_000, segments: SMALL_SEGMENTS });
    return await idle({ ...bench, root, store }, asOf, `${String(SMALL_SEGMENTS)} segments, 5,000 users`, AIMS[kind].small);
  } finally {
    await store.stop();
  }
}
