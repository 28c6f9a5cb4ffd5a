/** As cdnow.test.ts, every day instead of every week: some ten minutes, for `npm run test:long`. */
import { beforeAll, describe, expect, it } from "vitest";
import { decideCdnow, expectedBehaviours, mornings, nearerThan14Days, readCustomers, tally, type LedgerEntry } from "./support/cdnow.js";

const DAYS = mornings(1);
const customers = readCustomers();
let ledger: LedgerEntry[] = [];
let difference: string | null = null;

describe("the purchases of CDNOW, every day", () => {
  beforeAll(async () => {
    ({ ledger, difference } = await decideCdnow(DAYS, customers));
  }, 1_800_000);

  it("are decided by the SQL row for row as by the model", () => {
    expect(difference ?? "no difference").toBe("no difference");
    expect(DAYS.length).toBe(546);
    expect(new Set(ledger.map(({ asOf }) => asOf)).size).toBeGreaterThan(500);
  });

  it("give nobody more than one message in any 14 days", () => {
    expect(nearerThan14Days(ledger)).toEqual([]);
  });

  it("explain every quick second purchase and every silence of a regular, and none besides", async () => {
    const { quickSeconds, silences } = await expectedBehaviours(DAYS);
    expect(quickSeconds.length).toBe(2697);
    expect(silences.length).toBe(11_864);
    const named = (segment: string, name: (row: LedgerEntry) => string): string[] =>
      [...new Set(ledger.filter((row) => row.segment === segment).map(name))].sort();
    expect(named("quick_second", (row) => row.user_id)).toEqual(quickSeconds);
    expect(named("lapsed_regulars", (row) => `${row.user_id} ${row.occurred_at.slice(0, 10)}`)).toEqual(silences);
  });

  it("make this ledger", () => {
    expect(tally(ledger)).toEqual([
      "lapsed_regulars last_call claimed: 5907",
      "lapsed_regulars last_call held_out project: 283",
      "lapsed_regulars last_call left step_gap: 22",
      "lapsed_regulars last_call settled converted: 1345",
      "lapsed_regulars last_call settled expired step_gap: 2388",
      "lapsed_regulars last_call settled repeat_gap: 795",
      "lapsed_regulars last_call waiting step_gap: 2653",
      "lapsed_regulars miss_you claimed: 9867",
      "lapsed_regulars miss_you held_out project: 477",
      "lapsed_regulars miss_you left cap: 414",
      "lapsed_regulars miss_you left outranked: 32",
      "lapsed_regulars miss_you settled repeat_gap: 978",
      "lapsed_regulars miss_you waiting cap 1 per 14 days: 3369",
      "lapsed_regulars miss_you waiting outranked user: 3416",
      "quick_second thanks claimed: 2577",
      "quick_second thanks held_out project: 120",
      "top_spenders news claimed: 8302",
      "top_spenders news held_out project: 387",
      "top_spenders offer claimed: 4825",
      "top_spenders offer held_out project: 231",
      "top_spenders offer settled converted: 2671",
    ]);
  });
});
