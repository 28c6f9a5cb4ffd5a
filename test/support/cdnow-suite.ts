import { beforeAll, expect, it } from "vitest";
import { decideCdnow, expectedBehaviours, mornings, nearerThan14Days, readCustomers, tally, type LedgerEntry } from "./cdnow.js";
import { openDuckDbInMemory, type OpenEmpty } from "./sql-decider.js";

const WEEKS = mornings(7);

/** What the ledger holds in the end, on every warehouse. */
const EXPECTED = [
  "lapsed_regulars last_call claimed: 7731",
  "lapsed_regulars last_call held_out project: 369",
  "lapsed_regulars last_call left step_gap: 16",
  "lapsed_regulars last_call settled converted: 1411",
  "lapsed_regulars last_call settled expired step_gap: 368",
  "lapsed_regulars last_call settled repeat_gap: 763",
  "lapsed_regulars last_call waiting step_gap: 1292",
  "lapsed_regulars miss_you claimed: 9467",
  "lapsed_regulars miss_you held_out project: 457",
  "lapsed_regulars miss_you left cap: 75",
  "lapsed_regulars miss_you left outranked: 53",
  "lapsed_regulars miss_you settled repeat_gap: 924",
  "lapsed_regulars miss_you settled superseded: 391",
  "lapsed_regulars miss_you waiting cap 1 per 14 days: 904",
  "lapsed_regulars miss_you waiting outranked user: 963",
  "quick_second thanks claimed: 2577",
  "quick_second thanks held_out project: 120",
  "top_spenders news claimed: 7783",
  "top_spenders news held_out project: 363",
  "top_spenders offer claimed: 1942",
  "top_spenders offer held_out project: 90",
  "top_spenders offer left cap: 816",
  "top_spenders offer left step_gap: 198",
  "top_spenders offer settled converted: 2478",
  "top_spenders offer settled expired cap: 392",
  "top_spenders offer settled expired step_gap: 1215",
  "top_spenders offer waiting cap 1 per 14 days: 1237",
  "top_spenders offer waiting step_gap: 3448",
];

/** The purchases decided every week by the SQL and by the model: to be called in a `describe`. */
export function itDecidesCdnow(open: OpenEmpty = openDuckDbInMemory): void {
  const customers = readCustomers();
  let ledger: LedgerEntry[] = [];
  let difference: string | null = null;

  beforeAll(async () => {
    ({ ledger, difference } = await decideCdnow(WEEKS, customers, open));
  });

  it("are decided by the SQL row for row as by the model", () => {
    expect(difference ?? "no difference").toBe("no difference");
    expect(WEEKS.length).toBe(78);
    expect(new Set(ledger.map(({ asOf }) => asOf)).size).toBeGreaterThan(70);
  });

  it("give nobody more than one message in any 14 days", () => {
    expect(nearerThan14Days(ledger)).toEqual([]);
    const [claim] = ledger.filter(({ event }) => event === "claimed");
    expect(nearerThan14Days(claim === undefined ? [] : [claim, claim])).toHaveLength(1);
  });

  it("explain every quick second purchase and every silence of a regular, and none besides", async () => {
    const { quickSeconds, silences } = await expectedBehaviours(WEEKS);
    expect(quickSeconds.length).toBe(2697);
    expect(silences.length).toBe(11_385);
    const named = (segment: string, name: (row: LedgerEntry) => string): string[] =>
      [...new Set(ledger.filter((row) => row.segment === segment).map(name))].sort();
    expect(named("quick_second", (row) => row.user_id)).toEqual(quickSeconds);
    expect(named("lapsed_regulars", (row) => `${row.user_id} ${row.occurred_at.slice(0, 10)}`)).toEqual(silences);
  });

  it("make this ledger", () => {
    expect(tally(ledger)).toEqual(EXPECTED);
  });
}
