/** The outage table with 4,000 messages a run; test/run/outages.long.test.ts has the smaller ones. */
import { expect, it } from "vitest";
import { outage, WAYS } from "../support/down.js";
import { OUTAGES } from "../support/outage-table.js";

it.each(WAYS)("a provider: %s, 4,000 messages a run, three runs", async (way) => {
  const { row } = await outage(way, 4_000);
  expect(row).toEqual(OUTAGES[way][4_000]);
});
