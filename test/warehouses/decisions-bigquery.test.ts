/** On a real project; what the emulator shows of decisions stands in population.test.ts. */
import { onEachWarehouse } from "./support/each.js";
import { decideTheTable } from "./support/decisions.js";
import { MINUTES } from "./support/not-supported.js";

onEachWarehouse("the decision table", ({ name, emulated }, check) => {
  if (name !== "bigquery") return;
  if (emulated) check("is decided case by case", () => Promise.resolve(), MINUTES);
  else decideTheTable(name);
});
