/** Real customers, every week of a year and a half: the SQL over a table of purchases against the model over the same file. */
import { describe, expect, it } from "vitest";
import { itDecidesCdnow } from "../support/cdnow-suite.js";
import { readCustomers } from "../support/cdnow.js";

describe("the purchases of CDNOW, every week", () => {
  it("are the published ones", () => {
    const customers = readCustomers();
    const purchases = [...customers.values()].flat();
    expect(customers.size).toBe(23_570);
    expect(purchases.length).toBe(69_659);
    expect(purchases.reduce((sum, { cents }) => sum + cents, 0)).toBe(250_031_563);
  });

  itDecidesCdnow();
});
