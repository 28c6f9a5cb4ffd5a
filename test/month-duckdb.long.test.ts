/** The shipped segments over the sample company: 30 days of hourly runs on DuckDB. UPDATE_GOLDEN=1 writes test/golden/month.csv anew. */
import { describe } from "vitest";
import { describeMonth, openMonth } from "./support/month.js";

describe("a month on DuckDB", () => describeMonth(openMonth, { writesGolden: true }));
