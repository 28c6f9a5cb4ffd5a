import { configDefaults, defineConfig } from "vitest/config";
import { longestFirst } from "./test/support/longest-first.js";

/** `npm test`: everything but the long suites (`npm run test:long`, `npm run test:chaos`), and half of the oracle. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/**/*.long.test.ts", "test/warehouses/**"],
    // DuckDB and css-inline are native modules: each test file gets a process of its own.
    pool: "forks",
    env: { ORACLE_CANDIDATES: process.env["ORACLE_CANDIDATES"] ?? "5000" },
    maxWorkers: 2,
    sequence: { sequencer: longestFirst("test/docs/readme", "test/arbitration/oracle", "test/commands/", "test/arbitration/decisions") },
    isolate: false,
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts", "test/support/postgres-server.ts"],
    // For what hangs: a test of many command lines takes 15 s here, and a minute on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
