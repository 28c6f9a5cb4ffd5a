/** 1,000,000 rows of one run by the command line as it is shipped, within the memory that docs/cost.md names. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../bench/store.js";
import { runOnce } from "../../bench/run.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder, write } from "../commands/support.js";

const ROWS = 1_000_000;
const AS_OF = "2026-03-02T12:00:00Z";

const files = (target: string): Record<string, string> => ({
  "opportune.yml": `name: big
targets:
  dev: {${target}}
channels:
  email: {provider: outbox, from: "Shop <shop@example.com>"}
policy: {max_per_run: 2000, surge: false}
`,
  "segments/all.sql": `/*---
status: live
first_run: send
channel: email
template: all
---*/
select user_id, email, occurred_at, first_name, city, country, plan, total from users
`,
  "templates/all.hbs": '---\nsubject: Hello {{first_name}}\nlayout: none\n---\n<p>{{city}}, {{country}}: {{plan}}, {{money total "EUR"}}</p>\n',
});

async function fill(warehouse: Warehouse): Promise<void> {
  await installLedger(new Ledger(warehouse, "opportune"));
  const numbers = warehouse.dialect.name === "duckdb" ? `range(${String(ROWS)}) numbers(n)` : `generate_series(1, ${String(ROWS)}) numbers(n)`;
  const sql = `create table users as select 'user-' || n as user_id, 'user' || n || '@example.com' as email, 'Name' || (n % 1000) as first_name,
    'City' || (n % 100) as city, 'Country' || (n % 30) as country, 'plan' || (n % 5) as plan, cast(19.9 + n % 100 as decimal(10, 2)) as total,
    cast('2026-03-02 11:00:00+00' as timestamptz) as occurred_at from ${numbers}`;
  await warehouse.execute({ sql, params: [] });
}

/** Runs once and gives the most memory that the process held, MB. */
async function peakOf(root: string): Promise<number> {
  const { document, peakMb, cpuMs, wallMs } = await runOnce(root, AS_OF);
  console.log(`  ${peakMb.toFixed(0)} MB, ${(cpuMs / 1000).toFixed(0)} s of processor, ${(wallMs / 1000).toFixed(0)} s`);
  expect(document.segments).toMatchObject([{ returned: ROWS }]);
  expect(document.delivery).toMatchObject({ claims: 2000, accepted: 2000 });
  return peakMb;
}

describe("1,000,000 rows", () => {
  it.each([
    ["", 1_450],
    [", memory_limit: 1GB", 1_450],
    [", memory_limit: 512MB", 950],
  ])("on DuckDB with what the target says more%s: at most %i MB", async (setting, most) => {
    const root = temporaryFolder();
    write(root, files(`type: duckdb, path: big.duckdb${setting}`));
    const warehouse = await openWarehouse({ type: "duckdb", path: "big.duckdb", waitForLockSeconds: 0, memoryLimit: "1GB", threads: 2 }, { root });
    await fill(warehouse);
    await warehouse.close();
    expect(await peakOf(root)).toBeLessThan(most);
  });

  it("on Postgres: at most 250 MB", async () => {
    const root = join(temporaryFolder(), "project");
    mkdirSync(root);
    const store = await openStore("postgres", root);
    onTestFinished(() => store.stop());
    write(root, files(store.target));
    const warehouse = await store.open();
    await fill(warehouse);
    await warehouse.close();
    expect(await peakOf(root)).toBeLessThan(250);
  });
});
