import { afterAll } from "vitest";
import { openNewBigQuery } from "../support/bigquery.js";
import { CORE_CASES, playAll } from "../support/play.js";
import { closeIdleWarehouses, createSqlDecider } from "../support/sql-decider.js";

afterAll(closeIdleWarehouses);

playAll("SQL on BigQuery's emulator", CORE_CASES, () => createSqlDecider(openNewBigQuery));
