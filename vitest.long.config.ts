import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** `npm run test:long`: CDNOW day by day, the whole decision table, and the oracle over five times as many candidates. */
export default defineConfig({
  test: {
    include: ["test/**/*.long.test.ts", "test/oracle.test.ts", "test/oracle-postgres.test.ts", "test/decisions-postgres.test.ts"],
    env: { ORACLE_CANDIDATES: process.env["ORACLE_CANDIDATES"] ?? "50000", DECISIONS: "all" },
    pool: "forks",
    globalSetup: ["test/support/postgres-server.ts"],
    maxWorkers: 2,
    testTimeout: 30 * MINUTE,
    hookTimeout: 30 * MINUTE,
  },
});
