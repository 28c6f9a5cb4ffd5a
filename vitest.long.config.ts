import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** `npm run test:long`: CDNOW day by day, and the oracle over ten times as many candidates. */
export default defineConfig({
  test: {
    include: ["test/**/*.long.test.ts", "test/oracle.test.ts", "test/oracle-postgres.test.ts"],
    env: { ORACLE_CANDIDATES: process.env["ORACLE_CANDIDATES"] ?? "100000" },
    pool: "forks",
    globalSetup: ["test/support/postgres-server.ts"],
    testTimeout: 10 * MINUTE,
    hookTimeout: 2 * MINUTE,
  },
});
