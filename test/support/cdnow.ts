/**
 * Real customers: the purchases of test/data/cdnow.csv, a project of three segments over them, and the same segments computed
 * once more without SQL, for the model.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadProject } from "../../src/project/load.js";
import type { Project } from "../../src/project/types.js";
import { loadRenderer } from "../../src/render/renderer.js";
import type { TemplateCatalog } from "../../src/segments/types.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import type { AudienceRow, WorldRow, WorldRun } from "./world.js";

const CSV = path.join(import.meta.dirname, "../data/cdnow.csv");
const DAY_MS = 86_400_000;

/** As a user would write it. The steps are so near to each other that they meet the cap, and each other. */
const FILES: Readonly<Record<string, string>> = {
  "opportune.yml": `
name: music_shop
targets:
  test: {type: duckdb, path: shop.duckdb}
channels:
  email: {provider: outbox, from: Music Shop <hello@example.com>}
sources:
  purchases: main.purchases
policy:
  caps: [{max: 1, per: 14 days}]
  holdout: 5
`,
  "segments/top_spenders.sql": `/*---
description: The tenth of the customers who have spent most, silent for 30 days
status: live
signal: recency
priority: 90
repeat: each_occurrence
goal: bought_again
steps:
  - {name: news, after: 30 days, within: 14 days, channel: email, template: news}
  - name: offer
    after: 60 days
    within: 10 days
    channel: email
    template: offer
    variants:
      plain: {weight: 2}
      voucher: {weight: 1, template: voucher}
---*/
select customer as user_id, customer || '@example.com' as email, last_bought_on as occurred_at, spent
from (
  select customer, max(bought_on) as last_bought_on, sum(dollars) as spent,
    ntile(10) over (order by sum(dollars) desc, customer) as tenth
  from {{source "purchases"}}
  where bought_on <= {{as_of}}
  group by customer
) spending
where tenth = 1 and last_bought_on <= {{ago "30 days"}} and last_bought_on > {{ago "75 days"}}
`,
  "segments/lapsed_regulars.sql": `/*---
description: Three purchases or more, then silent for 60 days
status: live
signal: inactivity
priority: 70
repeat: every 90 days
goal: bought_again
steps:
  - {name: miss_you, after: 60 days, within: 21 days, channel: email, template: miss_you}
  - {name: last_call, after: 80 days, within: 10 days, channel: email, template: miss_you}
---*/
select customer as user_id, customer || '@example.com' as email, max(bought_on) as occurred_at, count(*) as purchases
from {{source "purchases"}}
where bought_on <= {{as_of}}
group by customer
having count(*) >= 3 and max(bought_on) <= {{ago "60 days"}} and max(bought_on) > {{ago "95 days"}}
`,
  "segments/quick_second.sql": `/*---
description: The second purchase within 14 days of the first
status: live
signal: frequency
priority: 50
steps:
  - {name: thanks, after: 1 day, within: 10 days, channel: email, template: thanks}
---*/
select customer as user_id, customer || '@example.com' as email, bought_on as occurred_at
from (
  select customer, bought_on,
    min(bought_on) over (partition by customer) as first_bought_on,
    row_number() over (partition by customer order by bought_on) as nth
  from {{source "purchases"}}
  where bought_on <= {{as_of}}
) counted
where nth = 2 and bought_on - first_bought_on <= 14 and bought_on > {{ago "30 days"}}
`,
  "segments/audiences/bought_again.sql": `
select customer as user_id, bought_on as occurred_at
from {{source "purchases"}}
where bought_on <= {{as_of}} and bought_on > {{ago "100 days"}}
`,
  "templates/news.hbs": "---\nsubject: New in the shop\nlayout: none\n---\n<p>You have spent {{spent}} dollars with us.</p>\n",
  "templates/offer.hbs": "---\nsubject: Something for you\nlayout: none\n---\n<p>Come and see what is new.</p>\n",
  "templates/voucher.hbs": "---\nsubject: A voucher for you\nlayout: none\n---\n<p>Ten dollars off your next CD.</p>\n",
  "templates/miss_you.hbs": "---\nsubject: It has been a while\nlayout: none\n---\n<p>We miss you after {{purchases}} purchases.</p>\n",
  "templates/thanks.hbs": "---\nsubject: Thank you\nlayout: none\n---\n<p>Thank you for coming back so soon.</p>\n",
};

