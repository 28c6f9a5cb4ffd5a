/** Whole runs on Snowflake's emulator: a target in opportune.yml, a user's own types, claims streamed while outcomes are committed. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import { run } from "../../src/run/run.js";
import type { RunResult } from "../../src/run/types.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder, write } from "../commands/support.js";
import { QUIET_RUN } from "../support/quiet-run.js";
import { newDatabaseName, SNOWFLAKE_URL_VARIABLE } from "../support/snowflake.js";
import { typedShop } from "../support/typed-shop.js";

const NOW = Date.parse("2026-03-02T12:00:00Z");
/** More than one batch of claims. */
const USERS = 3_000;

const FILES = typedShop({
  target: `{type: snowflake, account: fakesnow, user: OPPORTUNE, password: "\${SNOWFLAKE_PASSWORD}", url: "\${SNOWFLAKE_URL}", database: "\${DATABASE}", session_schema: shop, schema: messages}`,
  loadedAt: "dateadd(minute, 30, updated_at)",
});

let root: string;
let project: Project;
let warehouse: Warehouse;

beforeEach(async () => {
  root = temporaryFolder();
  write(root, FILES);
  project = loadProject(root, {
    env: { SNOWFLAKE_PASSWORD: "test", SNOWFLAKE_URL: process.env[SNOWFLAKE_URL_VARIABLE] ?? "", DATABASE: newDatabaseName() },
  });
  warehouse = await openWarehouse(project.target.connection, { root });
  for (const sql of [
    `create table carts as select n as user_id, 'User' || n || '@Example.com' as email, 'cart-' || n as cart_id, to_timestamp_ntz('2026-03-02 11:30:00') as updated_at,
      cast(12.5 as number(10, 2)) as total, case when n % 2 = 0 then 'starter' else 'growth' end as plan, array_construct('a', 'b"c') as tags,
      object_construct('size', 'XL') as extra, to_date('2026-02-01') as bought_on, cast(null as float) as rating
      from (select seq4() + 1 as n from table(generator(rowcount => ${String(USERS)})))`,
    "create table orders as select 8 as user_id, to_timestamp_ntz('2026-03-02 11:45:00') as ordered_at",
  ])
    await warehouse.execute({ sql, params: [] });
  await installLedger(new Ledger(warehouse, project.target.schema));
});

afterEach(() => warehouse.close());

function runAt(now: number): Promise<RunResult> {
  return run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => now });
}

const query = (sql: string): Promise<Row[]> => warehouse.query({ sql, params: [] });

describe("a run on Snowflake's emulator", () => {
  it("sends what is due once, with the user's own types, and leaves the broken segment alone", async () => {
    const { decisions, delivery } = await runAt(NOW);
    const [cart, broken] = ["cart", "broken"].map((id) => decisions.segments.find(({ segment }) => segment === id));
    expect(cart?.reasons).toEqual({ claimed: USERS - 2, excluded: 1, converted: 1 });
    expect(delivery?.counts.accepted).toBe(USERS - 2);
    expect(broken?.problem).toMatchObject({ file: "segments/broken.sql" });
    expect(await query("select count(*) as n, count(distinct message_id) as messages from messages.sent_ledger where event = 'accepted'")).toEqual([
      { n: USERS - 2, messages: USERS - 2 },
    ]);
    const again = await runAt(NOW + 60_000);
    expect(again.delivery?.counts.accepted).toBe(0);
  });
});
