import { defineConfig } from "vitest/config";
import { longestFirst } from "./test/support/longest-first.js";

const MINUTE = 60_000;

/**
 * `npm run test:long`: the sample company through a week and the whole decision table on DuckDB,
 * the oracle and whole runs on Postgres, and the scheduler as a process.
 */
export default defineConfig({
  test: {
    include: ["test/**/*.long.test.ts"],
    env: { ORACLE_CANDIDATES: process.env["ORACLE_CANDIDATES"] ?? "5000" },
    pool: "forks",
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts", "test/support/postgres-server.ts"],
    maxWorkers: 2,
    sequence: {
      sequencer: longestFirst(
        "week-",
        "commands/init.long",
        "commands/run.long",
        "decisions.long",
        "bad-day",
        "disturbed",
        "start.long",
        "run/renamed",
        "run/crash",
        "operations",
        "ci.long",
        "old-ledger",
      ),
    },
    testTimeout: 60 * MINUTE,
    hookTimeout: 60 * MINUTE,
  },
});
