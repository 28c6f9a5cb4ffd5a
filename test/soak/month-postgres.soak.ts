/** The same month on Postgres comes to the same golden table. */
import { describe } from "vitest";
import { describeMonth, MONTH, openMonthOnPostgres } from "../support/month.js";

describe("a month on Postgres", () => describeMonth(openMonthOnPostgres, MONTH));
