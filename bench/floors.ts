/** What bounds a figure from below: the same rows read with as little as can be, measured in the same run. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { loadProject } from "../src/project/build/load.js";
import type { Warehouse } from "../src/warehouse/types.js";
import { type Store } from "./store.js";

const require = createRequire(import.meta.url);

/** Opens the warehouse with its driver alone, asks for one row and closes it. */
const CONNECT = {
  duckdb: `const { DuckDBInstance } = require(process.env.DRIVER);
    DuckDBInstance.create(process.env.PLACE, { threads: "2" }).then(async (instance) => {
      const connection = await instance.connect();
      await connection.run("select 1");
      connection.closeSync();
      instance.closeSync();
    });`,
  postgres: `const { Client } = require(process.env.DRIVER);
    const client = new Client(process.env.PLACE);
    client.connect().then(() => client.query("select 1")).then(() => client.end());`,
};

/** The floor of a whole process, s: node, the driver and a connection. */
export function bareProcess({ connection }: Store): number {
  const place = connection.type === "duckdb" ? connection.path : urlOf(connection);
  const driver = require.resolve(connection.type === "duckdb" ? "@duckdb/node-api" : "pg");
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["-e", CONNECT[connection.type]], {
    env: { ...process.env, DRIVER: driver, PLACE: place },
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`the bare process ended with ${String(status)}: ${stderr}`);
  return (performance.now() - started) / 1000;
}

function urlOf({ host, port, user, password, database }: Extract<Store["connection"], { type: "postgres" }>): string {
  return `postgres://${user ?? ""}:${password ?? ""}@${host}:${String(port)}/${database ?? ""}`;
}

/** The floor of staging, s: the segments' own queries, each alone, with none of their rows kept. */
export async function queriesAlone(warehouse: Warehouse, root: string, asOf: string): Promise<number> {
  const started = performance.now();
  for (const segment of loadProject(root).segments.values()) {
    const query = segment.sql.replaceAll(/\{\{ago "(\d+) days"\}\}/g, (_, days) =>
      warehouse.dialect.plusSeconds(`cast('${asOf}' as ${warehouse.dialect.types.timestamp})`, String(-86_400 * Number(days))),
    );
    await warehouse.query({ sql: `select count(*) as n, count(email) as e, count(first_name) as f, count(city) as c from (${query}) q`, params: [] });
  }
  return (performance.now() - started) / 1000;
}

/**
 * The floor of arbitration, s: over a narrow table of the candidates, one anti-join with what is settled lately, one look-up in all
 * history (`repeat: never`), one count for the caps and one window that finds each user's first.
 */
export async function arbitrationAlone(warehouse: Warehouse, asOf: string): Promise<number> {
  const { dialect } = warehouse;
  const at = (seconds: number): string => dialect.plusSeconds(`cast('${asOf}' as ${dialect.types.timestamp})`, String(-seconds));
  const temporary = async (name: string, query: string): Promise<void> => {
    await warehouse.execute({ sql: `drop table if exists ${name}`, params: [] });
    await warehouse.execute({ sql: `create temporary table ${name} as ${query}`, params: [] });
    if (dialect.name === "postgres") await warehouse.execute({ sql: `analyze ${name}`, params: [] });
  };
  await temporary("floor_candidates", "select 'segment_' || segment as segment, user_id, occurred_at from behaviours");
  const started = performance.now();
  await temporary(
    "floor_left",
    `select c.* from floor_candidates c
    left join (select segment, user_id, occurred_at from opportune.sent_ledger where decided_at >= ${at(4 * 86_400)} and settles > 0) l
      on l.segment = c.segment and l.user_id = c.user_id and l.occurred_at = c.occurred_at
    where l.user_id is null`,
  );
  await warehouse.query({
    sql: `select count(*) as n from floor_left c
    where exists (select 1 from opportune.sent_ledger l where l.segment = c.segment and l.user_id = c.user_id and l.item_key = '' and l.counts <> 0)`,
    params: [],
  });
  await temporary(
    "floor_caps",
    `select user_id, count(*) as sent from opportune.sent_ledger where decided_at >= ${at(2 * 86_400)} and counts > 0 group by user_id`,
  );
  await warehouse.query({
    sql: `select count(*) as n from (
      select row_number() over (partition by c.user_id order by c.segment, c.occurred_at) as place, coalesce(k.sent, 0) as sent
      from floor_left c left join floor_caps k on k.user_id = c.user_id
    ) line where place = 1 and sent < 20`,
    params: [],
  });
  return (performance.now() - started) / 1000;
}
