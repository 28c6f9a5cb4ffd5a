import { configDefaults, defineConfig } from "vitest/config";

/** `npm test`: everything but the long suites (`npm run test:long`). */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/**/*.long.test.ts"],
    // DuckDB and css-inline are native modules: each test file gets a process of its own.
    pool: "forks",
    maxWorkers: 2,
    isolate: false,
    globalSetup: ["test/support/build.ts", "test/support/postgres-server.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
