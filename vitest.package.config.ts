import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** `npm run test:package`: the package as npm packs it, installed in an empty folder; docs/tutorial.md followed there word for word. */
export default defineConfig({
  test: {
    include: ["test/package/**/*.package.ts"],
    pool: "forks",
    globalSetup: ["test/support/temporary.ts"],
    testTimeout: 10 * MINUTE,
    hookTimeout: 10 * MINUTE,
  },
});
