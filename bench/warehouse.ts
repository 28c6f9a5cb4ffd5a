/** What the benchmark's warehouses hold: users, behaviours, and a ledger with years behind it. The same SQL makes it on both. */
import { installLedger } from "../src/ledger/install/install.js";
import { Ledger } from "../src/ledger/ledger.js";
import type { Warehouse } from "../src/warehouse/types.js";
import { SEGMENTS } from "./project.js";

export interface Size {
  users: number;
  candidates: number;
  /** Of the ledger's first 360 days, and of each 360 after them: it grows at an even pace. */
  rowsPerYear: number;
}

const STARTED = Date.parse("2024-01-01T14:00:00Z");
const YEAR_SECONDS = 360 * 86_400;

/** Sequence numbers of the ledger's past end here; from here on those of the messages that settle candidates, then those of runs. */
const SETTLED_FROM = 100_000_000_000;
const FENCE = 1000;
const RUNS_FROM = FENCE * 1_000_000_000;

/** When the ledger holds so many rows, ISO 8601 UTC: the moment to run as of. */
export function asOfRows(rows: number, size: Size): string {
  return new Date(STARTED + Math.round((rows / size.rowsPerYear) * 360) * 86_400_000).toISOString().replace(".000", "");
}

function sqlFor({ dialect }: Warehouse): {
  series(from: number, to: number, name: string): string;
  after(timestamp: string, seconds: string): string;
  at(iso: string): string;
} {
  const duckdb = dialect.name === "duckdb";
  return {
    /** Whole numbers from `from` to below `to`. */
    series: (from, to, name) =>
      duckdb ? `range(${String(from)}, ${String(to)}) t(${name})` : `generate_series(cast(${String(from)} as bigint), ${String(to - 1)}) t(${name})`,
    after: (timestamp, seconds) => dialect.plusSeconds(timestamp, seconds),
    at: (iso) => `cast('${iso}' as ${dialect.types.timestamp})`,
  };
}

async function execute(warehouse: Warehouse, ...statements: string[]): Promise<void> {
  for (const sql of statements) await warehouse.execute({ sql, params: [] });
}

/** An empty ledger, the users, and those who are never written to. */
export async function createTables(warehouse: Warehouse, size: Size): Promise<void> {
  const { series } = sqlFor(warehouse);
  const ledger = new Ledger(warehouse, "opportune");
  await installLedger(ledger);
  await ledger.execute(ledger.tables.updateTable("meta").set({ content: "bench" }).where("name", "=", "salt"));
  await ledger.execute(ledger.tables.updateTable("leases").set({ fence: FENCE }).where("name", "=", "run"));
  await execute(
    warehouse,
    `create table users as select 'user-' || i as user_id, 'user' || i || '@example.com' as email,
      case i % 4 when 0 then 'Europe/Berlin' when 1 then 'America/New_York' when 2 then 'UTC' end as timezone,
      'Name' || (i % 1000) as first_name, 'City' || (i % 100) as city from ${series(0, size.users, "i")}`,
    `create table blocked as select 'user-' || (i * 89 % ${String(size.users)}) as user_id from ${series(0, Math.ceil(size.users / 1000), "i")}`,
  );
  // As such tables have on a database that is not column-wise.
  if (warehouse.dialect.name === "postgres") await execute(warehouse, "alter table users add primary key (user_id)", "analyze blocked");
}

const LEDGER_COLUMNS = `seq, run_id, message_id, segment, segment_version, step, variant, user_id, item_key, class, channel, topic, template, template_version,
  occurred_at, counts_from, due_at, expires_at, send_by, decided_at, recorded_at, event, reason, rule, detail, settles, counts, address`;
const VERSION = "'5d41402abc4b'";
/** Messages of one run of the past: a page or two of claims, then what became of them. */
const RUN_MESSAGES = 32;
/** Of the k-th row of a message that was sent. */
const EVENT = "case k when 0 then 'claimed' when 1 then 'sending' else 'accepted' end";
const CLAIMED = "case k when 0 then 1 else 0 end";

/**
 * Appends a ledger's rows number `from` to `to`, in the order of time, as runs leave them: first a run's claims, then that they are
 * sent, then the answers. No candidate had a message of its own segment before, but of the other segments all did.
 */
