/** On a real project alone; what the emulator shows of decisions stands in population.test.ts. */
import { describe, expect, it } from "vitest";
import { decideTheTable } from "./support/decisions.js";
import { WAREHOUSES } from "./support/each.js";
import { MINUTES } from "./support/not-supported.js";

const tested = WAREHOUSES.find(({ name }) => name === "bigquery");
if (tested?.emulated === false) decideTheTable("bigquery");
else
  describe.skipIf(tested?.missing)(String(tested?.title), () => {
    it(`decides the table: NOT_SUPPORTED, ${MINUTES["bigquery emulator"].tooSlow}`, () => expect(tested?.emulated).toBe(true));
  });
