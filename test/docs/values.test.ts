/**
 * docs/values.md says what templates make of each column type, of DuckDB and Postgres here. `UPDATE_DOCS=1` writes the tables anew;
 * those of the other warehouses are checked in test/warehouses/docs-values.test.ts.
 */
import { it } from "vitest";
import { checkValuesPage } from "../support/values-page.js";

it.each(["duckdb", "postgres"] as const)("what templates make of the column types of %s is what the page says", checkValuesPage);