export async function growLedger(warehouse: Warehouse, from: number, to: number, size: Size): Promise<void> {
  const { series, after, at } = sqlFor(warehouse);
  const whole = (sql: string): string => `cast(floor(${sql}) as bigint)`;
  const each = String(size.candidates / SEGMENTS);
  const runRows = RUN_MESSAGES * 3;
  const runSeconds = (YEAR_SECONDS * runRows) / size.rowsPerYear;
  const start = at(new Date(STARTED).toISOString());
  const indexes = await dropIndexes(warehouse);
  await execute(
    warehouse,
    `insert into opportune.sent_ledger (${LEDGER_COLUMNS})
    select n, '20240101T140000Z_' || lpad(cast(run as varchar), 8, '0'), md5(cast(m as varchar)),
      'segment_' || ((${whole(`u / ${each}`)} + 1 + m % ${String(SEGMENTS - 1)}) % ${String(SEGMENTS)}), ${VERSION}, 'first', '', 'user-' || u, '',
      'marketing', 'email', 'bench', 'offer', ${VERSION}, ${after("moment", "-600")}, ${after("moment", "-600")}, moment, ${after("moment", "86400")}, ${after("moment", "86400")},
      moment, moment, ${EVENT}, ${EVENT}, '', null, ${CLAIMED}, ${CLAIMED}, case k when 0 then 'user' || u || '@example.com' end
    from (
      select n, run, m, k, m * 2654435761 % ${String(size.users)} as u, ${after(start, whole(`run * ${String(runSeconds)}`))} as moment
      from (
        select n, ${whole(`n / ${String(runRows)}`)} as run, ${whole(`n / ${String(runRows)}`)} * ${String(RUN_MESSAGES)} + n % ${String(RUN_MESSAGES)} as m,
          ${whole(`n % ${String(runRows)} / ${String(RUN_MESSAGES)}`)} as k
        from ${series(from, to, "n")}
      ) q
    ) p`,
    ...indexes,
  );
  await settle(warehouse);
}

/** Loading is faster without them. Gives what makes them again. */
async function dropIndexes(warehouse: Warehouse): Promise<string[]> {
  if (warehouse.dialect.name !== "postgres") return [];
  const rows = await warehouse.query({
    sql: "select indexname, indexdef from pg_indexes where schemaname = 'opportune' and tablename = 'sent_ledger'",
    params: [],
  });
  for (const row of rows) await execute(warehouse, `drop index opportune.${String(row["indexname"])}`);
  return rows.map((row) => String(row["indexdef"]));
}

/** What each warehouse does for itself after a while, done at once. */
async function settle(warehouse: Warehouse): Promise<void> {
  await execute(warehouse, warehouse.dialect.name === "postgres" ? "vacuum (analyze) opportune.sent_ledger" : "checkpoint");
}

/** The behaviours as of a moment: everyone due now, half an hour ago; and purchases before them. */
export async function behave(warehouse: Warehouse, asOf: string, size: Size): Promise<void> {
  const { series, after, at } = sqlFor(warehouse);
  const each = size.candidates / SEGMENTS;
  await execute(
    warehouse,
    "drop table if exists behaviours",
    "drop table if exists purchases",
    `create table behaviours as select cast(floor(i / ${String(each)}) as bigint) as segment, i % ${String(size.users)} as user_number, 'user-' || (i % ${String(size.users)}) as user_id,
      ${after(at(asOf), "-1800 - i % 600")} as occurred_at, cast(19.9 + i % 100 as decimal(10, 2)) as total from ${series(0, size.candidates, "i")}`,
    `create table purchases as select 'user-' || (i * 97 % ${String(size.users)}) as user_id, ${after(at(asOf), "-129600 + i % 3600")} as occurred_at
      from ${series(0, Math.ceil(size.users / 50), "i")}`,
  );
  if (warehouse.dialect.name === "postgres")
    await execute(
      warehouse,
      "create index on behaviours (segment, occurred_at)",
      "create index on purchases (occurred_at)",
      "vacuum (analyze) behaviours",
      "vacuum (analyze) purchases",
    );
}

/** Settles candidates: each `every`-th one beginning with the `first` got its message twenty minutes ago. */
export async function settleCandidates(warehouse: Warehouse, asOf: string, first: number, every: number): Promise<void> {
  const { series, after, at } = sqlFor(warehouse);
  const moment = after(at(asOf), "-1200");
  await execute(
    warehouse,
    `insert into opportune.sent_ledger (${LEDGER_COLUMNS})
    select ${String(SETTLED_FROM)} + user_number * 3 + k, 'settling', md5(segment || ':' || user_id), 'segment_' || segment, ${VERSION}, 'first', '', user_id, '',
      'marketing', 'email', 'bench', 'offer', ${VERSION}, occurred_at, occurred_at, ${after("occurred_at", "600")}, ${after("occurred_at", "87000")}, ${after("occurred_at", "86400")},
      ${moment}, ${moment}, ${EVENT}, ${EVENT}, '', null, ${CLAIMED}, ${CLAIMED}, case k when 0 then 'user' || user_number || '@example.com' end
    from (select b.*, k from behaviours b cross join ${series(0, 3, "k")} where user_number % ${String(every)} = ${String(first)}) q
    order by user_number, k`,
  );
  await settle(warehouse);
}

/** Removes what runs wrote, and with `settled` what `settleCandidates` did. Numbers of leases go on. */
export async function forget(warehouse: Warehouse, what: "runs" | "settled"): Promise<void> {
  const from = what === "runs" ? RUNS_FROM : SETTLED_FROM;
  await execute(
    warehouse,
    `delete from opportune.sent_ledger where seq >= ${String(from)}`,
    "delete from opportune.runs",
    "delete from opportune.segment_runs",
  );
  await settle(warehouse);
}
