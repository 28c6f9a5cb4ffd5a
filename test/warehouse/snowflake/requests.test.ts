/**
 * What the client asks of Snowflake, as a server sees it: names on the bill, limits, repeats under one request id, cancelling. And what
 * becomes of a statement when no answer comes, which an emulator can't play.
 */
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { OpportuneError } from "../../../src/core/errors.js";
import { cancelStatements, openWarehouse } from "../../../src/warehouse/open.js";
import { openSnowflake } from "../../../src/warehouse/snowflake/warehouse.js";
import type { Warehouse } from "../../../src/warehouse/types.js";
import { startProtocol, type Protocol } from "../../support/snowflake-protocol.js";

const QUERY = "/queries/v1/query-request";
const ABORT = "/queries/v1/abort-request";

let protocol: Protocol;
let warehouse: Warehouse;

beforeEach(async () => {
  protocol = await startProtocol();
  warehouse = await openSnowflake(protocol.connection, { root: "." });
});

afterEach(() => warehouse.close());

const statement = (sql: string, more: object = {}): { sql: string; params: [] } => ({ sql, params: [], ...more });

async function rejection(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: unknown) => error as Error,
  );
}

describe("a statement", () => {
  it("carries its tag, by the project, the run and the segment, and costs no other statement", async () => {
    await warehouse.execute(statement("select 1"));
    warehouse.label({ project: "shop", run: "20260302T120000Z_ab12" });
    await warehouse.execute(statement("select 2", { segment: "cart" }));
    await warehouse.append("t", [{ name: "a", kind: "text", values: ["x"] }]);
    const tags = protocol.statements().map(({ body }) => JSON.parse(String(body.parameters?.["QUERY_TAG"])) as unknown);
    const run = { app: "opportune", project: "shop", run: "20260302T120000Z_ab12" };
    expect(tags).toEqual([{ app: "opportune" }, { ...run, segment: "cart" }, run]);
    expect(warehouse.usage.statements).toBe(3);
  });

  it("has its values bound, an append's as arrays in as few statements as they fit", async () => {
    await warehouse.query({ sql: "select :1, :2, :3", params: ["it's", null, true] });
    await warehouse.append("t", [
      { name: "a", kind: "text", values: Array.from({ length: 40_000 }, (_, i) => (i === 0 ? null : `x${String(i)}`)) },
      { name: "b", kind: "timestamp", values: Array.from({ length: 40_000 }, () => 0) },
    ]);
    const [query, ...appended] = protocol.statements().map(({ body }) => body.bindings ?? {});
    expect(query).toEqual({ 1: { type: "TEXT", value: "it's" }, 2: { type: "TEXT", value: null }, 3: { type: "BOOLEAN", value: "true" } });
    expect(appended.map((bindings) => (bindings["1"]?.value as unknown[]).length)).toEqual([30_000, 10_000]);
    expect(appended[0]?.["1"]?.value).toEqual(expect.arrayContaining([null, "x1"]) as unknown);
    expect((appended[0]?.["2"]?.value as unknown[])[0]).toBe("1970-01-01T00:00:00.000Z");
  });

  it("gives numbers of 38 digits whole, and reports nothing of them to Snowflake", async () => {
    protocol.answers.push({
      columns: [
        ["N", "fixed"],
        ["M", "fixed"],
        ["F", "real"],
      ],
      rows: [["12345678901234567890123456789012345678", "-7", "inf"]],
    });
    expect(await warehouse.query(statement("select n, m, f"))).toEqual([{ n: "12345678901234567890123456789012345678", m: -7, f: "inf" }]);
    await warehouse.close();
    expect(protocol.seen.map(({ path }) => path).filter((path) => path.includes("telemetry"))).toEqual([]);
  });

  it("that the server refuses says so in its words, with the line of who wrote it", async () => {
    protocol.answers.push({ code: "000904", message: "SQL compilation error: error line 3 at position 6\ninvalid identifier 'PLAN'", sqlState: "42000" });
    const error = await rejection(warehouse.describe(statement("select user_id\nfrom carts\nwhere plan = 1")));
    expect(error).toMatchObject({
      message: "error line 3 at position 6 invalid identifier 'PLAN'",
      statementLine: 3,
      sql: "select user_id\nfrom carts\nwhere plan = 1",
    });
  });

  it("is only described where its columns alone are asked for", async () => {
    protocol.answers.push({
      columns: [
        ["USER_ID", "fixed"],
        ["Mixed", "timestamp_tz"],
      ],
    });
    expect(await warehouse.describe(statement("select 1 -- mine"))).toEqual([
      { name: "user_id", type: "fixed", kind: "integer" },
      { name: "Mixed", type: "timestamp_tz", kind: "timestamp" },
    ]);
    expect(protocol.statements()).toMatchObject([{ body: { describeOnly: true, sqlText: "select * from (select 1 -- mine\n) opportune_query limit 0" } }]);
    expect(warehouse.usage.statements).toBe(0);
  });
});

