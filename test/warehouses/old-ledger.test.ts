/** A ledger that 0.1.0 has written is upgraded on every warehouse, and nobody hears again. */
import { upgradeStory } from "../support/old-ledger.js";
import { onEachWarehouse } from "./support/each.js";

onEachWarehouse("a ledger of 0.1.0", ({ name }, check) => {
  check("is upgraded: ids and addresses in one form, trials marked, and nobody hears again", () => upgradeStory(name));
});
