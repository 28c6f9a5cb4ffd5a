/**
 * Real customers: the purchases of test/data/cdnow.csv, a project of three segments over them, and the same segments computed
 * once more without SQL, for the model.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import { loadRenderer } from "../../src/render/renderer.js";
import type { TemplateCatalog } from "../../src/segments/types.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { createModel } from "../model/model.js";
import { asText, differenceIn, type Difference } from "./compare.js";
import { createRealDecider, type OpenEmpty } from "./sql-decider.js";
import type { AudienceRow, DecidedRow, WorldRow, WorldRun } from "./world.js";

const CSV = path.join(import.meta.dirname, "../data/cdnow.csv");
const DAY_MS = 86_400_000;

/**
 * As a user would write it, the offers so near to each other that they meet the cap and one another. What top_spenders calls its
 * behaviour is the last purchase, so that a purchase which ends a journey begins no other one. The behaviour of lapsed_regulars
 * is that 60 days of silence are over, which comes after the purchase that ended the last journey, and so may come again.
 */
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
  - {name: miss_you, within: 21 days, channel: email, template: miss_you}
  - {name: last_call, after: 20 days, within: 10 days, channel: email, template: miss_you}
---*/
select customer as user_id, customer || '@example.com' as email, max(bought_on) + 60 as occurred_at, count(*) as purchases
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
export function loadShop(name?: Warehouse["dialect"]["name"]): { project: Project; templates: TemplateCatalog } {
  const root = mkdtempSync(path.join(tmpdir(), "opportune-cdnow-"));
  try {
    for (const [file, text] of Object.entries(FILES)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), (name === "bigquery" ? inGoogleSql(text) : text).trimStart());
    }
    const project = loadProject(root, { env: {} });
    return { project, templates: loadRenderer(project) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** GoogleSQL compares no days with instants, and gives no number for the days between two. */
function inGoogleSql(sql: string): string {
  return sql
    .replace(/(max\(bought_on\)|last_bought_on|bought_on) (<=|>) (\{\{[^}]+\}\})/g, "timestamp($1) $2 $3")
    .replace("bought_on - first_bought_on", "date_diff(bought_on, first_bought_on, day)");
}

/** Makes the table that the segments read: by the warehouse's own reader of CSV if it has one. */
export async function createPurchases(warehouse: Warehouse): Promise<void> {
  if (warehouse.dialect.name !== "duckdb") return copyPurchases(warehouse);
  const columns = "{'customer': 'varchar', 'bought_on': 'date', 'cds': 'integer', 'dollars': 'decimal(9, 2)'}";
  const file = CSV.replaceAll("'", "''");
  await warehouse.execute({ sql: `create table main.purchases as select * from read_csv('${file}', header = true, columns = ${columns})`, params: [] });
}

