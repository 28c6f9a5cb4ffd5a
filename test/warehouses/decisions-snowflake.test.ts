import { afterAll } from "vitest";
import { CORE_CASES, playAll } from "../support/play.js";
import { openNewSnowflake } from "../support/snowflake.js";
import { closeIdleWarehouses, createSqlDecider } from "../support/sql-decider.js";

afterAll(closeIdleWarehouses);

playAll("SQL on Snowflake's emulator", CORE_CASES, () => createSqlDecider(openNewSnowflake));
