/** The clone guard: a ledger in a copy of its database knows of other messages than were sent, so nothing leaves from there. */
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { debugCommand } from "../../src/commands/debug/debug.js";
import { ledgerAdoptCommand } from "../../src/commands/ledger.js";
import { adopt, refuseCopies, strangerIn } from "../../src/ledger/install/home.js";
import { ledgerFacts } from "../../src/ledger/facts.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { formerId } from "../../src/warehouse/duckdb/id.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { asSuperuser, createDatabase } from "../support/postgres.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { told } from "../support/terminal.js";
import { close, onClose } from "../warehouse/support.js";

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

const REFUSED_WITHOUT_ID = {
  exitCode: 1,
  problems: [
    {
      code: "ledger/copy",
      message:
        "The DuckDB file of the ledger in schema opportune has no id beside it: it was copied or moved without its file .opportune, and nothing is sent from it.",
      hint: expect.stringContaining("`opportune ledger adopt`") as string,
    },
  ],
};

async function refuse(warehouse: Warehouse): Promise<void> {
  await refuseCopies(new Ledger(warehouse, "opportune"), (await ledgerFacts(new Ledger(warehouse, "opportune"))).home);
}

it("a copied DuckDB file sends nothing for a live target until it is adopted", async () => {
  const shop = await Shop.sending(["ada"]);
  shop.edit("opportune.yml", "live: false", "live: true");
  const options = { projectDir: shop.root, color: false };
  await shop.run(T0);
  expect((await told((terminal) => debugCommand(terminal, options))).stdout).toMatch(/^OK +database +the one that the ledger was made in/m);

  for (const name of ["shop.duckdb", "shop.duckdb.opportune"]) renameSync(join(shop.root, name), join(shop.root, name.replace("shop", "original")));
  cpSync(join(shop.root, "original.duckdb"), join(shop.root, "shop.duckdb"));
  await shop.carts(["bob"], 20);
  // The lease was taken and given back: its fence alone is another.
  const { leases: _, ...before } = await shop.dump();
  await expect(shop.run(T0 + MINUTE)).rejects.toMatchObject(REFUSED_WITHOUT_ID);
  expect(await shop.dump()).toMatchObject(before);
  expect(await shop.rows("select holder from opportune.leases where name = 'run'")).toEqual([{ holder: null }]);
  const checked = await told((terminal) => debugCommand(terminal, options));
  expect(checked).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^FAIL +database +The DuckDB file of the ledger in schema opportune has no id beside it/m) as string,
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
  for (const name of ["shop.duckdb", "shop.duckdb.opportune"]) renameSync(join(shop.root, name.replace("shop", "original")), join(shop.root, name));
  await shop.warehouse(refuse);
});

/** The shop's warehouse under another name. */
function opened(shop: Shop, path: string): Promise<Warehouse> {
  return openDuckDb({ type: "duckdb", path, waitForLockSeconds: 0, memoryLimit: null, threads: 1 }, { root: shop.root });
}

async function refusal(shop: Shop, path: string): Promise<unknown> {
  const warehouse = await opened(shop, path);
  try {
    return await refuse(warehouse).then(
      () => null,
      (error: unknown) => error,
    );
  } finally {
    await warehouse.close();
  }
}

