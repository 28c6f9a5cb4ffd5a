/** The whole decision table by SQL: `npm run test:long`. */
import { CASES, playAll } from "./support/play.js";
import { createSqlDecider } from "./support/sql-decider.js";

playAll("SQL on DuckDB", CASES, () => createSqlDecider());
