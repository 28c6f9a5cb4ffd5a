/** docs/values.md says what templates make of each column type; `UPDATE_DOCS=1` writes the tables anew, of the emulators too. */
import { checkValuesPage } from "../support/values-page.js";
import { onEachWarehouse } from "./support/each.js";

onEachWarehouse("docs/values.md", ({ name }, check) => {
  check("says what templates make of its column types", () => checkValuesPage(name));
});
