import { defineConfig } from "vitest/config";
import { longestFirst } from "./test/support/longest-first.js";

const MINUTE = 60_000;

/** `npm run test:chaos`: processes killed at every point, runs that overlap, warehouses that fail. docs/reliability.md says what it shows. */
export default defineConfig({
  test: {
    include: ["test/chaos/**/*.chaos.ts"],
    pool: "forks",
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts", "test/support/postgres-server.ts", "test/chaos/support/compile.ts"],
    maxWorkers: 2,
    sequence: { sequencer: longestFirst("killed-duckdb", "killed-postgres", "bad-day", "random-", "overlap") },
    testTimeout: 20 * MINUTE,
    hookTimeout: 20 * MINUTE,
  },
});
