/** The decision table on Postgres: a file of its own, so that it runs beside the others. */
import { afterAll } from "vitest";
import { describeCases } from "./support/play-cases.js";
import { openNewDatabase } from "./support/postgres.js";
import { closeIdleWarehouses, createSqlDecider } from "./support/sql-decider.js";

afterAll(closeIdleWarehouses);

describeCases("SQL on Postgres", () => createSqlDecider(openNewDatabase));
