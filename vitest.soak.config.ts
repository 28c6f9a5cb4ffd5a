import { defineConfig } from "vitest/config";

const HOUR = 3_600_000;

/** `npm run test:soak`: what takes too long for CI, and what is measured rather than asserted. Run it by hand before a release. */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.soak.ts"],
    pool: "forks",
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts", "test/support/postgres-server.ts"],
    maxWorkers: 1,
    testTimeout: 2 * HOUR,
    hookTimeout: HOUR,
  },
});
