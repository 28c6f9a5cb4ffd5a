/**
 * docs/security.md: the roles and grants on a real Postgres, with the job under the role that it gives it; the token that it
 * reads; what unsubscribing, erasure and a request to see do on both warehouses.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { strangerIn } from "../../src/ledger/install/home.js";
import { setPause } from "../../src/ledger/pauses.js";
import { writeAlertState } from "../../src/ledger/alert-state.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { readToken, signToken } from "../../src/render/html/unsubscribe.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder } from "../commands/support.js";
import { blocksOf, type Block } from "../support/docs.js";
import { asSuperuser } from "../support/postgres.js";
import { DocsWorld, execute, WAREHOUSES } from "../support/docs-world.js";
import { BY_OPERATOR } from "../support/pauses.js";

const blocks = blocksOf("docs/security.md");
const sql = blocks.filter(({ language }) => language === "sql");
const [roles, grants, optOut, erasure, request] = sql as [Block, Block, Block, Block, Block];

it("has the SQL that is run here, and no more", () => {
  expect(sql.map(({ body }) => body.split(" ", 2).join(" "))).toEqual(["create role", "grant usage", "insert into", "delete from", "select decided_at,"]);
});

describe("roles and grants on Postgres", () => {
  const ROLES = ["opportune_owner", "opportune_job", "opportune_reader"];

  it("the job runs with what it is given, and may change nothing that stands in the ledger", async () => {
    const world = await DocsWorld.open("postgres", { ledger: false });
    const { connection } = world;
    if (connection === null) throw new Error("no Postgres");
    const database = String(connection.database);
    const opened: Warehouse[] = [];
    const as = async (role: string): Promise<Warehouse> => {
      const password = new RegExp(`create role ${role} login password '([^']+)'`).exec(roles.body)?.[1] ?? "";
      const warehouse = await openPostgres({ ...connection, user: role, password }, { root: "." });
      opened.push(warehouse);
      return warehouse;
    };
    onTestFinished(async () => {
      for (const warehouse of opened) await warehouse.close();
      await world.close();
      for (const role of ROLES) await asSuperuser(`drop role if exists ${role}`);
    });
    // What everybody may by default must not be what makes it work.
    await execute(world.warehouse, `revoke all on database ${database} from public;\nrevoke all on schema public from public;`);
    await execute(world.warehouse, roles.body.replaceAll("database warehouse", `database ${database}`));

    const owner = await as("opportune_owner");
    await installLedger(new Ledger(owner, "opportune"));
    await execute(owner, grants.body);
    // Again, as after an upgrade.
    await installLedger(new Ledger(owner, "opportune"));

    const job = await as("opportune_job");
    expect(await strangerIn(new Ledger(job, "opportune"))).toBeNull();
    for (let runs = 0; runs < 2; runs++) {
      const { problems, delivery } = await world.run(job);
      expect(problems).toEqual([]);
      if (runs === 0) expect(delivery).toMatchObject({ counts: { accepted: expect.any(Number) as number } });
    }
    expect(await world.query("select count(*) as n from opportune.sent_ledger where event = 'accepted'")).not.toEqual([{ n: 0 }]);
    await setPause(new Ledger(job, "opportune", () => Date.now()), { ...BY_OPERATOR, scope: "segment", name: "no_planner_yet", paused: true });
    for (const state of [{}, {}]) await writeAlertState(new Ledger(job, "opportune"), false, state);
    expect(await job.query({ sql: "select * from opportune.why where user_id = 'u1'", params: [] })).not.toEqual([]);

    for (const refused of [
      "delete from opportune.sent_ledger",
      "update opportune.sent_ledger set user_id = 'x'",
      "truncate opportune.sent_ledger",
      "update opportune.suppressions set reason = 'x'",
      "update opportune.meta set content = 'x' where name = 'salt'",
      "insert into opportune.meta values ('salt', 'x')",
      "delete from opportune.meta",
      ...["run_id = 'x'", "as_of = now()", "started_at = now()", "fence = 1", "trial = true", "opportune_version = 'x'", "project_version = 'x'"].map(
        (change) => `update opportune.runs set ${change}`,
      ),
      "delete from opportune.runs",
      "update opportune.segment_runs set shape = 'x'",
      "update opportune.leases set name = 'x'",
      "update opportune.alerts set name = 'x'",
      "update opportune.pauses set paused = false",
      "insert into opportune.preferences select * from opportune.preferences",
      "create schema other",
      "create table opportune.other (a int)",
      "insert into users select * from users",
    ])
      await expect(job.execute({ sql: refused, params: [] }), refused).rejects.toThrow(/permission denied|may not create/);

    await execute(world.warehouse, "alter role opportune_reader login password 'reads'");
    const reader = await openPostgres({ ...connection, user: "opportune_reader", password: "reads" }, { root: "." });
    opened.push(reader);
    for (const view of ["why", "messages", "segment_daily", "trigger_lag", "caps_in_use", "runs"])
      await reader.query({ sql: `select * from opportune.${view}`, params: [] });
    await expect(reader.query({ sql: "select * from public.users", params: [] })).rejects.toThrow(/permission denied|may not create/);
    await expect(reader.execute({ sql: "insert into opportune.pauses select * from opportune.pauses", params: [] })).rejects.toThrow(
      /permission denied|may not create a schema/,
    );
  });
});

describe("the docs' endpoint", () => {
  const SECRET = "7d1f02c9a4be53688e17f0d6b42c95a3";
  const ID = "0cc175b9c0f1b6a831c399e269772661";

  it("unsubscribes by POST alone, and whom the token names alone", async () => {
    const file = join(temporaryFolder(), "endpoint.mjs");
    const body = blocks.find(({ language }) => language === "js")?.body ?? "";
    expect(body).toContain('import { readToken } from "opportune";');
    writeFileSync(file, body.replace('"opportune"', JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../dist/index.js")).href)));
    const { endpoint } = (await import(pathToFileURL(file).href)) as {
      endpoint: (request: { method: string; url: string }, secret: string, optOut: (id: string) => Promise<void>) => Promise<number>;
    };
    const asked: string[] = [];
    const ask = (method: string, token: string, secret = SECRET): Promise<number> =>
      endpoint({ method, url: `/unsubscribe?token=${token}` }, secret, (id) => Promise.resolve(void asked.push(id)));
    const token = signToken(ID, SECRET);
    expect(await ask("GET", token)).toBe(200);
    expect(await ask("POST", `${token}x`)).toBe(404);
    expect(await ask("POST", "%ff%00é")).toBe(404);
    expect(await ask("POST", token, `${SECRET}x`)).toBe(404);
    expect(asked).toEqual([]);
    expect(await ask("POST", token)).toBe(200);
    expect(asked).toEqual([ID]);
    expect(readToken(token, SECRET)).toBe(ID);
  });
});

describe.each(WAREHOUSES)("a person on %s", (on) => {
  const open = async (): Promise<DocsWorld> => {
    const world = await DocsWorld.open(on);
    onTestFinished(() => world.close());
    return world;
  };

  it("who unsubscribed hears nothing of that topic", async () => {
    const world = await open();
    await world.run();
    const [claim] = await world.query("select message_id from opportune.sent_ledger where segment = 'no_planner_yet' and user_id = 'u1' and event = 'claimed'");
    const messageId = String(claim?.["message_id"]);
    await execute(world.warehouse, optOut.body.replaceAll("0cc175b9c0f1b6a831c399e269772661", messageId));
    expect(await world.query("select user_id, channel, topic, opted_in, message_id from opportune.preferences")).toEqual([
      { user_id: "u1", channel: "email", topic: "onboarding", opted_in: false, message_id: messageId },
    ]);
    await execute(world.warehouse, "delete from opportune.sent_ledger");
    expect((await world.run()).problems).toEqual([]);
    expect(
      await world.query("select event, reason, rule from opportune.sent_ledger where segment = 'no_planner_yet' and user_id = 'u1' and event <> 'backfilled'"),
    ).toEqual([{ event: "denied", reason: "opted_out", rule: "channel_topic" }]);
  });

  it("sees what is kept of them, and is nowhere after an erasure", async () => {
    const world = await open();
    await execute(world.warehouse, optOut.body.replaceAll("'onboarding'", "'other'"));
    await execute(
      world.warehouse,
      `insert into opportune.suppressions (channel, address, topic, reason, recorded_at) values ('sms', 'ada@example.com', null, 'bounce', current_timestamp), ('email', 'other@example.com', null, 'bounce', current_timestamp);`,
    );
    await world.run();
    await execute(
      world.warehouse,
      "insert into opportune.engagement (message_id, event, occurred_at, recorded_at) select message_id, 'open', recorded_at, recorded_at from opportune.sent_ledger where event = 'accepted'",
    );
    expect(await world.query(request.body)).toContainEqual(
      expect.objectContaining({ segment: "no_planner_yet", event: "claimed", address: "ada@example.com" }),
    );
    const ids = (await world.query("select distinct message_id from opportune.sent_ledger where user_id = 'u1'")).map(({ message_id: id }) => String(id));
    expect(await traces(world, ids)).not.toEqual([]);

    await execute(world.warehouse, erasure.body);
    expect(await traces(world, ids)).toEqual([]);
    expect(await world.query("select address from opportune.suppressions")).toEqual([{ address: "other@example.com" }]);
    await execute(world.warehouse, "delete from users where user_id = 'u1'");
    expect((await world.run()).problems).toEqual([]);
    expect(await traces(world, ids)).toEqual([]);
  });
});

/** Rows of all tables of the ledger that hold anything of Ada, user u1. */
async function traces(world: DocsWorld, messageIds: readonly string[]): Promise<string[]> {
  const tables = await world.query("select table_name from information_schema.tables where table_schema = 'opportune' and table_type = 'BASE TABLE'");
  expect(tables.length).toBeGreaterThan(8);
  const found: string[] = [];
  for (const { table_name: table } of tables) {
    const rows = await world.query(`select cast(t as varchar) as row_text from opportune.${String(table)} t`);
    const texts = rows.map(({ row_text: text }) => String(text));
    found.push(...texts.filter((text) => /\bu1\b|ada@example|\bAda\b/.test(text) || messageIds.some((id) => text.includes(id))));
  }
  return found;
}