/** The project, read from real files, and its templates. */
export function loadShop(): { project: Project; templates: TemplateCatalog } {
  const root = mkdtempSync(path.join(tmpdir(), "opportune-cdnow-"));
  try {
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text.trimStart());
    }
    const project = loadProject(root, { env: {} });
    return { project, templates: loadRenderer(project) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Makes the table that the segments read, by the warehouse's own reader of CSV. */
export async function createPurchases(warehouse: Warehouse): Promise<void> {
  const columns = "{'customer': 'varchar', 'bought_on': 'date', 'cds': 'integer', 'dollars': 'decimal(9, 2)'}";
  const file = CSV.replaceAll("'", "''");
  await warehouse.execute({ sql: `create table main.purchases as select * from read_csv('${file}', header = true, columns = ${columns})`, params: [] });
}

export interface Purchase {
  /** The day's midnight, ms since 1970 UTC. */
  at: number;
  cents: number;
}

/** Each customer's purchases, oldest first. */
export type Customers = ReadonlyMap<string, readonly Purchase[]>;

export function readCustomers(): Customers {
  const customers = new Map<string, Purchase[]>();
  for (const line of readFileSync(CSV, "utf8").trimEnd().split("\n").slice(1)) {
    const [customer = "", date = "", , dollars = ""] = line.split(",");
    const purchases = customers.get(customer) ?? [];
    purchases.push({ at: Date.parse(`${date}T00:00:00Z`), cents: Number(dollars.replace(".", "")) });
    customers.set(customer, purchases);
  }
  for (const purchases of customers.values()) purchases.sort((a, b) => a.at - b.at);
  return customers;
}

/** Who shows which behaviour at an instant (ISO 8601 UTC), told from the purchases up to then. */
export function shopAt(project: Project, customers: Customers, asOf: string): WorldRun {
  const now = Date.parse(asOf);
  const ago = (days: number): number => now - days * DAY_MS;
  const known = [...customers].flatMap(([user, all]) => {
    const purchases = all.filter(({ at }) => at <= now);
    const last = purchases.at(-1);
    return last === undefined ? [] : [{ user, purchases, last: last.at }];
  });
  const rowOf = (user: string, behaviour: number): WorldRow => ({ user_id: user, occurred_at: isoOf(behaviour), email: `${user}@example.com` });

  const top = topTenth(known).filter(({ last }) => last <= ago(30) && last > ago(75));
  const regulars = known.filter(({ purchases, last }) => purchases.length >= 3 && last <= ago(60) && last > ago(95));
  const second = known.flatMap(({ user, purchases: [first, next] }) => {
    if (first === undefined || next === undefined || next.at - first.at > 14 * DAY_MS || next.at <= ago(30)) return [];
    return [rowOf(user, next.at)];
  });
  const again = known.flatMap(({ user, purchases }) =>
    purchases.filter(({ at }) => at > ago(100)).map(({ at }): AudienceRow => ({ user_id: user, occurred_at: isoOf(at) })),
  );
  return {
    asOf,
    project,
    rows: {
      top_spenders: top.map(({ user, last }) => rowOf(user, last)),
      lapsed_regulars: regulars.map(({ user, last }) => rowOf(user, last)),
      quick_second: second,
    },
    audiences: { bought_again: again },
  };
}

/** As SQL's ntile(10) deals them out: where ten doesn't divide the customers, the first tenths are one larger. */
function topTenth<T extends { user: string; purchases: readonly Purchase[] }>(known: readonly T[]): T[] {
  return known
    .map((each) => ({ each, cents: each.purchases.reduce((sum, { cents }) => sum + cents, 0) }))
    .sort((a, b) => b.cents - a.cents || (a.each.user < b.each.user ? -1 : 1))
    .slice(0, Math.ceil(known.length / 10))
    .map(({ each }) => each);
}

function isoOf(instant: number): string {
  return new Date(instant).toISOString().replace(".000Z", "Z");
}

/** 09:00 UTC of every so-manieth day from 1997-01-01 to 1998-06-30. */
export function mornings(everyDays: number): string[] {
  const found: string[] = [];
  const end = Date.parse("1998-06-30T09:00:00Z");
  for (let at = Date.parse("1997-01-01T09:00:00Z"); at <= end; at += everyDays * DAY_MS) found.push(isoOf(at));
  return found;
}
