/** The tables that the shipped segments read, empty, on a real warehouse; and what a segment or audience returns over a few rows. */
import { join } from "node:path";
import { instant, secondsBefore } from "../../src/core/clock.js";
import { parseDuration } from "../../src/core/durations.js";
import { loadProject } from "../../src/project/build/load.js";
import { renderQuery } from "../../src/segments/query.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import { isoSeconds, Binder } from "../../src/warehouse/sql.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { openNewDatabase } from "../support/postgres.js";

export const ROOT = join(import.meta.dirname, "../..");
export const AS_OF = "2026-03-02T12:00:00Z";
export const shipped = loadProject(ROOT, { env: {} });

/** Columns as both warehouses take them; what a test doesn't give has these defaults. */
const TABLES = {
  users:
    "user_id varchar, email varchar default 'ada@example.com', first_name varchar default 'Ada', timezone varchar, locale varchar, signed_up_at timestamp default '2025-05-01T00:00:00', start_url varchar default 'https://app.plainfold.example/start'",
  events: "event_id varchar, user_id varchar, occurred_at timestamp, event varchar, subject varchar",
  subscriptions:
    "subscription_id varchar default 's1', user_id varchar, plan varchar, status varchar, started_at timestamp default '2025-06-01T00:00:00', trial_ends_at timestamp, paid_at timestamp, ended_at timestamp, changed_from varchar, price decimal(10,2) default 24, currency varchar default 'EUR'",
  usage: "user_id varchar, measured_at timestamp, metric varchar default 'boards', used integer, plan_limit integer, plan varchar default 'starter'",
  carts:
    "user_id varchar, cart_id varchar, updated_at timestamp, items varchar, item_count integer default 1, total decimal(10,2) default 14.5, currency varchar default 'EUR', cart_url varchar",
  orders: "order_id varchar, user_id varchar, cart_id varchar, ordered_at timestamp, total decimal(10,2) default 20, currency varchar default 'EUR'",
  order_items: "order_id varchar, product_id varchar, quantity integer default 1, price decimal(10,2) default 5",
  products: "product_id varchar, name varchar, category varchar, price decimal(10,2) default 5, currency varchar default 'EUR', product_url varchar",
  discount_codes: "code varchar, user_id varchar, percent integer default 10, expires_at timestamp",
  tickets: "ticket_id varchar, user_id varchar, subject varchar default 'Parcel', opened_at timestamp, closed_at timestamp",
  consents: "user_id varchar, granted_at timestamp, withdrawn_at timestamp",
} as const;

const STEPS = ["create_planner", "import_calendar", "invite_teammate", "first_review"] as const;

type Table = keyof typeof TABLES;
type Value = string | number | null;

/** `7 days` before AS_OF, ISO 8601 UTC. */
export function ago(text: string): string {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new Error(`no duration: ${text}`);
  return secondsBefore(AS_OF, seconds);
}

/** So long after AS_OF. */
export function ahead(text: string): string {
  return instant(2 * Date.parse(AS_OF) - Date.parse(ago(text)));
}

export interface Plainfold {
  /** Adds rows to a table; users that were not given yet come into being. */
  given(table: Table, ...rows: Readonly<Record<string, Value>>[]): Promise<void>;
  /** The first so many steps of the set-up, the last of them so long ago. */
  setUp(user: string, steps: number, last: string): Promise<void>;
  uses(user: string, feature: string, ...agos: readonly string[]): Promise<void>;
  /** A plan that has been paid for since 60 days ago. */
  pays(user: string, plan: string): Promise<void>;
  orders(user: string, ...agos: readonly string[]): Promise<void>;
  /** Ten customers, c01 to c10, the higher the number the better: c09 and c10 are the best fifth by any measure. */
  customers(): Promise<void>;
  /** What a segment returns: the columns asked for, joined by spaces, a row a line, sorted. Timestamps are ISO 8601 UTC. */
  segment(id: string, ...columns: readonly string[]): Promise<string[]>;
  audience(name: string, ...columns: readonly string[]): Promise<string[]>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function openPlainfold(on: "duckdb" | "postgres"): Promise<Plainfold> {
  const warehouse: Warehouse =
    on === "postgres"
      ? await openNewDatabase()
      : await openDuckDb({ type: "duckdb", path: ":memory:", waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: "." });
  const run = (sql: string): Promise<number> => warehouse.execute({ sql, params: [] });
  for (const [table, columns] of Object.entries(TABLES)) await run(`create table ${table} (${columns})`);

  const insert = async (table: Table, row: Readonly<Record<string, Value>>): Promise<void> => {
    const cells = Object.values(row).map((value) => (typeof value === "string" ? `'${value}'` : String(value)));
    await run(`insert into ${table} (${Object.keys(row).join(", ")}) values (${cells.join(", ")})`);
  };
  const ask = async (file: Parameters<typeof renderQuery>[0], columns: readonly string[]): Promise<string[]> => {
    const binder = new Binder(warehouse.dialect);
    const { sql } = renderQuery(file, shipped, AS_OF, binder);
    const text = (name: string): string => (name.endsWith("_at") ? isoSeconds(name, warehouse.dialect) : `cast(${name} as varchar)`);
    const all = columns.map((name) => `coalesce(${text(name)}, '-')`).join(" || ' ' || ");
    const rows = await warehouse.query({ sql: `select ${all} as answer from (\n${sql}\n) asked order by 1`, params: binder.params });
    return rows.map(({ answer }) => String(answer)).sort();
  };
  const found = <T>(item: T | undefined, name: string): T => {
    if (item === undefined) throw new Error(`there is no ${name}`);
    return item;
  };
  const users = new Set<string>();
  const given: Plainfold["given"] = async (table, ...rows) => {
    for (const row of rows) {
      const user = row["user_id"];
      if (typeof user === "string" && !users.has(user)) {
        users.add(user);
        if (table !== "users") await insert("users", { user_id: user });
      }
      await insert(table, row);
    }
  };
  const orders: Plainfold["orders"] = (user, ...agos) =>
    given("orders", ...agos.map((time, i) => ({ user_id: user, order_id: `${user}.${String(i)}`, ordered_at: ago(time) })));
  return {
    given,
    orders,
    setUp: (user, steps, last) =>
      given(
        "events",
        ...STEPS.slice(0, steps).map((subject, i) => ({
          user_id: user,
          occurred_at: i === steps - 1 ? ago(last) : ago("200 days"),
          event: "setup_step_completed",
          subject,
        })),
      ),
    uses: (user, feature, ...agos) =>
      given("events", ...agos.map((time) => ({ user_id: user, occurred_at: ago(time), event: "feature_used", subject: feature }))),
    pays: (user, plan) => given("subscriptions", { user_id: user, plan, paid_at: ago("60 days") }),
    customers: async () => {
      for (let n = 1; n <= 10; n++) await orders(`c${String(n).padStart(2, "0")}`, ...Array.from({ length: n }, (_, i) => `${String(20 * (11 - n) + i)} days`));
    },
    segment: (id, ...columns) => ask(found(shipped.segments.get(id), id), ["user_id", ...columns]),
    audience: (name, ...columns) => ask(found(shipped.audiences.get(name), name), ["user_id", ...columns]),
    clear: async () => {
      users.clear();
      for (const table of Object.keys(TABLES)) await run(`delete from ${table}`);
    },
    close: () => warehouse.close(),
  };
}
