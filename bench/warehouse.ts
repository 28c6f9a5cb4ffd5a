/** The warehouse that the benchmark runs on: users, one behaviour table a segment, and a ledger with a year behind it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installLedger } from "../src/ledger/schema.js";
import { ledgerQueries, statement } from "../src/ledger/tables.js";
import { openDuckDb } from "../src/warehouse/duckdb.js";

export interface BenchSize {
  users: number;
  ledgerRows: number;
  candidates: number;
  segments: number;
}

/** Every run of the benchmark is as of this moment (ISO 8601 UTC). */
export const BENCH_AS_OF = "2026-06-01T12:00:00Z";

/** How the segments of the benchmark differ: half look at all history, half are bounded. */
function repeatOf(segment: number): string {
  return segment % 2 === 0 ? "never" : segment % 4 === 1 ? "every 30 days" : "each_occurrence";
}

/** Writes a project folder: opportune.yml, segments, an audience each for goal and exclusion, one template. */
export function writeBenchProject(root: string, size: BenchSize, endpoint: string, rate: number, inFlight: number): void {
  for (const folder of ["segments/audiences", "templates/layouts"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(
    join(root, "opportune.yml"),
    `name: bench
target: bench
targets:
  bench: {type: duckdb, path: bench.duckdb, memory_limit: 200MB, threads: 2}
channels:
  email: {provider: sendgrid, api_key: SG.bench, endpoint: "${endpoint}", from: "Bench <bench@example.com>", rate: ${String(rate)}, in_flight: ${String(inFlight)}}
policy:
  quiet_hours: {from: "23:00", to: "07:00"}
  caps:
    - {max: 20, per: 48 hours}
    - {max: 10, per: 1 hour}
  spacing: 1 minute
  exclude: [blocked]
  max_per_run: 1000000
`,
  );
  for (let i = 0; i < size.segments; i++) {
    writeFileSync(
      join(root, `segments/segment_${String(i)}.sql`),
      `/*---
status: live
priority: ${String(i)}
topic: bench
repeat: ${repeatOf(i)}
goal: bought
first_run: send
steps:
  - {name: first, after: 10 minutes, within: 24 hours, channel: email, template: offer}
  - {name: second, after: 2 days, within: 24 hours, channel: email, template: offer}
---*/
select b.user_id, u.email, u.timezone, u.first_name, u.city, b.total, b.occurred_at
from behaviours b join users u using (user_id)
where b.segment = ${String(i)} and b.occurred_at > {{ago "4 days"}}
`,
    );
  }
  writeFileSync(join(root, "segments/audiences/bought.sql"), '/*---\n---*/\nselect user_id, occurred_at from purchases where occurred_at > {{ago "4 days"}}\n');
  writeFileSync(join(root, "segments/audiences/blocked.sql"), "/*---\n---*/\nselect user_id from blocked\n");
  writeFileSync(
    join(root, "templates/offer.hbs"),
    `---
subject: "{{first_name}}, your basket in {{city}}"
preheader: It is still there
layout: none
---
<html><head><style>p { color: #333; font-size: 16px }</style></head><body><p>Hello {{first_name}},</p><p>your basket of {{money total "EUR"}} is waiting.</p>
<p><a href="https://shop.example/basket?user={{url user_id}}">Open your basket</a></p></body></html>
`,
  );
}

/**
 * Fills bench.duckdb. Half of the candidates are settled already (their message was accepted an hour ago), as rows that a query
 * goes on returning are; the rest of the ledger is a year of other users' messages.
 */
export async function fillBenchWarehouse(root: string, size: BenchSize): Promise<void> {
  const warehouse = await openDuckDb({ type: "duckdb", path: join(root, "bench.duckdb"), waitForLockSeconds: 0, memoryLimit: "4GB", threads: 2 }, { root });
  const execute = (sql: string): Promise<number> => warehouse.execute({ sql, params: [] });
  await installLedger(warehouse, "opportune");
  const salt = "bench";
  await warehouse.execute(statement(ledgerQueries("opportune").updateTable("meta").set({ content: salt }).where("name", "=", "salt")));
  const users = String(size.users);
  await execute(`create table users as select 'user-' || i as user_id, 'user' || i || '@example.com' as email, case i % 4 when 0 then 'Europe/Berlin' when 1 then 'America/New_York' when 2 then 'UTC' end as timezone,
    'Name' || (i % 1000) as first_name, 'City' || (i % 100) as city from range(${users}) t(i)`);
  const each = String(Math.floor(size.candidates / size.segments));
  await execute(`create table behaviours as select s as segment, 'user-' || ((s * ${each} + i) % ${users}) as user_id, timestamp '2026-06-01 11:30:00' - to_seconds(i % 600) as occurred_at, cast(19.9 + i % 100 as decimal(10, 2)) as total
    from range(${String(size.segments)}) a(s), range(${each}) t(i)`);
  await execute(
    `create table purchases as select 'user-' || (i * 97 % ${users}) as user_id, timestamp '2026-05-31 00:00:00' + to_seconds(i % 3600) as occurred_at from range(${String(Math.floor(size.users / 50))}) t(i)`,
  );
  await execute(`create table blocked as select 'user-' || (i * 89 % ${users}) as user_id from range(${String(Math.floor(size.users / 1000))}) t(i)`);
  const settled = Math.floor(size.candidates / 2);
  const old = Math.floor((size.ledgerRows - settled * 3) / 3);
  // A past message is three rows: claimed, sending, accepted. In the order of time, as a ledger grows.
  await execute(`insert into opportune.sent_ledger
    select m * 3 + k, 'old-' || (m // 5000), md5(cast(m as varchar)), 'segment_' || (m % ${String(size.segments)}), 'v', 'first', '', 'user-' || (hash(m) % ${users}), '', 'marketing', 'email', 'bench', 'offer', 'v',
      moment, moment, moment + interval 10 minute, moment + interval 1 day, moment + interval 1 day, moment + interval 10 minute, moment + interval 10 minute,
      case k when 0 then 'claimed' when 1 then 'sending' else 'accepted' end, case k when 0 then 'claimed' when 1 then 'sending' else 'accepted' end, '', '{}', case k when 0 then 1 else 0 end, case k when 0 then 1 else 0 end,
      case k when 0 then 'user' || (hash(m) % ${users}) || '@example.com' end, null, null
    from (select m, k, timestamp '2025-06-01' + to_seconds(cast(m * (360.0 * 86400 / ${String(old)}) as bigint)) as moment from range(${String(old)}) a(m), range(3) b(k) order by m, k)`);
  await execute(`insert into opportune.sent_ledger
    select ${String(old * 3)} + row_number() over (), 'last', md5(segment || user_id), 'segment_' || segment, 'v', 'first', '', user_id, '', 'marketing', 'email', 'bench', 'offer', 'v',
      occurred_at, occurred_at, occurred_at + interval 10 minute, occurred_at + interval '24 hours 10 minutes', occurred_at + interval 1 day, timestamp '2026-06-01 11:41:00', timestamp '2026-06-01 11:41:00',
      case k when 0 then 'claimed' when 1 then 'sending' else 'accepted' end, case k when 0 then 'claimed' when 1 then 'sending' else 'accepted' end, '', '{}', case k when 0 then 1 else 0 end, case k when 0 then 1 else 0 end,
      case k when 0 then replace(user_id, 'user-', 'user') || '@example.com' end, null, null
    from (select * from behaviours where cast(split_part(user_id, '-', 2) as bigint) % 2 = 0), range(3) b(k)`);
  await execute("update opportune.leases set fence = 1000");
  await execute("checkpoint");
  await warehouse.close();
}
