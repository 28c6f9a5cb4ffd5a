/** Postgres behind a pooler: PgBouncer, which hands backends from session to session as others of its kind do. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { debugCommand } from "../../src/commands/debug/debug.js";
import type { OpportuneError } from "../../src/core/errors.js";
import { loadProject } from "../../src/project/build/load.js";
import type { PostgresConnection } from "../../src/project/targets/postgres.js";
import { findPooler } from "../../src/warehouse/postgres/pooler.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { write } from "../commands/support.js";
import { plain, rejection } from "../warehouse/support.js";
import { pgbouncerPath, startPgbouncer, type Pooler, type PoolMode } from "../support/pgbouncer.js";
import { poolerStory } from "../support/pooler-story.js";
import { createDatabase } from "../support/postgres.js";
import { Shop } from "../support/run-shop.js";
import { told } from "../support/terminal.js";

const RUNS = 8;
const path = pgbouncerPath();

const NAMED = {
  code: "warehouse/pooler",
  message: expect.stringMatching(
    /^A pooler in transaction mode stands before Postgres \(test_\w+ on 127\.0\.0\.1:\d+\): .+\. A run needs one session\.$/,
  ) as string,
  hint: expect.stringContaining("in session mode") as string,
};

describe.skipIf(path === null)("through PgBouncer", () => {
  it(`in transaction mode beside a busy neighbour, ${String(RUNS)} runs: nobody is written to twice, each run is refused by name or clean`, async () => {
    const { endings, people, reached, twice } = await poolerStory(path ?? "", "transaction", RUNS);
    console.log(`${String(RUNS)} runs, transaction mode: ${JSON.stringify({ endings, people, reached, twice })}`);
    expect(twice).toEqual({});
    expect(Object.keys(endings).filter((ending) => !/: (?:clean|warehouse\/pooler)$/.test(ending))).toEqual([]);
    expect(endings).toMatchObject({ "before: warehouse/pooler": RUNS / 4, "never: clean": RUNS / 4 });
  });

  it("in session mode beside the same neighbour: as without a pooler", async () => {
    const { endings, people, reached, twice } = await poolerStory(path ?? "", "session", 4);
    expect({ endings, reached, twice }).toEqual({
      endings: { "before: clean": 1, "decided: clean": 1, "sending: clean": 1, "never: clean": 1 },
      reached: people,
      twice: {},
    });
  });

  it("debug says so, with the way out, and is content in session mode and without one", async () => {
    const shop = await Shop.open({ on: "postgres" });
    const { connection } = loadProject(shop.root, { env: {} }).target;
    if (connection.type !== "postgres") throw new Error("not on Postgres");
    const session = async (): Promise<{ code: number; lines: string[] }> => {
      const { code, stdout } = await told((terminal) => debugCommand(terminal, { projectDir: shop.root, color: false }));
      const lines = stdout.split("\n");
      const at = lines.findIndex((line) => /^\w+ +session /.test(line));
      return { code, lines: lines.slice(at, lines[at]?.startsWith("FAIL") === true ? at + 2 : at + 1) };
    };
    const content = { code: 0, lines: [expect.stringMatching(/^OK +session +stays on its backend beside 8 open transactions$/)] };
    expect(await session()).toEqual(content);
    const written = readFileSync(join(shop.root, "opportune.yml"), "utf8");
    for (const mode of ["transaction", "session"] as const) {
      const pooler = await startPgbouncer(path ?? "", connection, mode, ["default_pool_size = 20"]);
      try {
        write(shop.root, { "opportune.yml": written.replace(`"port":${String(connection.port)}`, `"port":${String(pooler.connection.port)}`) });
        const found = await session();
        if (mode === "session") expect(found).toEqual(content);
        else
          expect(found).toMatchObject({
            code: 1,
            lines: [expect.stringMatching(/^FAIL +session +A pooler in transaction mode stands/), expect.stringContaining("in session mode")],
          });
      } finally {
        await pooler.stop();
      }
    }
  });

  describe("a session", () => {
    let database: Awaited<ReturnType<typeof createDatabase>>;
    const after: (() => Promise<void>)[] = [];
    beforeEach(async () => {
      database = await createDatabase();
      after.push(() => database.drop());
    });
    afterEach(async () => {
      for (const end of after.splice(0).reverse()) await end();
    });

    async function pooled(mode: PoolMode, settings: readonly string[] = []): Promise<PostgresConnection> {
      const pooler: Pooler = await startPgbouncer(path ?? "", database.connection, mode, settings);
      after.push(() => pooler.stop());
      return pooler.connection;
    }

    async function client({ host, port, database: name, user, password }: PostgresConnection): Promise<Client> {
      const made = new Client({ host, port, database: name ?? "", user: user ?? "", password: password ?? "" });
      made.on("error", () => undefined);
      await made.connect();
      after.push(() => made.end());
      return made;
    }

    async function open(connection: PostgresConnection): Promise<Warehouse> {
      const warehouse = await openPostgres(connection, { root: "." });
      after.push(() => warehouse.close());
      return warehouse;
    }

    const ASKS: readonly [string, (warehouse: Warehouse) => Promise<unknown>][] = [
      ["a query", (warehouse) => warehouse.query(plain("select 1 as a"))],
      ["a statement", (warehouse) => warehouse.execute(plain("create table t (a integer)"))],
      ["a description", (warehouse) => warehouse.describe(plain("select 1 as a"))],
      ["a script", (warehouse) => warehouse.script({ statements: [plain("create table t (a integer)")] })],
      ["a transaction", (warehouse) => warehouse.transaction(() => warehouse.execute(plain("create table t (a integer)")))],
      ["a stream", (warehouse) => warehouse.stream(plain("select 1 as a"), 1)[Symbol.asyncIterator]().next() as Promise<unknown>],
      ["an append", (warehouse) => warehouse.append("nowhere", [{ name: "a", kind: "integer", values: [1] }])],
      ["its identity", (warehouse) => warehouse.identity()],
    ];

    it.each(ASKS)("that is given another backend before %s ends there, and asks nothing more", async (_, ask) => {
      const connection = await pooled("transaction");
      const warehouse = await open(connection);
      await warehouse.query(plain("select 1 as a"));
      // The pool hands out the backend that came back last: the session's.
      const neighbour = await client(connection);
      await neighbour.query("begin");
      const error = (await rejection(ask(warehouse))) as OpportuneError;
      expect(error.problems).toEqual([NAMED]);
      await neighbour.query("commit");
      expect(await rejection(warehouse.query(plain("select 1 as a")))).toBe(error);
      const direct = await client(database.connection);
      expect((await direct.query("select relname from pg_class where relname = 't'")).rows).toEqual([]);
      // What stands alone may be anywhere: the lease is given back so.
      expect(await warehouse.beside?.(plain("select 1"))).toBe(1);
    });

    it("takes nothing that another has left on the backend for its own, and leaves nothing there", async () => {
      const connection = await pooled("transaction");
      const make = (warehouse: Warehouse): Promise<unknown> =>
        warehouse.script({ work: [plain(`${warehouse.dialect.createWorkTable("decisions").split("\n").at(-1) ?? ""} as select 1 as a`)], statements: [] });
      const rows = (warehouse: Warehouse): Promise<unknown> => warehouse.query(plain(`select a from ${warehouse.dialect.workTable("decisions")}`));
      const [first, second] = [await openPostgres(connection, { root: "." }), await open(connection)];
      await make(first);
      expect(await rows(first)).toEqual([{ a: 1 }]);
      // On the same backend, which nobody else asks for.
      expect((await rejection(rows(second))).message).toMatch(/relation ".+" does not exist|has lost its tables/);
      await first.query(plain("set local timezone to 'Asia/Tokyo'"));
      await first.close();
      const direct = await client(database.connection);
      expect((await direct.query("select relname from pg_class where relname like 'opportune%'")).rows).toEqual([]);
      const neighbour = await client(connection);
      // The name is the pooler's own doing.
      const { rows: settings } = await neighbour.query("select name from pg_settings where source = 'session' and name <> 'application_name'");
      expect(settings).toEqual([]);
      expect((await neighbour.query("select name from pg_cursors")).rows).toEqual([]);
    });

    it("does not heed what a neighbour has set on the backend", async () => {
      const connection = await pooled("transaction");
      const neighbour = await client(connection);
      await neighbour.query(
        "create schema theirs; set search_path to theirs; set synchronous_commit to off; create temporary table x (a integer); insert into x values (1)",
      );
      await neighbour.query("set session characteristics as transaction isolation level serializable");
      const warehouse = await open(connection);
      const [row] = await warehouse.query(
        plain(`select current_setting('search_path') as path, current_setting('synchronous_commit') as commits, current_setting('timezone') as zone,
          current_setting('transaction_isolation') as isolation, current_setting('statement_timeout') as timeout`),
      );
      expect(row).toEqual({ path: '"$user", public', commits: "on", zone: "UTC", isolation: "read committed", timeout: "1min" });
    });

    it("that is emptied after each transaction is told apart too", async () => {
      const connection = await pooled("transaction", ["server_reset_query_always = 1"]);
      const warehouse = await open(connection);
      const { dialect } = warehouse;
      await warehouse.script({ work: [plain(`${dialect.createWorkTable("decisions").split("\n").at(-1) ?? ""} (a integer)`)], statements: [] });
      const error = (await rejection(warehouse.query(plain(`select a from ${dialect.workTable("decisions")}`)))) as OpportuneError;
      expect(error.problems).toEqual([NAMED]);
    });

    it("in statement mode is refused when it is opened", async () => {
      const error = (await rejection(openPostgres(await pooled("statement"), { root: "." }))) as OpportuneError;
      expect(error.problems).toEqual([NAMED]);
    });

    it("cancels its own statement, from another backend", async () => {
      const warehouse = await open(await pooled("transaction"));
      const direct = await client(database.connection);
      const slow = rejection(warehouse.query(plain("select pg_sleep(60)")));
      for (let active = 0; active === 0;) {
        await direct.query("select pg_stat_clear_snapshot()");
        active = (await direct.query("select from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'")).rows.length;
      }
      await warehouse.cancel();
      expect((await slow).message).toBe("canceling statement due to user request");
    });

    it.each([
      ["transaction", [], true],
      ["transaction", ["server_round_robin = 1"], true],
      ["transaction", ["default_pool_size = 1"], true],
      ["statement", [], true],
      ["session", ["default_pool_size = 20"], false],
      ["session", [], false],
    ] as const)("debug's own load finds a pooler: %s mode %j: %j", async (mode, settings, there) => {
      const found = await findPooler(await pooled(mode, settings), ".");
      expect(found?.problems ?? []).toEqual(there ? [NAMED] : []);
    });

    it("debug's own load finds none without a pooler", async () => {
      expect(await findPooler(database.connection, ".")).toBeNull();
    });
  });
});
