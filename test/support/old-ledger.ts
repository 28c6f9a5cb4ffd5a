/** A shop whose ledger Opportune 0.1.0 has written, on each warehouse, and what its upgrade must keep. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { ledgerInstallCommand } from "../../src/commands/ledger.js";
import { Binder, constantTable, ledgerTable, renderSqlFile, type Constant, type ConstantColumn, statementsOf } from "../../src/warehouse/sql.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { write } from "../commands/support.js";
import { LEDGER_FILES, SCHEMA } from "../ledger/support.js";
import type { WarehouseName } from "./databases.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";
import { told } from "./terminal.js";

type Type = ConstantColumn["type"];
type Dump = Readonly<Record<string, { columns: Readonly<Record<string, Type>>; rows: readonly Readonly<Record<string, string>>[] }>>;

const DUMP = JSON.parse(readFileSync(new URL("../data/ledger-0.1.0/ledger.json", import.meta.url), "utf8")) as Dump;
const UMA = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
const VERA = "B1EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";

const SEGMENTS = {
  "segments/cart.sql": `/*---
status: live
first_run: send
topic: carts
steps:
  - {name: nudge, after: 10 minutes, within: 6 hours, channel: email, template: cart}
  - {name: second, after: 2 hours, within: 6 hours, channel: email, template: cart}
---*/
select user_id, email, occurred_at, name, total from {{source "carts"}}
`,
  "segments/welcome.sql": `/*---
status: live
first_run: send
repeat: never
topic: news
steps:
  - {name: hello, after: 10 minutes, within: 30 days, channel: email, template: hello}
---*/
select user_id, email, signed_up_at as occurred_at from people
`,
  "templates/hello.hbs": '---\nsubject: "Hello"\nlayout: none\n---\n<p>Hello</p>\n',
};
/** Who was there then, as the warehouse wrote them. */
const PEOPLE = ["ada", "7.0", " bob ", UMA, "8.00", "lea"];
const CARTS = ["9.0", " cy ", VERA, "dan", "kim", "10.0"];
const ADDRESSES: Readonly<Record<string, string>> = { "7.0": "seven", [UMA]: "uma", "8.00": "eight", "9.0": "nine", [VERA]: "vera", "10.0": "ten" };

/** The ledger as 0.1.0 left it: the tables of its files, and its rows. */
async function loadOldLedger(warehouse: Warehouse): Promise<void> {
  const { dialect } = warehouse;
  const execute = (sql: string): Promise<number> => warehouse.execute({ sql, params: [] });
  await execute(`create schema ${dialect.schemaName(SCHEMA)}`);
  for (const file of LEDGER_FILES.slice(0, 3)) {
    for (const sql of statementsOf(renderSqlFile(`ledger/${file}`, dialect, SCHEMA, { types: dialect.columnTypes }).sql)) await execute(sql);
  }
  for (const [table, { columns, rows }] of Object.entries(DUMP)) {
    const named = Object.entries(columns).map(([name, type]): ConstantColumn => ({ name, type }));
    const cells = rows.map((row) => named.map(({ name, type }) => cellOf(row[name], type)));
    const binder = new Binder(dialect);
    const select = constantTable({ columns: named, rows: cells }, dialect, binder);
    await execute(`delete from ${ledgerTable(dialect, SCHEMA, table)} where true`);
    if (rows.length > 0)
      await warehouse.execute({
        sql: `insert into ${ledgerTable(dialect, SCHEMA, table)} (${Object.keys(columns).join(", ")})\n${select}`,
        params: binder.params,
      });
  }
}

function cellOf(value: string | undefined, type: Type): Constant {
  if (value === undefined) return null;
  if (type === "bigint") return Number(value);
  if (type === "boolean") return value === "true";
  return type === "timestamp" ? { timestamp: `${value.replace(" ", "T")}Z` } : value;
}

/** The shop with that ledger, not yet upgraded. `live`: whether a target of the project is, where a channel `letters` writes files. */
export async function oldShop(on: WarehouseName, live = false): Promise<Shop> {
  const shop = await Shop.open({ on, ledger: false });
  shop.edit("opportune.yml", "sources:", '  letters: {type: email, provider: outbox, from: "Shop <shop@example.com>"}\nsources:');
  if (!live) shop.edit("opportune.yml", "live: true", "live: false");
  write(shop.root, SEGMENTS);
  // Each by itself: Snowflake makes a new schema the session's.
  await shop.warehouse(loadOldLedger);
  await shop.warehouse(async (warehouse) => {
    const { text, timestamp } = warehouse.dialect.types;
    await warehouse.execute({ sql: `create table people (user_id ${text}, email ${text}, signed_up_at ${timestamp})`, params: [] });
  });
  const email = (user: string): string => `${ADDRESSES[user] ?? user.trim()}@example.com`;
  for (const user of PEOPLE) await shop.execute(`insert into people values ('${user}', '${email(user)}', timestamp '2026-03-01 09:00:00')`);
  for (const user of CARTS) {
    const time = user === "10.0" ? "11:55:00" : "11:30:00";
    await shop.execute(`insert into carts values ('${user}', '${email(user)}', timestamp '2026-03-02 ${time}', 'NAME', 20)`);
  }
  return shop;
}

/** `opportune ledger install`. */
export async function upgrade(shop: Shop): Promise<string> {
  return (await told((terminal) => ledgerInstallCommand(terminal, { projectDir: shop.root, color: false }))).stdout;
}

/** Every id and address in its one form, the trials told, and the counts printed. */
export async function expectUpgraded(shop: Shop): Promise<void> {
  const column = async (sql: string): Promise<unknown[]> => (await shop.rows(sql)).flatMap((row) => Object.values(row));
  const users = ["10", "7", "8", "9", UMA.toLowerCase(), "ada", VERA.toLowerCase(), "bob", "cy", "dan", "kim", "lea"].sort();
  expect((await column("select distinct user_id from opportune.sent_ledger")).map(String).sort()).toEqual(users);
  expect(await column("select user_id from opportune.preferences")).toEqual(["9"]);
  expect((await column("select address from opportune.suppressions")).map(String).sort()).toEqual(["kim@example.com", "lea@example.com"]);
  expect(await column("select distinct segment from opportune.sent_ledger where trial")).toEqual(["letter"]);
  expect((await column("select event from opportune.sent_ledger where trial order by seq")).map(String)).toEqual(
    ["claimed", "sending", "accepted"].flatMap((event) => [event, event]),
  );
}

/** Nobody hears again, whatever form the tables write an id in; what was under way goes on. */
export async function upgradeStory(on: WarehouseName): Promise<void> {
  const shop = await oldShop(on);
  const output = await upgrade(shop);
  expect(output).toContain("2 messages (6 rows) became trials");
  await expectUpgraded(shop);
  expect(await upgrade(shop)).not.toContain("trials");

  shop.edit("opportune.yml", "live: false", "live: true");
  // What had waited for the end of a pause goes now: 10.0's cart, once.
  expect((await shop.run(T0 + 30 * MINUTE)).problems).toEqual([]);
  expect(shop.recipients()).toEqual(["ten@example.com"]);
  for (const [old, now] of [
    ["7.0", "7"],
    [" bob ", "bob"],
    [UMA, UMA.toLowerCase()],
    ["8.00", "8"],
  ])
    await shop.execute(`update people set user_id = '${now ?? ""}' where user_id = '${old ?? ""}'`);
  for (const [old, now] of [
    ["9.0", "9"],
    [" cy ", "cy"],
    [VERA, VERA.toLowerCase()],
  ])
    await shop.execute(`update carts set user_id = '${now ?? ""}' where user_id = '${old ?? ""}'`);
  await shop.run(T0 + 40 * MINUTE);
  expect(shop.recipients()).toEqual(["ten@example.com"]);
  // The journeys run on: their second step comes, once.
  for (const minutes of [100, 110]) await shop.run(T0 + minutes * MINUTE);
  expect(shop.recipients()).toEqual(["cy", "dan", "nine", "ten", "vera"].map((name) => `${name}@example.com`).sort());
}
