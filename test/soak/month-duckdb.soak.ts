/** The shipped segments over the sample company: 30 days of hourly runs on DuckDB come to the golden table. */
import { describe } from "vitest";
import { describeMonth, MONTH, openMonth } from "../support/month.js";

describe("a month on DuckDB", () => describeMonth(openMonth, MONTH));
