/** Real customers over one quarter, on every warehouse: each run decided as the model decides. */
import { expect } from "vitest";
import { decideCdnow, nearerThan14Days, readCustomers, tally } from "../support/cdnow.js";
import { openEmpty } from "../support/databases.js";
import { onEachWarehouse } from "./support/each.js";

/** The second quarter of 1997, every three weeks: by then all three segments have somebody. */
const MORNINGS = ["1997-04-02", "1997-04-23", "1997-05-14", "1997-06-04", "1997-06-25"].map((day) => `${day}T09:00:00Z`);

const CLAIMED = [
  "lapsed_regulars last_call claimed: 404",
  "lapsed_regulars miss_you claimed: 1152",
  "top_spenders news claimed: 1099",
  "top_spenders offer claimed: 181",
];

onEachWarehouse("the purchases of CDNOW over a quarter", ({ name }, check) => {
  check("are decided row for row as by the model, nobody hearing twice in 14 days", async () => {
    const { ledger, difference } = await decideCdnow(MORNINGS, readCustomers(), () => openEmpty(name));
    expect(difference ?? "no difference").toBe("no difference");
    expect(nearerThan14Days(ledger)).toEqual([]);
    expect(tally(ledger).filter((line) => line.includes(" claimed"))).toEqual(CLAIMED);
  });
});
