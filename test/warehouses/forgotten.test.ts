/** A run taken back, on every warehouse. */
import { forgottenStory } from "../support/forgotten.js";
import { onEachWarehouse } from "./support/each.js";

onEachWarehouse("a run with a clock 400 days ahead, forgotten", ({ name }, check) => {
  check("is as if it had not been, and who heard is not written to again", () => forgottenStory(name));
});
