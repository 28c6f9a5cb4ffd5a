/** Whatever a row holds costs that row's message alone. The seed is fixed: a failure repeats. */
import { expect, it } from "vitest";
import { fuzzRows } from "../support/fuzz-rows.js";

it.each(["duckdb", "postgres"] as const)("200 odd rows of every column type on %s leave their neighbours alone", async (on) => {
  const { posted, types } = await fuzzRows({ on, rows: 200, seed: 15 });
  expect(posted).toBeGreaterThan(types);
});
