import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** `npm run test:dbt`: `opportune init --from-dbt` on what a real dbt builds; needs Python 3.10 or later, and PyPI the first time. */
export default defineConfig({
  test: {
    include: ["test/dbt/**/*.dbt.ts"],
    pool: "forks",
    globalSetup: ["test/support/temporary.ts", "test/support/build.ts"],
    testTimeout: 10 * MINUTE,
    hookTimeout: 30 * MINUTE,
  },
});
