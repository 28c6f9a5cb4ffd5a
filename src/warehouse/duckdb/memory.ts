/** How much DuckDB may take, and what is said when that wasn't enough. */
import { availableParallelism, totalmem } from "node:os";
import type { DuckDbConnection } from "../../project/targets/duckdb.js";
import { parseBytes } from "../../core/bytes.js";

/** The default at most, bytes: a run of 1,000,000 rows is no faster with more (docs/cost.md). */
const DEFAULT_MOST = 1e9;
/** Of the machine's or container's memory. DuckDB's own default is 80 %, beside Node and all else. */
const DEFAULT_SHARE = 1 / 4;
/** DuckDB's threads each hold blocks of their own: with less for each, statements fail that one thread carries out. */
const BYTES_PER_THREAD = 125e6;

/** As DuckDB is opened. */
export interface DuckDbLimits {
  memoryLimit: string;
  threads: number;
}

/** What a machine has. */
export interface Machine {
  /** Bytes, of the container where one is limited. */
  memory: number;
  processors: number;
}

export function thisMachine(): Machine {
  // 0 or a number beyond all memory: nothing limits this process.
  const limited = process.constrainedMemory();
  return { memory: limited > 0 ? Math.min(limited, totalmem()) : totalmem(), processors: availableParallelism() };
}

/** The limits that a target sets; for others a quarter of the memory, at most 1 GB, and as many threads as that is enough for. */
export function limitsOf({ memoryLimit, threads }: Pick<DuckDbConnection, "memoryLimit" | "threads">, { memory, processors }: Machine): DuckDbLimits {
  const megabytes = Math.max(1, Math.floor(Math.min(DEFAULT_MOST, memory * DEFAULT_SHARE) / 1e6));
  const limit = memoryLimit ?? `${String(megabytes)}MB`;
  const enoughFor = Math.max(1, Math.floor((parseBytes(limit) ?? DEFAULT_MOST) / BYTES_PER_THREAD));
  return { memoryLimit: limit, threads: threads ?? Math.min(processors, enoughFor) };
}

/** What DuckDB says when a statement needs more memory, or more temporary files, than it may have. */
const OUT_OF_MEMORY = /^Out of Memory Error: |^(?:IO|Fatal) Error: .*No space left on device/;

/** The words and the way out for a statement that had not enough memory; null for any other error. `temporary`: its folder. */
export function memoryProblem(text: string, limits: DuckDbLimits, temporary: string): { message: string; hint: string } | null {
  if (!OUT_OF_MEMORY.test(text)) return null;
  const [, said = text] = /^[A-Za-z ]+ Error: (.*)/.exec(text) ?? [];
  if (/No space left on device|failed to offload/.test(text)) {
    return {
      message: `DuckDB had no room for its temporary files in ${temporary}: ${said.replace(/\.$/, "")}.`,
      hint: `Free space on that disk, or raise \`memory_limit\` of this target in opportune.yml, now ${limits.memoryLimit}: what doesn't fit into it is written there.`,
    };
  }
  const fewer = limits.threads > 1 ? ` with ${String(limits.threads)} threads; or set fewer \`threads\`` : "";
  return {
    message: `DuckDB ran out of memory: this statement needs more than the memory_limit of ${limits.memoryLimit} (${said.replace(/\.$/, "")}).`,
    hint: `Raise \`memory_limit\` of this target in opportune.yml, now ${limits.memoryLimit}${fewer}; or have the query return fewer rows or narrower columns. What can be written to disk is already in ${temporary}.`,
  };
}
