/** The clone guard: a ledger in a copy of its database knows of other messages than were sent, so nothing leaves from there. */
import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { debugCommand } from "../src/commands/debug.js";
import { ledgerAdoptCommand } from "../src/commands/ledger.js";
import { adopt, isAtHome, refuseCopies } from "../src/ledger/identity.js";
import { ledgerFacts } from "../src/ledger/ledger.js";
import { installLedger } from "../src/ledger/schema.js";
import { openPostgres } from "../src/warehouse/postgres.js";
import type { Warehouse } from "../src/warehouse/types.js";
import { asSuperuser, createDatabase } from "./support/postgres.js";
import { MINUTE, Shop, T0 } from "./support/run-shop.js";
import { told } from "./support/terminal.js";
import { close, onClose } from "./warehouse/support.js";

const REFUSED = {
  exitCode: 1,
  problems: [
    {
      code: "ledger/copy",
      message: "The ledger in schema opportune came from another database: this one is a copy or a restore, and nothing is sent from it.",
      hint: expect.stringContaining("`opportune ledger adopt`") as string,
    },
  ],
};

async function refuse(warehouse: Warehouse): Promise<void> {
  await refuseCopies(warehouse, "opportune", (await ledgerFacts(warehouse, "opportune")).home);
}

it("a copied DuckDB file sends nothing for a live target until it is adopted", async () => {
  const shop = await Shop.sending(["ada"]);
  shop.edit("opportune.yml", "live: false", "live: true");
  const options = { projectDir: shop.root, color: false };
  await shop.run(T0);
  expect((await told((terminal) => debugCommand(terminal, options))).stdout).toMatch(/^OK +database +the one that the ledger was made in/m);

  renameSync(join(shop.root, "shop.duckdb"), join(shop.root, "original.duckdb"));
  cpSync(join(shop.root, "original.duckdb"), join(shop.root, "shop.duckdb"));
  await shop.carts(["bob"], 20);
  // The lease was taken and given back: its fence alone is another.
  const { leases: _, ...before } = await shop.dump();
  await expect(shop.run(T0 + MINUTE)).rejects.toMatchObject(REFUSED);
  expect(await shop.dump()).toMatchObject(before);
  expect(await shop.rows("select holder from opportune.leases where name = 'run'")).toEqual([{ holder: null }]);
  const checked = await told((terminal) => debugCommand(terminal, options));
  expect(checked).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^FAIL +database +The ledger in schema opportune came from another database/m) as string,
  });

  // Where nothing really leaves, a copy is as good as any.
  shop.edit("opportune.yml", "live: true", "live: false");
  expect((await told((terminal) => debugCommand(terminal, options))).stdout).toMatch(/^OK +database +a copy or a restore of the ledger's own; harmless/m);
  expect((await shop.run(T0 + MINUTE)).delivery).toMatchObject({ counts: { accepted: 1 } });
  shop.edit("opportune.yml", "live: false", "live: true");

  expect(await told((terminal) => ledgerAdoptCommand(terminal, options))).toEqual({
    code: 0,
    stdout: "The ledger in schema opportune of target dev belongs to this database now: runs may send from it.\n",
    stderr: "",
  });
  // What the copy sent while it was not live was a trial: bob is written to again.
  await shop.carts(["eve"], 20);
  expect((await shop.run(T0 + 2 * MINUTE)).delivery).toMatchObject({ counts: { accepted: 2 } });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "bob@example.com", "eve@example.com"]);

  // The original is moved back without becoming another.
  rmSync(join(shop.root, "shop.duckdb"));
  renameSync(join(shop.root, "original.duckdb"), join(shop.root, "shop.duckdb"));
  await shop.warehouse(refuse);
});

it("a ledger that knows no database yet is at home where it is next installed, and only there", async () => {
  const shop = await Shop.open();
  await shop.warehouse(async (warehouse) => {
    expect(await isAtHome(warehouse, "opportune")).toBe(true);
    await warehouse.execute({ sql: "delete from opportune.meta where name = 'database'", params: [] });
    await refuse(warehouse);
    // Brought forward, it is at home where it stands; installed again elsewhere it is not.
    await installLedger(warehouse, "opportune");
    await warehouse.execute({ sql: "update opportune.meta set content = 'elsewhere' where name = 'database'", params: [] });
    await installLedger(warehouse, "opportune");
    expect(await isAtHome(warehouse, "opportune")).toBe(false);
  });
});

it("a Postgres database made from another as its template is a copy", async () => {
  const { connection, drop } = await createDatabase();
  const copy = { ...connection, database: `${String(connection.database)}_copy` };
  const open = async (to: typeof connection): Promise<Warehouse> => onClose(await openPostgres(to, { root: "." }));
  try {
    const original = await open(connection);
    await installLedger(original, "opportune");
    await refuse(original);
    await close(original);
    await asSuperuser(`create database ${copy.database} template ${String(connection.database)}`);
    const copied = await open(copy);
    await expect(refuse(copied)).rejects.toMatchObject(REFUSED);
    await adopt(copied, "opportune");
    await refuse(copied);
    await close(copied);
    const again = await open(connection);
    await refuse(again);
    await close(again);
  } finally {
    await asSuperuser(`drop database if exists ${copy.database} with (force)`);
    await drop();
  }
});
