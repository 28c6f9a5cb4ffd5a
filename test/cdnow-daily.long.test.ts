/** As cdnow-weekly.long.test.ts, every day instead of every week: some ten minutes, for `npm run test:long`. */
import { describe } from "vitest";
import { itDecidesCdnow } from "./support/cdnow-suite.js";
import { mornings } from "./support/cdnow.js";

const DAILY = {
  runs: 546,
  telling: 501,
  silences: 11_864,
  ledger: [
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
  ],
};

describe("the purchases of CDNOW, every day", () => {
  itDecidesCdnow(mornings(1), DAILY, 1_800_000);
});
