import { defineConfig } from "vitest/config";

/** `npm run test:grammar`: every statement for BigQuery and Snowflake against the grammar of each; needs the npm registry the first time. */
export default defineConfig({
  test: {
    include: ["test/grammar/**/*.grammar.ts"],
    pool: "forks",
    maxWorkers: 2,
    globalSetup: ["test/support/temporary.ts", "test/grammar/install.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
