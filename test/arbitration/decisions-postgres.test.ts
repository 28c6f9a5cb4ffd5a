/** The decision table on Postgres: a file of its own, so that it runs beside the others. DECISIONS=all (test:soak) plays every case. */
import { afterAll } from "vitest";
import { CASES, CORE_CASES, playAll } from "../support/play.js";
import { openNewDatabase } from "../support/postgres.js";
import { closeIdleWarehouses, createSqlDecider } from "../support/sql-decider.js";

afterAll(closeIdleWarehouses);

playAll("SQL on Postgres", process.env["DECISIONS"] === "all" ? CASES : CORE_CASES, () => createSqlDecider(openNewDatabase));
