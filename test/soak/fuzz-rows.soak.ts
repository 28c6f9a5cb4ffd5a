/** The fuzz of test/run/fuzz-rows.long.test.ts with ten times the rows; FUZZ_SEED draws others. */
import { expect, it } from "vitest";
import { fuzzRows } from "../support/fuzz-rows.js";

it.each(["duckdb", "postgres"] as const)("2,000 odd rows of every column type on %s leave their neighbours alone", async (on) => {
  const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);
  console.log(`${on}: FUZZ_SEED=${String(seed)}`);
  const done = await fuzzRows({ on, rows: 2000, seed });
  console.log(`${on}: ${JSON.stringify(done)}`);
  expect(done.posted).toBeGreaterThan(done.types);
});
