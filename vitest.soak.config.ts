import { defineConfig } from "vitest/config";

const HOUR = 3_600_000;

/** What CI repeats less often than it is worth: here in full. */
const IN_FULL = [
  "test/chaos/overlap.chaos.ts",
  "test/chaos/random-*.chaos.ts",
  "test/arbitration/decisions-postgres.test.ts",
  "test/arbitration/decisions.long.test.ts",
  "test/delivery/bad-day.long.test.ts",
  "test/arbitration/oracle.test.ts",
  "test/arbitration/oracle-postgres.long.test.ts",
  "test/warehouses/lease.test.ts",
];

/**
 * `npm run test:soak`: what takes too long for CI, and what is measured rather than asserted. Run it
 * by hand before a release.
 */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.soak.ts", ...IN_FULL],
    env: { ROUNDS: "all", DECISIONS: "all" },
    pool: "forks",
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts", "test/support/postgres-server.ts", "test/chaos/support/compile.ts"],
    maxWorkers: 1,
    testTimeout: 2 * HOUR,
    hookTimeout: HOUR,
  },
});
