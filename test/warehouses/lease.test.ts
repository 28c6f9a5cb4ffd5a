/** The ledger's tables and its lease: one winner whoever races for it, and an installation that broke off is repaired. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { ledgerStatus } from "../../src/ledger/install/versions.js";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { recordRunStart } from "../../src/ledger/runs/record.js";
import { createTestDatabase, type Database } from "../support/databases.js";
import { rounds } from "../support/rounds.js";
import { rejection } from "../warehouse/support.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { onEachWarehouse } from "./support/each.js";
import { TWO_PROCESSES } from "./support/not-supported.js";

const SCHEMA = "opportune";
const ROUNDS = rounds(15, 60);
const TABLES = ["sent_ledger", "runs", "segment_runs", "engagement", "suppressions", "preferences", "pauses", "leases", "meta"];
/** Of the statements of an installation, after which it breaks off. */
const BREAKS = [0.1, 0.4, 0.7, 0.9];
/** BigQuery's emulator takes half a minute for an installation. */
const BREAKS_ON_BIGQUERY = [0.4];

onEachWarehouse("the ledger", ({ name }, check) => {
  let database: Database;
  let warehouse: Warehouse;
  const contenders: ChildProcess[] = [];
  const query = (sql: string): Promise<Row[]> => warehouse.query({ sql, params: [] });

  beforeAll(async () => {
    database = await createTestDatabase(name);
    warehouse = await database.connect();
    await installLedger(new Ledger(warehouse, SCHEMA));
  });
  afterEach(() => contenders.splice(0).forEach((child) => child.kill("SIGKILL")));
  afterAll(() => database.drop());

  async function hire(): Promise<ChildProcess> {
    const script = join(import.meta.dirname, "support/contender.ts");
    const child = fork(script, [JSON.stringify(database.target), SCHEMA], { execArgv: ["--import", "tsx"] });
    contenders.push(child);
    expect(await answer(child)).toBe("ready");
    return child;
  }

  const shapeOf = async (schema: string): Promise<string[]> => {
    const shapes = TABLES.map(async (table) => {
      const columns = await warehouse.describe({ sql: `select * from ${schema}.${table}`, params: [] });
      return `${table}: ${columns.map((column) => `${column.name} ${column.type}`).join(", ")}`;
    });
    return Promise.all(shapes);
  };

  check(
    `of two processes that ask for its lease at once one gets it, ${String(ROUNDS)} times`,
    async () => {
      const racing = await Promise.all([hire(), hire()]);
      const [before] = await query(`select fence from ${SCHEMA}.leases where name = 'run'`);
      const wins = [0, 0];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const answers = await Promise.all(racing.map((child) => ask(child, "take")));
        expect([...answers].sort(), `round ${String(round)}`).toEqual(["held", "won"]);
        const winner = answers.indexOf("won");
        wins[winner] = (wins[winner] ?? 0) + 1;
        const [row] = await query(`select fence from ${SCHEMA}.leases where name = 'run'`);
        expect(Number(row?.["fence"]) - Number(before?.["fence"])).toBe(round);
        const [champion] = racing.slice(winner);
        if (champion !== undefined) expect(await ask(champion, "release")).toBe("released");
      }
      console.info(`won ${wins.join(" and ")} times`);
      await Promise.all(racing.map((child) => ask(child, "end").catch(() => "ended")));
    },
    TWO_PROCESSES,
  );

  check("whoever loses it to another can write nothing any more", async () => {
    const first = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    await warehouse.execute({
      sql: `update ${SCHEMA}.leases set expires_at = ${warehouse.dialect.plusSeconds(warehouse.dialect.clock, "-3600")} where name = 'run'`,
      params: [],
    });
    const second = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    expect(second.fence).toBe(first.fence + 1);
    const run = { runId: "stale", asOf: "2026-03-02T12:00:00Z", trial: false, version: "test" };
    const error = await rejection(recordRunStart(first, run));
    expect(error).toMatchObject({ problems: [{ code: "ledger/lease-lost" }] });
    expect(await query(`select run_id from ${SCHEMA}.runs`)).toEqual([]);
    await recordRunStart(second, { ...run, runId: "fresh" });
    expect(await query(`select run_id from ${SCHEMA}.runs`)).toEqual([{ run_id: "fresh" }]);
    await second.release();
    // It beats no longer.
    await first.release();
  });

  check("an installation that broke off, wherever it did, is repaired by the next and loses nothing", async () => {
    const wanted = await shapeOf(SCHEMA);
    const [execute, script] = [warehouse.execute.bind(warehouse), warehouse.script.bind(warehouse)];
    let left = Infinity;
    let seen = 0;
    const next = (): void => {
      seen += 1;
      if (left-- <= 0) throw new Error("the connection is gone");
    };
    warehouse.execute = (statement) => (next(), execute(statement));
    // Of one that is cut off nothing stands.
    warehouse.script = (asked) => (next(), script(asked));
    try {
      await installLedger(new Ledger(warehouse, "uncut"));
      const whole = seen;
      const facts = await query("select name from uncut.meta order by name");
      const leases = await query("select name, holder from uncut.leases order by name");
      for (const [i, part] of (name === "bigquery" ? BREAKS_ON_BIGQUERY : BREAKS).entries()) {
        const schema = `broken_off_${String(i)}`;
        left = Math.floor(whole * part);
        expect((await rejection(installLedger(new Ledger(warehouse, schema)))).message).toBe("the connection is gone");
        left = Infinity;
        await installLedger(new Ledger(warehouse, schema));
        const { version, expected } = await ledgerStatus(new Ledger(warehouse, schema));
        expect(version).toBe(expected);
        expect(await shapeOf(schema), schema).toEqual(wanted);
        expect(await query(`select name from ${schema}.meta order by name`)).toEqual(facts);
        expect(await query(`select name, holder from ${schema}.leases order by name`)).toEqual(leases);
        await (await HeldLedger.take(new Ledger(warehouse, schema))).release();
      }
    } finally {
      Object.assign(warehouse, { execute, script });
    }
  });
});

function ask(child: ChildProcess, order: string): Promise<string> {
  const said = answer(child);
  child.send(order);
  return said;
}

async function answer(child: ChildProcess): Promise<string> {
  const over = new AbortController();
  const first = (event: string): Promise<unknown[]> => once(child, event, { signal: over.signal });
  try {
    return await Promise.race([first("message").then(([text]) => String(text)), first("exit").then(() => "gone")]);
  } finally {
    over.abort();
  }
}
