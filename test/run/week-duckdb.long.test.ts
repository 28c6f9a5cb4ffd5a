/** The last week of the sample company's month, every three hours, on DuckDB; the whole month on both warehouses is in test/soak. */
import { describe } from "vitest";
import { describeMonth, openMonth, WEEK } from "../support/month.js";

describe("a week on DuckDB", () => describeMonth(openMonth, WEEK));
