/** As cdnow-weekly-duckdb.soak.ts, on Postgres: the same ledger row for row, as both are the model's. */
import { describe } from "vitest";
import { itDecidesCdnow } from "../support/cdnow-suite.js";
import { openNewDatabase } from "../support/postgres.js";

describe("the purchases of CDNOW, every week, on Postgres", () => {
  itDecidesCdnow(openNewDatabase);
});
