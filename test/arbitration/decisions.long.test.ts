/** The whole decision table by SQL: in `npm run test:long` joined where cases can be told apart, in `npm run test:soak` one by one. */
import { packed } from "../support/packed.js";
import { CASES, playAll } from "../support/play.js";
import { createSqlDecider } from "../support/sql-decider.js";

playAll("SQL on DuckDB", process.env["DECISIONS"] === "all" ? CASES : packed(CASES), () => createSqlDecider());
