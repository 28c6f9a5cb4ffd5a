/** Which days of the ledger arbitration reads, where the ledger is partitioned by them. */
import { expect, it } from "vitest";
import { arbitrationStatements } from "../../src/arbitration/arbitrate.js";
import { bigQueryDialect } from "../../src/warehouse/bigquery/dialect.js";
import { projectWith } from "../segments/support.js";
import { arbitrationOf } from "./support.js";

/** The first day that each scan of the ledger reads, by the CTE that it stands in; null: no constant bounds it. */
function firstDays(repeat: string): Record<string, string | null> {
  const project = projectWith(
    "select user_id, email, occurred_at from carts",
    `repeat: ${repeat}\nsteps: [{name: nudge, channel: email, template: cart, within: 3 days}]`,
  );
  const { tables, write } = arbitrationStatements(arbitrationOf(project), () => "1", bigQueryDialect(null));
  const found: Record<string, string | null> = {};
  for (const { sql } of [...tables, write]) {
    const own = /^create or replace temp table opportune_(\w+) as$/m.exec(sql)?.[1] ?? "decisions";
    // A CTE begins and ends at the margin; the statement's own query comes last.
    for (const query of sql.split(/^\),?$/m)) {
      if (!query.includes("`sent_ledger`")) continue;
      expect(query.split("`sent_ledger`"), "one scan a query").toHaveLength(2);
      const name = /^(\w+) as \($/m.exec(query)?.[1] ?? own;
      found[name] = /decided_at >=? cast\('([\d-]+)T[^']*' as timestamp\)/.exec(query)?.[1] ?? null;
    }
  }
  return found;
}

it("is bounded by constants, by what the rules look back on; and where no segment is for once in a lifetime, nothing asks all history", () => {
  expect(firstDays("each_occurrence")).toEqual({ recent: "2026-02-24", had_before: "2026-03-02", counting_claims: "2026-03-02" });
  expect(firstDays("every 30 days")).toMatchObject({ recent: "2026-01-22", had_before: "2026-03-02" });
  expect(firstDays("never")).toMatchObject({ had_before: "1970-01-01" });
});