async function copyPurchases(warehouse: Warehouse): Promise<void> {
  const lines = readFileSync(CSV, "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const names = ["customer", "bought_on", "cds", "dollars"];
  const { text } = warehouse.dialect.types;
  // BigQuery casts to no type with a precision; its numeric has nine digits after the point.
  const money = warehouse.dialect.name === "bigquery" ? "numeric" : "decimal(9, 2)";
  await warehouse.execute({ sql: "create schema if not exists main", params: [] });
  await warehouse.execute({ sql: `create table main.purchases_as_text (${names.map((name) => `${name} ${text}`).join(", ")})`, params: [] });
  await warehouse.append(
    "main.purchases_as_text",
    names.map((name, at) => ({ name, kind: "text", values: lines.map((line) => line[at] ?? null) })),
  );
  await warehouse.execute({
    sql: `create table main.purchases as
      select customer, cast(bought_on as date) as bought_on, cast(cds as integer) as cds, cast(dollars as ${money}) as dollars from main.purchases_as_text`,
    params: [],
  });
}

export interface Purchase {
  /** The day's midnight, ms since 1970 UTC and in ISO 8601. */
  at: number;
  iso: string;
  cents: number;
}

/** Each customer's purchases, oldest first. */
export type Customers = ReadonlyMap<string, readonly Purchase[]>;

export function readCustomers(): Customers {
  const customers = new Map<string, Purchase[]>();
  for (const line of readFileSync(CSV, "utf8").trimEnd().split("\n").slice(1)) {
    const [customer = "", date = "", , dollars = ""] = line.split(",");
    const purchases = customers.get(customer) ?? [];
    const iso = `${date}T00:00:00Z`;
    purchases.push({ at: Date.parse(iso), iso, cents: Number(dollars.replace(".", "")) });
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
    return last === undefined ? [] : [{ user, purchases, last }];
  });
  const rowOf = (user: string, behaviour: string): WorldRow => ({ user_id: user, occurred_at: behaviour, email: `${user}@example.com` });

  const top = topTenth(known).filter(({ last: { at } }) => at <= ago(30) && at > ago(75));
  const regulars = known.filter(({ purchases, last: { at } }) => purchases.length >= 3 && at <= ago(60) && at > ago(95));
  const second = known.flatMap(({ user, purchases: [first, next] }) => {
    if (first === undefined || next === undefined || next.at - first.at > 14 * DAY_MS || next.at <= ago(30)) return [];
    return [rowOf(user, next.iso)];
  });
  const again = known
    .filter(({ last: { at } }) => at > ago(100))
    .flatMap(({ user, purchases }) => purchases.filter(({ at }) => at > ago(100)).map(({ iso }): AudienceRow => ({ user_id: user, occurred_at: iso })));
  return {
    asOf,
    project,
    rows: {
      top_spenders: top.map(({ user, last }) => rowOf(user, last.iso)),
      lapsed_regulars: regulars.map(({ user, last }) => rowOf(user, isoOf(last.at + 60 * DAY_MS))),
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

/** A row of the ledger and the run (ISO 8601 UTC) that appended it. */
export type LedgerEntry = DecidedRow & { asOf: string };

/**
 * Decides the purchases at these instants by the model and by the SQL on a new warehouse. Gives what the SQL appended and, where a
 * run's rows differ (it stops there), the story of the first customers concerned.
 */
export async function decideCdnow(
  asOfs: readonly string[],
  customers: Customers,
  open: OpenEmpty,
): Promise<{ ledger: LedgerEntry[]; difference: string | null }> {
  const warehouse = await open();
  const { project, templates } = loadShop(warehouse.dialect.name);
  const model = createModel();
  const sql = await createRealDecider(createPurchases, templates, () => Promise.resolve(warehouse));
  const ledger: LedgerEntry[] = [];
  try {
    for (const [index, asOf] of asOfs.entries()) {
      const world = shopAt(project, customers, asOf);
      const expected = await model.run(world);
      const actual = await sql.run(world);
      ledger.push(...actual.map((row) => ({ ...row, asOf })));
      const difference = differenceIn(index, expected, actual);
      if (difference !== null) return { ledger, difference: told(asOf, difference, ledger, customers) };
    }
    return { ledger, difference: null };
  } finally {
    await sql.close();
  }
}

/** Customers and rows shown of a difference. */
const SHOWN = 5;

function told(asOf: string, { onlyModel, onlyOther }: Difference, ledger: readonly LedgerEntry[], customers: Customers): string {
  const concerned = [...new Set([...onlyModel, ...onlyOther].map((row) => row.user_id))].slice(0, SHOWN);
  const lines = (rows: readonly DecidedRow[]): string[] => rows.slice(0, SHOWN).map((row) => `  ${asText(row)}`);
  return [
    `the run as of ${asOf} differs`,
    `only the model has (${String(onlyModel.length)}):`,
    ...lines(onlyModel),
    `only the SQL has (${String(onlyOther.length)}):`,
    ...lines(onlyOther),
    ...concerned.flatMap((user) => [
      `customer ${user} bought on ${(customers.get(user) ?? []).map(({ iso, cents }) => `${iso.slice(0, 10)} for ${(cents / 100).toFixed(2)}`).join(", ")}; the SQL's ledger:`,
      ...ledger.filter((row) => row.user_id === user).map((row) => `  ${row.asOf} ${asText(row)}`),
    ]),
  ].join("\n");
}

/** How many rows there are of each kind, as `segment step event reason rule` (where the reason has one) and the number. */
export function tally(ledger: readonly LedgerEntry[]): string[] {
  const counts = new Map<string, number>();
  for (const { segment, step, event, reason, rule } of ledger) {
    const kind = [segment, step, event, ...(reason === event ? [] : [reason]), ...(rule === "" ? [] : [rule])].join(" ");
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${kind}: ${String(count)}`).sort();
}

/**
 * Who must be in the ledger if it was decided at these instants: the customers with a quick second purchase, and each silence
 * of a regular (customer, then the day on which it was 60 days long) that some run could see. Asked of the warehouse at once
 * over all the time, where the segments are asked afresh as of each run.
 */
export async function expectedBehaviours(asOfs: readonly string[]): Promise<{ quickSeconds: string[]; silences: string[] }> {
  const warehouse = await openDuckDb({ type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: "." });
  try {
    await createPurchases(warehouse);
    const column = async (sql: string): Promise<string[]> => (await warehouse.query({ sql, params: [] })).map((row) => String(row["found"]));
    const quickSeconds = await column(`
      select p.customer as found from main.purchases p
      join (select customer, min(bought_on) as first_on from main.purchases group by customer) f on f.customer = p.customer
      where p.bought_on - f.first_on <= 14 group by p.customer having count(*) >= 2 order by 1`);
    const silences = await column(`
      with days as (
        select customer, bought_on, sum(count(*)) over (partition by customer order by bought_on) as purchases,
          lead(bought_on) over (partition by customer order by bought_on) as next_on
        from main.purchases group by customer, bought_on
      )
      select customer || ' ' || cast(bought_on + 60 as varchar) as found from days
      where purchases >= 3 and exists (
        select 1 from (values ${asOfs.map((asOf) => `(timestamp '${asOf.slice(0, -1)}')`).join(", ")}) runs(as_of)
        where as_of >= bought_on + 60 and as_of < bought_on + 95 and (next_on is null or as_of < next_on)
      ) order by 1`);
    return { quickSeconds, silences };
  } finally {
    await warehouse.close();
  }
}

/** Pairs of a customer's claims or hold-outs that are nearer to each other than 14 days, one sentence each. */
export function nearerThan14Days(ledger: readonly LedgerEntry[]): string[] {
  const claims = new Map<string, string[]>();
  for (const { user_id, event, asOf } of ledger) {
    if (event === "claimed" || event === "held_out") claims.set(user_id, [...(claims.get(user_id) ?? []), asOf]);
  }
  return [...claims].flatMap(([user, times]) =>
    times.flatMap((time, index) => {
      const before = times[index - 1];
      return before !== undefined && Date.parse(time) - Date.parse(before) < 14 * DAY_MS ? [`${user}: ${before}, ${time}`] : [];
    }),
  );
}
