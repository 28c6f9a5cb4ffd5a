/** Which days of the ledger arbitration reads, where the ledger is partitioned by them. */
import { expect, it } from "vitest";
import { arbitrateStatement } from "../../src/arbitration/arbitrate.js";
import { bigQueryDialect } from "../../src/warehouse/bigquery/dialect.js";
import { projectWith } from "../segments/support.js";
import { arbitrationOf } from "./support.js";

/** The first day that each scan of the ledger reads, by the CTE that it stands in; null: no constant bounds it. */
function firstDays(repeat: string): Record<string, string | null> {
  const project = projectWith(
    "select user_id, email, occurred_at from carts",
    `repeat: ${repeat}\nsteps: [{name: nudge, channel: email, template: cart, within: 3 days}]`,
  );
  const { sql } = arbitrateStatement(arbitrationOf(project), () => "1", bigQueryDialect(null));
  const found: Record<string, string | null> = {};
  // A CTE begins at the margin: `name as (`, and ends with the next one.
  for (const cte of sql.split(/^(?=\w+ as (?:\S.* )?\()/m)) {
    if (!cte.includes("`sent_ledger`")) continue;
    expect(cte.split("`sent_ledger`"), "one scan a CTE").toHaveLength(2);
    const name = /^\w+/.exec(cte)?.[0] ?? "";
    found[name] = /decided_at >=? cast\('([\d-]+)T[^']*' as timestamp\)/.exec(cte)?.[1] ?? null;
  }
  return found;
}

it("is bounded by constants, by what the rules look back on; and where no segment is for once in a lifetime, nothing asks all history", () => {
  expect(firstDays("each_occurrence")).toEqual({ recent: "2026-02-24", had_before: "2026-03-02", counting_claims: "2026-03-02" });
  expect(firstDays("every 30 days")).toMatchObject({ recent: "2026-01-22", had_before: "2026-03-02" });
  expect(firstDays("never")).toMatchObject({ had_before: "1970-01-01" });
});
