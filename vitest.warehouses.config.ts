import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/support/temporary.ts", "test/support/postgres-server.ts", "test/emulators/start.ts"],
    include: ["test/warehouses/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 400_000,
  },
});
