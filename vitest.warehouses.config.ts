import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/warehouses/**/*.test.ts"], pool: "forks", maxWorkers: 2, globalSetup: ["test/emulators/start.ts"], testTimeout: 60_000, hookTimeout: 120_000 },
});
