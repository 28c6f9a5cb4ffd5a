/** As cdnow-weekly.long.test.ts, on Postgres: the same ledger row for row, as both are the model's. */
import { describe } from "vitest";
import { itDecidesCdnow, WEEKLY } from "./support/cdnow-suite.js";
import { mornings } from "./support/cdnow.js";
import { openNewDatabase } from "./support/postgres.js";

describe("the purchases of CDNOW, every week, on Postgres", () => {
  itDecidesCdnow(mornings(7), WEEKLY, 900_000, openNewDatabase);
});
