/** `ledger install` as a role that may not: which right is missing, and the SQL that gives it. The hint is run, and it works. */
import { randomBytes } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { ledgerStatus } from "../../src/ledger/install/versions.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { createDatabase } from "../support/postgres.js";

interface Scene {
  role: string;
  database: string;
  owner: Warehouse;
  job: Warehouse;
}

async function scene(): Promise<Scene> {
  const { connection, drop } = await createDatabase();
  const role = `installer_${randomBytes(4).toString("hex")}`;
  const owner = await openPostgres(connection, { root: "." });
  await owner.execute({ sql: `create role ${role} login password 'secret'`, params: [] });
  const job = await openPostgres({ ...connection, user: role, password: "secret" }, { root: "." });
  onTestFinished(async () => {
    await job.close();
    for (const sql of [`drop owned by ${role} cascade`, `drop role ${role}`]) await owner.execute({ sql, params: [] });
    await owner.close();
    await drop();
  });
  return { role, database: String(connection.database), owner, job };
}

async function refused(job: Warehouse): Promise<{ message: string; hint: string }> {
  const error: unknown = await installLedger(new Ledger(job, "opportune")).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OpportuneError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.problems).toMatchObject([{ code: "ledger/rights" }]);
  return { message: error.problems[0]?.message ?? "", hint: error.problems[0]?.hint ?? "" };
}

it("without the right to make a schema", async () => {
  const { role, database, owner, job } = await scene();
  const { message, hint } = await refused(job);
  expect(message).toBe(`Role ${role} may not create a schema in database ${database}: the ledger can't be installed.`);
  const [, make = "", grant = ""] = /^As the database's owner: (create schema .+;) or (grant .+;)$/.exec(hint) ?? [];
  expect(make).toBe(`create schema "opportune" authorization ${role};`);
  expect(grant).toContain("grant create on database ");
  await owner.execute({ sql: make, params: [] });
  await installLedger(new Ledger(job, "opportune"));
  expect((await ledgerStatus(new Ledger(job, "opportune"))).version).toBeGreaterThan(0);
});

it("in a schema of somebody else's", async () => {
  const { role, owner, job } = await scene();
  await owner.execute({ sql: "create schema opportune", params: [] });
  const { message, hint } = await refused(job);
  expect(message).toBe(`Role ${role} may not create tables in schema opportune: the ledger can't be installed.`);
  expect(hint).toBe(`As the schema's owner: grant usage, create on schema opportune to ${role};`);
  await owner.execute({ sql: hint.replace(/^[^:]+: /, ""), params: [] });
  await installLedger(new Ledger(job, "opportune"));
  expect((await ledgerStatus(new Ledger(job, "opportune"))).version).toBeGreaterThan(0);
});
