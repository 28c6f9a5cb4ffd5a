/** Ten times the candidates: what a first send to everybody asks of the warehouse. */
import { loadavg } from "node:os";
import { figure, median, type Figure } from "./figures.js";
import { arbitrationAlone, queriesAlone } from "./floors.js";
import { writeProject } from "./project.js";
import { runOnce } from "./run.js";
import type { Idle } from "./idle.js";
import { behave, forget, settleCandidates, type Size } from "./warehouse.js";

/** Staging and arbitration of dry runs over `size.candidates` and ten times as many, half of them settled; DuckDB with more and with less memory. */
export async function million({ root, store, sink, runs, judged }: Idle, asOf: string, size: Size, say: (line: string) => void): Promise<Figure[]> {
  const targets =
    store.kind === "duckdb" ? ["1GB", "300MB"].map((memory) => store.target.replace(/memory_limit: \w+/, `memory_limit: ${memory}`)) : [store.target];
  const figures: Figure[] = [];
  for (const [i, target] of targets.entries()) {
    writeProject(root, { target, endpoint: sink.endpoint, repeat: "mixed", maxPerRun: 10_000_000 });
    const measured = new Map<number, { staging: number[]; arbitration: number[]; queries: number[]; bare: number[] }>();
    for (const candidates of [size.candidates, size.candidates * 10]) {
      const warehouse = await store.open();
      await forget(warehouse, "settled");
      await behave(warehouse, asOf, { ...size, candidates });
      await settleCandidates(warehouse, asOf, 0, 2);
      const seen = { staging: [] as number[], arbitration: [] as number[], queries: [] as number[], bare: [] as number[] };
      for (let run = 0; run < runs; run++) {
        seen.queries.push(await queriesAlone(warehouse, root, asOf));
        seen.bare.push(await arbitrationAlone(warehouse, asOf));
      }
      await warehouse.close();
      for (let run = 0; run < runs; run++) {
        // Too little memory is an answer too.
        const watched = await runOnce(root, asOf, "--dry-run").catch((error: unknown) => {
          say(`${store.kind}: ${candidates.toLocaleString("en")} candidates don't go through with ${target}: ${String(error).slice(0, 400)}`);
          return null;
        });
        if (watched === null) break;
        const { document } = watched;
        seen.staging.push(document.staging_ms / 1000);
        seen.arbitration.push(document.arbitration_ms / 1000);
      }
      measured.set(candidates, seen);
    }
    const [few, many] = [measured.get(size.candidates), measured.get(size.candidates * 10)];
    if (few === undefined || many === undefined || many.arbitration.length < runs) continue;
    const where = store.kind === "duckdb" ? `, ${/memory_limit: (\w+)/.exec(target)?.[1] ?? ""}` : "";
    const load = loadavg()[0] ?? NaN;
    const name = `${(size.candidates * 10).toLocaleString("en")} candidates${where}`;
    figures.push(
      figure(store.kind, `${name}: staging`, "s", many.staging, load, { limit: { what: "segments' queries alone", values: many.queries } }),
      figure(store.kind, `${name}: arbitration`, "s", many.arbitration, load, {
        limit: { what: "bare SQL", values: many.bare },
        ...(judged && i === 0 ? { aim: ["value", "most", store.kind === "duckdb" ? 9 : 20] as const } : {}),
      }),
      figure(
        store.kind,
        `${name}: growth from a tenth`,
        "×",
        many.arbitration.map((one) => one / median(few.arbitration)),
        load,
        {
          limit: { what: "bare SQL's", values: many.bare.map((one) => one / median(few.bare)) },
          ...(judged ? { aim: ["value", "most", 11] as const } : {}),
        },
      ),
    );
  }
  return figures;
}
