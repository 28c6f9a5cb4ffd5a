import { defineConfig } from "vitest/config";
import { longestFirst } from "./test/support/longest-first.js";

const MINUTE = 60_000;

/** `npm run test:warehouses`: one set of scenarios on all four warehouses; test/warehouses/README.md says what it needs. */
export default defineConfig({
  test: {
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts", "test/support/postgres-server.ts", "test/emulators/start.ts"],
    include: ["test/warehouses/**/*.test.ts"],
    // A quarter of real customers on each: with ROUNDS=all, before a release.
    exclude: process.env["ROUNDS"] === "all" ? [] : ["test/warehouses/cdnow.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: longestFirst("population", "warehouses/run.test", "decisions-bigquery", "lease", "init", "old-ledger", "ids", "decisions-") },
    // For what hangs: the longest takes two minutes here.
    testTimeout: 20 * MINUTE,
    hookTimeout: 20 * MINUTE,
  },
});