describe("bytes", () => {
  const explained = (bytes: number): Protocol["answers"][number] => ({
    columns: [["content", "text"]],
    rows: [[JSON.stringify({ GlobalStats: { bytesAssigned: bytes } })]],
  });

  it("are what EXPLAIN says, or unknown where it says nothing", async () => {
    protocol.answers.push(
      explained(1_234_567),
      { columns: [["content", "text"]], rows: [["no plan"]] },
      { code: "001003", message: "SQL compilation error", sqlState: "42000" },
    );
    expect(await warehouse.estimate(statement("select 1"))).toBe(1_234_567);
    expect(await warehouse.estimate(statement("select 2"))).toBeNull();
    expect(await warehouse.estimate(statement("select 3"))).toBeNull();
    expect(protocol.statements().map(({ body }) => body.sqlText)).toEqual([1, 2, 3].map((n) => `explain using json select ${String(n)}`));
    expect(warehouse.usage).toEqual({ statements: 0, bytes: null });
  });
});

describe("where the server doesn't answer", () => {
  it.each([
    ["with 503", 503],
    ["but cuts the connection", "reset"],
  ] as const)("%s, the client repeats the same request", async (_, answer) => {
    protocol.answers.push(answer, { columns: [["N", "fixed"]], rows: [["7"]] });
    expect(await warehouse.query(statement("select n"))).toEqual([{ n: 7 }]);
    const ids = protocol.statements().map(({ query }) => query.get("requestId"));
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it("the statement is cancelled at its deadline, and the session asked nothing more", async () => {
    const clock = quickClock();
    protocol.answers.push("hang");
    const late = rejection(warehouse.execute(statement("update t set a = 1")));
    const hanging = await protocol.arrived(QUERY, 2);
    await clock(49_000);
    expect(protocol.seen.filter(({ path }) => path === ABORT)).toEqual([]);
    await clock(2_000);
    const error = await late;
    expect(error.message).toMatch(/^The session with Snowflake \(SHOP on myorg-shop\) was lost: no answer within 50 s\.\n.*What was committed stands/);
    expect((await protocol.arrived(ABORT)).body.requestId).toBe(hanging.query.get("requestId"));
    expect((await rejection(warehouse.query(statement("select 1")))).message).toContain("was lost");
    await warehouse.close();
    expect(protocol.statements()).toHaveLength(1);
  });

  it("a commit fails its transaction, and nothing is asked after it", async () => {
    protocol.answers.push({}, {}, { code: "390111", message: "Session no longer exists. New login required to access the service." });
    const lost = await rejection(warehouse.transaction(() => warehouse.execute(statement("insert into t select 1"))));
    expect(lost).toMatchObject({ problems: [{ code: "warehouse/connection-lost" }] });
    expect(protocol.statements().map(({ body }) => body.sqlText)).toEqual(["begin transaction", "insert into t select 1", "commit"]);
  });

  it("that is no matter of how long its rows take to be read", async () => {
    protocol.answers.push({ columns: [["N", "fixed"]], rows: [["1"], ["2"], ["3"]] });
    const clock = quickClock();
    const read: unknown[] = [];
    for await (const rows of warehouse.stream(statement("select n"), 1)) {
      read.push(...rows);
      await clock(300_000);
    }
    expect(read).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it("a statement that the server itself ended says so, with the limit", async () => {
    protocol.answers.push({
      code: "000630",
      message: "Statement reached its statement or warehouse timeout of 20 second(s) and was canceled.",
      sqlState: "57014",
    });
    const error = await rejection(warehouse.execute(statement("select slow")));
    expect(error.message).toBe("it took longer than 20 seconds, the statement_timeout of this target, or than its warehouse allows");
  });

  it("a session that expired is lost", async () => {
    protocol.answers.push({ code: "390111", message: "Session no longer exists. New login required to access the service." });
    const error = await rejection(warehouse.execute(statement("select 1")));
    expect(error).toBeInstanceOf(OpportuneError);
    expect(error).toMatchObject({ problems: [{ code: "warehouse/connection-lost" }] });
  });
});

describe("ending", () => {
  it("cancels what is under way by its request id, and the statement fails", async () => {
    protocol.answers.push("hang");
    const ended = rejection(warehouse.execute(statement("select slow")));
    const hanging = await protocol.arrived(QUERY, 2);
    await warehouse.cancel();
    expect((await ended).message).toBe("SQL execution canceled");
    expect((await protocol.arrived(ABORT)).body.requestId).toBe(hanging.query.get("requestId"));
  });

  it("of the process at once cancels what any open warehouse has under way", async () => {
    const other = await openWarehouse(protocol.connection, { root: "." });
    protocol.answers.push("hang", "hang");
    const ended = rejection(other.execute(statement("select slow")));
    const own = rejection(warehouse.execute(statement("select slower")));
    await protocol.arrived(QUERY, 4);
    await cancelStatements();
    expect((await ended).message).toBe("SQL execution canceled");
    await other.close();
    await own;
    expect(protocol.seen.filter(({ path }) => path === ABORT)).toHaveLength(1);
    await cancelStatements();
    expect(protocol.seen.filter(({ path }) => path === ABORT)).toHaveLength(1);
  });

  it("cancels before it closes the session", async () => {
    protocol.answers.push("hang");
    const ended = rejection(warehouse.execute(statement("select slow")));
    await protocol.arrived(QUERY, 2);
    await warehouse.close();
    await ended;
    expect(protocol.seen.slice(-2).map(({ path, query }) => `${path} ${query.get("delete") ?? ""}`)).toEqual([`${ABORT} `, "/session true"]);
  });
});

/** Time that passes when told, in timers alone; sockets are real. */
function quickClock(): (ms: number) => Promise<unknown> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => vi.advanceTimersByTimeAsync(ms);
}
