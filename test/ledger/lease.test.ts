import { afterEach, describe, expect, it, vi } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { appendDecisions } from "../../src/ledger/events/append.js";
import { ledgerFacts } from "../../src/ledger/facts.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { ledgerStatus, requireLedger } from "../../src/ledger/install/versions.js";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { recordRunStart } from "../../src/ledger/runs/record.js";
import { statementsOf } from "../../src/warehouse/sql.js";
import { pauses, setPause } from "../../src/ledger/pauses.js";
import { Lease, SENDING_MS } from "../../src/ledger/lease/lease.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { warehouseWith } from "../segments/support.js";
import { around } from "../support/around.js";
import { rejection } from "../warehouse/support.js";
import { LEDGER_FILES, ledgerOfVersion2, ledgerWarehouse, letLeaseRunOut, rows, SCHEMA, T0 } from "./support.js";
import { BY_OPERATOR } from "../support/pauses.js";

const LEASES = "select name, holder is null as free, fence, cast(expires_at as varchar) as until from opportune.leases where name = 'run'";
/** How long the lease still holds by the warehouse's clock. */
const LEFT = "select date_diff('second', cast(get_current_timestamp() as timestamp), expires_at) as seconds from opportune.leases where name = 'run'";

describe("installing", () => {
  it("makes the ledger once; again it keeps salt and rows and only makes the views anew", async () => {
    const warehouse = await warehouseWith();
    expect(await ledgerStatus(new Ledger(warehouse, SCHEMA))).toEqual({ version: 0, expected: LEDGER_FILES.length });
    expect(await rejection(requireLedger(new Ledger(warehouse, SCHEMA)))).toMatchObject({
      problems: [{ code: "ledger/version", message: "There is no ledger in schema opportune.", hint: "Run `opportune ledger install`." }],
    });
    expect(await installLedger(new Ledger(warehouse, SCHEMA))).toEqual(LEDGER_FILES);
    const meta = await rows(warehouse, "select name, content from opportune.meta order by name");
    expect(meta.map(({ name }) => name)).toEqual(["database_id", "salt", "schema_version"]);
    expect(meta[1]?.["content"]).toMatch(/^[0-9a-f]{32}$/);
    await warehouse.execute({ sql: "drop view opportune.why", params: [] });
    await warehouse.execute({
      sql: "insert into opportune.suppressions (channel, address, topic, reason, recorded_at) values ('email', 'a@example.com', null, 'bounce', timestamp '2026-01-01')",
      params: [],
    });
    expect(await installLedger(new Ledger(warehouse, SCHEMA))).toEqual([]);
    expect(await rows(warehouse, "select name, content from opportune.meta order by name")).toEqual(meta);
    expect(await rows(warehouse, "select address from opportune.suppressions")).toEqual([{ address: "a@example.com" }]);
    expect(await rows(warehouse, "select * from opportune.why")).toEqual([]);
    expect(await ledgerStatus(new Ledger(warehouse, SCHEMA))).toEqual({ version: LEDGER_FILES.length, expected: LEDGER_FILES.length });
  });

  it("keeps ledgers of several schemas apart, whatever they are called", async () => {
    const warehouse = await warehouseWith();
    for (const schema of [SCHEMA, `odd "name"`]) await installLedger(new Ledger(warehouse, schema));
    const salts = await Promise.all([SCHEMA, `odd "name"`].map(async (schema) => (await ledgerFacts(new Ledger(warehouse, schema))).salt));
    expect(new Set(salts).size).toBe(2);
  });

  it.each([
    ["0", "ledger/version", /^There is no ledger in schema opportune/],
    ["99", "ledger/newer", /^The ledger is of version 99, newer than the \d+ this/],
  ])("refuses version %s", async (version, code, message) => {
    const warehouse = await ledgerWarehouse();
    await warehouse.execute({ sql: `update opportune.meta set content = '${version}' where name = 'schema_version'`, params: [] });
    const error = await rejection(HeldLedger.take(new Ledger(warehouse, SCHEMA)));
    expect(error).toMatchObject({
      exitCode: 1,
      problems: [{ code, message: expect.stringMatching(message) as string, hint: expect.stringMatching(/`/) as string }],
    });
    expect(await rows(warehouse, LEASES)).toMatchObject([{ free: true }]);
  });

  it("brings an older ledger forward with all it holds, but never while a run holds the lease", async () => {
    const warehouse = await warehouseWith();
    await ledgerOfVersion2(warehouse);
    await warehouse.execute({
      sql: "insert into opportune.pauses (scope, name, paused, recorded_at, seq, note) values ('segment', 'cart', true, timestamp '2026-03-01', 1, 'as before')",
      params: [],
    });
    const { lease: running } = await Lease.take(new Ledger(warehouse, SCHEMA), 0);
    expect(await rejection(installLedger(new Ledger(warehouse, SCHEMA)))).toMatchObject({ problems: [{ code: "ledger/lease" }] });
    expect(await ledgerStatus(new Ledger(warehouse, SCHEMA))).toEqual({ version: 2, expected: LEDGER_FILES.length });
    expect(await rejection(warehouse.query({ sql: "select until from opportune.pauses", params: [] }))).toBeInstanceOf(Error);
    await running.release();
    expect(await installLedger(new Ledger(warehouse, SCHEMA))).toEqual(LEDGER_FILES.slice(2));
    expect(await pauses(new Ledger(warehouse, SCHEMA, () => T0), false)).toEqual([
      { scope: "segment", name: "cart", kind: "operator", until: null, note: "as before" },
    ]);
    expect(await rows(warehouse, LEASES)).toMatchObject([{ free: true }]);
    await (await HeldLedger.take(new Ledger(warehouse, SCHEMA))).release();
  });

  it("makes a run stop that finds the ledger newer once it has the lease", async () => {
    const warehouse = await ledgerWarehouse();
    const script = warehouse.script.bind(warehouse);
    // Another process upgrades just before, while this one waits for the lease.
    warehouse.script = async (asked) => {
      await warehouse.execute({ sql: "update opportune.meta set content = '99' where name = 'schema_version'", params: [] });
      return script(asked);
    };
    expect(await rejection(HeldLedger.take(new Ledger(warehouse, SCHEMA)))).toMatchObject({ problems: [{ code: "ledger/newer" }] });
    expect(await rows(warehouse, LEASES)).toMatchObject([{ free: true }]);
  });

  it("splits our SQL at the semicolons that end a line, and drops what is comment alone", () => {
    expect(statementsOf("create table a (b text); -- not here\n-- nor; here\ninsert into a values (';');\n-- the end\n")).toEqual([
      "create table a (b text); -- not here\n-- nor; here\ninsert into a values (';')",
    ]);
    expect(statementsOf("select 1;\n\nselect 2;\n")).toEqual(["select 1", "select 2"]);
  });
});

describe("the lease", () => {
  it("belongs to one: the second is refused by the holder's name and told until when", async () => {
    const warehouse = await ledgerWarehouse();
    const first = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    const [lease] = await rows(warehouse, LEASES);
    const error = await rejection(HeldLedger.take(new Ledger(warehouse, SCHEMA)));
    expect(error).toBeInstanceOf(OpportuneError);
    expect(error).toMatchObject({
      exitCode: 1,
      problems: [
        { code: "ledger/lease", message: `Another run holds the ledger (process ${String(process.pid)}, until ${String(lease?.["until"]).slice(0, 19)} UTC).` },
      ],
    });
    await first.release();
    expect(await rows(warehouse, LEASES)).toEqual([{ name: "run", free: true, fence: 1, until: null }]);
    const second = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    expect(second.fence).toBe(2);
  });

  it("is as long as sending and the longest answer take, is renewed by whatever is written, and ends by itself", async () => {
    const warehouse = await ledgerWarehouse();
    const first = await HeldLedger.take(new Ledger(warehouse, SCHEMA), { longestAnswerMs: 30_000 });
    const left = async (): Promise<number> => Number((await rows(warehouse, LEFT))[0]?.["seconds"]);
    expect(await left()).toBeGreaterThan(120);
    expect(await left()).toBeLessThanOrEqual(160);
    await warehouse.execute({ sql: "update opportune.leases set expires_at = expires_at - interval '2 minutes' where name = 'run'", params: [] });
    await expect(HeldLedger.take(new Ledger(warehouse, SCHEMA))).rejects.toThrow("Another run holds the ledger");
    await first.commit({ statements: [] });
    expect(await left()).toBeGreaterThan(120);
    await letLeaseRunOut(warehouse);
    const second = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    expect(second.fence).toBe(first.fence + 1);
  });

  it("once lost lets nothing be written or sent, and its loser can't give it away", async () => {
    const warehouse = await ledgerWarehouse();
    const loser = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    await letLeaseRunOut(warehouse);
    const winner = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    const late = loser.commit({ statements: [{ sql: "insert into opportune.meta values ('late', '')", params: [] }] });
    expect(await rejection(late)).toMatchObject({ problems: [{ code: "ledger/lease-lost" }] });
    expect(await rows(warehouse, "select * from opportune.meta where name = 'late'")).toEqual([]);
    expect(loser.sendingLeftMs()).toBe(0);
    const writes = [
      () => recordRunStart(loser, { runId: "r1", asOf: "2026-03-02T12:00:00Z", trial: false, version: "test" }),
      () =>
        appendDecisions(
          loser,
          { runId: "r1", asOf: "2026-03-02T12:00:00Z", trial: false },
          {
            rows: 0,
            changed: 0,
            templates: [],
            segmentRuns: [
              {
                segment: "s",
                segment_version: "v",
                shape: "x",
                activated_at: null,
                steps: "[]",
                succeeded: 1,
                returned: 0,
                dropped: null,
                decisions: null,
                offered: null,
                bytes_scanned: null,
                duration_ms: 0,
                error: null,
              },
            ],
          },
        ),
    ];
    for (const write of writes) expect(await rejection(write())).toMatchObject({ problems: [{ code: "ledger/lease-lost" }] });
    for (const table of ["runs", "pauses", "segment_runs", "sent_ledger"]) expect(await rows(warehouse, `select * from opportune.${table}`)).toEqual([]);
    await loser.release();
    expect(await rows(warehouse, LEASES)).toMatchObject([{ free: false, fence: winner.fence }]);
    await recordRunStart(winner, { runId: "r2", asOf: "2026-03-02T12:00:00Z", trial: false, version: "test" });
    expect(await rows(warehouse, "select run_id from opportune.runs")).toEqual([{ run_id: "r2" }]);
  });

  it("is given back where the taking ended with an error and stood all the same", async () => {
    const warehouse = await ledgerWarehouse();
    const deaf = around(warehouse, {
      script: async (script) => {
        await warehouse.script(script);
        throw new Error("no answer");
      },
    });
    await expect(HeldLedger.take(new Ledger(deaf, SCHEMA))).rejects.toThrow("no answer");
    expect(await rows(warehouse, LEASES)).toEqual([{ name: "run", free: true, fence: 1, until: null }]);
  });

  it("rolls back everything that a commit wrote when it fails, its own renewal too", async () => {
    const warehouse = await ledgerWarehouse();
    const ledger = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    await warehouse.execute({ sql: "update opportune.leases set expires_at = expires_at - interval '1 minute' where name = 'run'", params: [] });
    const before = await rows(warehouse, LEASES);
    await rejection(
      ledger.commit({
        statements: [
          { sql: "insert into opportune.meta values ('x', 'y')", params: [] },
          { sql: "insert into opportune.nowhere values (1)", params: [] },
        ],
      }),
    );
    expect(await rows(warehouse, "select * from opportune.meta where name = 'x'")).toEqual([]);
    expect(await rows(warehouse, LEASES)).toEqual(before);
  });

  it("is neither asked for nor taken to read, or to pause", async () => {
    const warehouse = await ledgerWarehouse();
    await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    const before = await rows(warehouse, LEASES);
    await requireLedger(new Ledger(warehouse, SCHEMA));
    expect(await ledgerFacts(new Ledger(warehouse, SCHEMA), { segments: [], trial: false, asOf: "2026-03-02T12:00:00Z" })).toMatchObject({
      lastAsOf: null,
      unfinished: 0,
      pauses: [],
    });
    await setPause(new Ledger(warehouse, SCHEMA, () => T0), { ...BY_OPERATOR, scope: "project", name: "", paused: true });
    expect(await pauses(new Ledger(warehouse, SCHEMA, () => T0), false)).toEqual([{ scope: "project", name: "", kind: "operator", until: null, note: null }]);
    expect(await rows(warehouse, LEASES)).toEqual(before);
  });
});

describe("another process's lease on DuckDB", () => {
  it("is void: that process has the file open no more, or this one could not have opened it", async () => {
    const warehouse = await ledgerWarehouse();
    const holder = "update opportune.leases set holder = '4711-0a1b2c3d-1', fence = 7, expires_at = timestamp '2099-01-01 00:00:00' where name = 'run'";
    await warehouse.execute({ sql: holder, params: [] });
    const ledger = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    expect(ledger.fence).toBe(8);
    expect(await rows(warehouse, LEASES)).toMatchObject([{ free: false, fence: 8 }]);
  });
});

describe("what the lease allows to send", () => {
  afterEach(() => void vi.restoreAllMocks());

  /** Clocks that stand still until they are set: the host's, which people set, and the one that only goes on. */
  function clocks(): { host: number; steady: number } {
    const set = { host: Date.now(), steady: Math.floor(performance.now()) };
    vi.spyOn(Date, "now").mockImplementation(() => set.host);
    vi.spyOn(performance, "now").mockImplementation(() => set.steady);
    return set;
  }

  it("ends as long before the lease does as the longest answer takes", async () => {
    const warehouse = await ledgerWarehouse();
    const at = clocks();
    const ledger = await HeldLedger.take(new Ledger(warehouse, SCHEMA), { longestAnswerMs: 30_000 });
    expect(ledger.sendingLeftMs()).toBe(SENDING_MS);
    expect(Number((await rows(warehouse, LEFT))[0]?.["seconds"]) * 1000 - SENDING_MS).toBeGreaterThan(30_000);
    at.steady += SENDING_MS - 1;
    expect(ledger.sendingLeftMs()).toBe(1);
    at.steady += 1;
    expect(ledger.sendingLeftMs()).toBe(0);
    await ledger.commit({ statements: [] });
    expect(ledger.sendingLeftMs()).toBe(SENDING_MS);
  });

  it("is counted from before the renewal was asked for, and not renewed by one that fails", async () => {
    const warehouse = await ledgerWarehouse();
    const at = clocks();
    let takesMs = 0;
    const script: Warehouse["script"] = (asked) => warehouse.script(asked).finally(() => (at.steady += takesMs));
    const ledger = await HeldLedger.take(new Ledger(around(warehouse, { script }), SCHEMA));
    at.steady += 10_000;
    takesMs = 5_000;
    await ledger.commit({ statements: [] });
    expect(ledger.sendingLeftMs()).toBe(SENDING_MS - 5_000);
    at.steady += 15_000;
    await rejection(ledger.commit({ statements: [{ sql: "insert into opportune.nowhere values (1)", params: [] }] }));
    expect(ledger.sendingLeftMs()).toBe(SENDING_MS - 25_000);
    await ledger.release();
    expect(ledger.sendingLeftMs()).toBe(0);
  });

  it("gains nothing by a host clock that is set back, and loses at most until the next write by one that is set forward", async () => {
    const warehouse = await ledgerWarehouse();
    const at = clocks();
    const ledger = await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    at.host -= 3_600_000;
    expect(ledger.sendingLeftMs()).toBe(SENDING_MS);
    at.steady += 60_000;
    expect(ledger.sendingLeftMs()).toBe(SENDING_MS - 60_000);
    // The same as a machine that was suspended: its steady clock stood still.
    at.host += 7_200_000;
    expect(ledger.sendingLeftMs()).toBeLessThan(0);
    await ledger.commit({ statements: [] });
    expect(ledger.sendingLeftMs()).toBe(SENDING_MS);
  });

  it("whatever the host's clock says, nobody else has the lease before it runs out by the warehouse's", async () => {
    const warehouse = await ledgerWarehouse();
    const at = clocks();
    await HeldLedger.take(new Ledger(warehouse, SCHEMA));
    for (const ms of [86_400_000, -2 * 86_400_000]) {
      at.host += ms;
      expect(await rejection(HeldLedger.take(new Ledger(warehouse, SCHEMA)))).toMatchObject({ problems: [{ code: "ledger/lease" }] });
    }
    await letLeaseRunOut(warehouse);
    await HeldLedger.take(new Ledger(warehouse, SCHEMA));
  });
});

describe("pauses", () => {
  it("hold until they are lifted, the last word counts, each by itself", async () => {
    const warehouse = await ledgerWarehouse();
    for (const [scope, name, paused] of [
      ["segment", "cart", true],
      ["channel", "email", true],
      ["project", "", true],
      ["segment", "cart", false],
      ["segment", "it's", true],
      ["project", "", false],
      ["project", "", true],
    ] as const)
      await setPause(new Ledger(warehouse, SCHEMA, () => T0), { ...BY_OPERATOR, scope, name, paused });
    expect((await pauses(new Ledger(warehouse, SCHEMA, () => T0), false)).map(({ scope, name }) => `${scope} ${name}`).sort()).toEqual([
      "channel email",
      "project ",
      "segment it's",
    ]);
  });

  it("that have an end hold until then", async () => {
    const warehouse = await ledgerWarehouse();
    await setPause(new Ledger(warehouse, SCHEMA, () => T0), {
      scope: "channel",
      name: "email",
      kind: "breaker",
      paused: true,
      until: T0 + 60_000,
      note: "as tried",
      trial: false,
    });
    const pause = { scope: "channel", name: "email", kind: "breaker", until: "2026-03-02T12:01:00Z", note: "as tried" };
    expect(await pauses(new Ledger(warehouse, SCHEMA, () => T0 + 59_999), false)).toEqual([pause]);
    expect(await pauses(new Ledger(warehouse, SCHEMA, () => T0 + 60_000), false)).toEqual([]);
  });
});