it("a DuckDB file that was copied alone is told, with its id beside it is not; one that lost its id waits for `ledger adopt`", async () => {
  const shop = await Shop.open();
  const at = (name: string): string => join(shop.root, name);
  await shop.warehouse(refuse);
  const [id = ""] = readFileSync(at("shop.duckdb.opportune"), "utf8").split("\n");
  expect(await shop.rows("select content from opportune.meta where name = 'database'")).toEqual([{ content: id }]);

  // Whatever its number on its volume: nothing but the file beside it counts.
  cpSync(at("shop.duckdb"), at("alone.duckdb"));
  expect(await refusal(shop, "alone.duckdb")).toMatchObject(REFUSED_WITHOUT_ID);
  cpSync(at("shop.duckdb"), at("both.duckdb"));
  cpSync(at("shop.duckdb.opportune"), at("both.duckdb.opportune"));
  expect(await refusal(shop, "both.duckdb")).toBeNull();
  // Beside another database's id.
  writeFileSync(at("alone.duckdb.opportune"), "0b8f2c55-6f0e-4c7e-9c36-1f6f6f1e3a11\n");
  expect(await refusal(shop, "alone.duckdb")).toMatchObject(REFUSED);

  rmSync(at("shop.duckdb.opportune"));
  await shop.warehouse(async (warehouse) => {
    await expect(refuse(warehouse)).rejects.toMatchObject(REFUSED_WITHOUT_ID);
    // Installed again it stays a stranger: only somebody's word makes it the ledger's home.
    await installLedger(new Ledger(warehouse, "opportune"));
    await expect(refuse(warehouse)).rejects.toMatchObject(REFUSED_WITHOUT_ID);
    expect(existsSync(at("shop.duckdb.opportune"))).toBe(false);
    await adopt(new Ledger(warehouse, "opportune"));
    await refuse(warehouse);
  });
  expect(readFileSync(at("shop.duckdb.opportune"), "utf8")).not.toContain(id);
});

it("an older ledger, which knows its file by its number, gets an id once it is installed there, and not in a copy", async () => {
  const shop = await Shop.open();
  const at = (name: string): string => join(shop.root, name);
  await shop.warehouse((warehouse) =>
    warehouse.execute({ sql: "update opportune.meta set content = $1 where name = 'database'", params: [formerId(at("shop.duckdb"))] }),
  );
  rmSync(at("shop.duckdb.opportune"));
  cpSync(at("shop.duckdb"), at("copy.duckdb"));
  const copy = await opened(shop, "copy.duckdb");
  await installLedger(new Ledger(copy, "opportune"));
  expect(await strangerIn(new Ledger(copy, "opportune"))).toBe("no_id");
  await copy.close();
  await shop.warehouse(async (warehouse) => {
    expect(await strangerIn(new Ledger(warehouse, "opportune"))).toBe("no_id");
    await installLedger(new Ledger(warehouse, "opportune"));
    await refuse(warehouse);
  });
});

it("two ledgers in one file share its id, and a ledger in memory needs none", async () => {
  const shop = await Shop.open();
  await shop.warehouse(async (warehouse) => {
    await installLedger(new Ledger(warehouse, "another"));
    for (const schema of ["opportune", "another"]) expect(await strangerIn(new Ledger(warehouse, schema))).toBeNull();
  });
  const memory = await opened(shop, ":memory:");
  await installLedger(new Ledger(memory, "opportune"));
  await refuse(memory);
  await memory.close();
});

it("a ledger that knows no database yet is at home where it is next installed, and only there", async () => {
  const shop = await Shop.open();
  await shop.warehouse(async (warehouse) => {
    expect(await strangerIn(new Ledger(warehouse, "opportune"))).toBeNull();
    await warehouse.execute({ sql: "delete from opportune.meta where name = 'database'", params: [] });
    await refuse(warehouse);
    // Brought forward, it is at home where it stands; installed again elsewhere it is not.
    await installLedger(new Ledger(warehouse, "opportune"));
    await warehouse.execute({ sql: "update opportune.meta set content = 'elsewhere' where name = 'database'", params: [] });
    await installLedger(new Ledger(warehouse, "opportune"));
    expect(await strangerIn(new Ledger(warehouse, "opportune"))).toBe("copy");
  });
});

it("a Postgres database made from another as its template is a copy", async () => {
  const { connection, drop } = await createDatabase();
  const copy = { ...connection, database: `${String(connection.database)}_copy` };
  const open = async (to: typeof connection): Promise<Warehouse> => onClose(await openPostgres(to, { root: "." }));
  try {
    const original = await open(connection);
    await installLedger(new Ledger(original, "opportune"));
    await refuse(original);
    await close(original);
    await asSuperuser(`create database ${copy.database} template ${String(connection.database)}`);
    const copied = await open(copy);
    await expect(refuse(copied)).rejects.toMatchObject(REFUSED);
    await adopt(new Ledger(copied, "opportune"));
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
