/** Targets of type duckdb: a file, or a database in memory. */
import * as z from "zod";
import { delay, text, whole } from "../schema/fields.js";
import { everyTarget, type TargetType } from "./target.js";

export interface DuckDbConnection {
  type: "duckdb";
  /** File relative to the project root, or `:memory:`. */
  path: string;
  /** How long to wait for another process to let go of the file. */
  waitForLockSeconds: number;
  memoryLimit: string | null;
  threads: number | null;
}

const MEMORY = "a size such as 2GB";

export const schema = z.strictObject({
  type: z.literal("duckdb"),
  path: text.describe("Database file, relative to the project, or :memory:."),
  ...everyTarget,
  wait_for_lock: delay.prefault("30 seconds").describe("How long to wait for another process to let go of the file."),
  memory_limit: z
    .string({ error: MEMORY })
    .regex(/^\d+(?:\.\d+)? ?[KMGT]i?B$/, { error: MEMORY })
    .optional()
    .describe("Most memory DuckDB takes, e.g. 2GB; a quarter of the machine's or container's, at most 1 GB, unless set."),
  threads: whole(1).optional().describe("Threads DuckDB works with; one for each processor and 125 MB of memory_limit unless set."),
});

export const duckdb: TargetType<z.output<typeof schema>, DuckDbConnection> = {
  check: () => undefined,
  connection: (target) => ({
    type: "duckdb",
    path: target.path,
    waitForLockSeconds: target.wait_for_lock,
    memoryLimit: target.memory_limit ?? null,
    threads: target.threads ?? null,
  }),
  name: ({ path }) => path,
  secrets: () => [],
  packages: ["@duckdb/node-api"],
  comeAlong: true,
  metered: false,
  starter: ({ path }) => ` {type: duckdb, path: ${JSON.stringify(path)}}`,
};
