/** The one form of a user's id and of an email is the same on every warehouse. */
import { idPairsStory } from "../support/id-pairs.js";
import { idsStory } from "../support/ids.js";
import { onEachWarehouse } from "./support/each.js";

onEachWarehouse("the one form of an id", ({ name }, check) => {
  check("is the same for every kind of column", () => idsStory(name));

  check("keeps an excluded user excluded whatever the two types, or they are refused by name", () => idPairsStory(name));
});
