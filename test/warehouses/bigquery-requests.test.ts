/**
 * What Google's client really sends BigQuery for us, seen on the way to the emulator: names on the bill, limits, types, sessions, job
 * ids. And what becomes of a statement whose requests are refused, lost or never answered.
 */
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { openBigQuery } from "../../src/warehouse/bigquery/warehouse.js";
import { WarehouseError } from "../../src/warehouse/error.js";
import type { Statement, Warehouse } from "../../src/warehouse/types.js";
import { bigQueryConnection } from "../support/bigquery.js";
import { startProxy, type Proxy, type Seen, type SentJob } from "../support/bigquery-proxy.js";

const CONNECTION = bigQueryConnection();
const sql = (text: string, more: Partial<Statement> = {}): Statement => ({ sql: text, params: [], ...more });

let proxy: Proxy;
let warehouse: Warehouse;

beforeEach(async () => {
  const direct = await openBigQuery(CONNECTION, { root: "." });
  for (const text of ["create schema if not exists shop", "create or replace table shop.counts (n int64)"]) await direct.beside?.(sql(text));
  proxy = await startProxy(CONNECTION.url ?? "");
  warehouse = await openBigQuery({ ...CONNECTION, url: proxy.url, statementTimeoutSeconds: 20 }, { root: "." });
});

afterEach(() => warehouse.close());

/** The job of a statement, by a part of it. */
function jobOf(part: string): SentJob {
  const found = proxy.jobs().find(({ configuration }) => configuration?.query?.query.includes(part) === true);
  if (found === undefined) throw new Error(`no job with ${part}`);
  return found;
}

describe("a job", () => {
  it("is labelled with the project, the run and the segment, in what labels take", async () => {
    await warehouse.query(sql("select 1 as unlabelled"));
    warehouse.label({ project: "Shop Example", run: "20260302T120000Z_ab12" });
    await warehouse.query(sql("select 2 as segments", { segment: "cart_abandoned" }));
    await warehouse.beside?.(sql("insert into shop.counts select 3"));
    await warehouse.estimate(sql("select 4 as dry", { segment: "cart_abandoned" }));
    const run = { app: "opportune", project: "shop-example", run: "20260302t120000z_ab12" };
    const labels = ["unlabelled", "segments", "select 3", "dry"].map((part) => jobOf(part).configuration?.labels);
    expect(labels).toEqual([{ app: "opportune", project: "opportune" }, { ...run, segment: "cart_abandoned" }, run, { ...run, segment: "cart_abandoned" }]);
  });

  it("carries the most bytes that it may read, and none where there is no such limit", async () => {
    await warehouse.query(sql("select 1 as limited", { maxBytes: 10_000_000_000 }));
    await warehouse.query(sql("select 1 as free"));
    expect(jobOf("limited").configuration?.query?.maximumBytesBilled).toBe("10000000000");
    await warehouse.query(sql("select 2 as little", { maxBytes: 5 }));
    // What BigQuery charges for any query that reads a table.
    expect(jobOf("little").configuration?.query?.maximumBytesBilled).toBe("10485760");
    expect(jobOf("free").configuration?.query).not.toHaveProperty("maximumBytesBilled");
  });

  it("carries the time after which BigQuery ends it, is never answered from the cache, and looks names up in the target's dataset", async () => {
    await warehouse.query(sql("select count(*) as counted from counts"));
    expect(jobOf("counted").configuration).toMatchObject({
      jobTimeoutMs: "20000",
      query: { useQueryCache: false, useLegacySql: false, defaultDataset: { projectId: CONNECTION.project, datasetId: "shop" } },
    });
  });

  it("has an id of its own", async () => {
    for (const n of [1, 2]) await warehouse.query(sql(`select ${String(n)}`));
    const ids = proxy.jobs().map(({ jobReference }) => jobReference?.jobId ?? "");
    expect(ids.length).toBe(3);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^opportune_[0-9a-f-]{36}$/);
  });

  it("runs where the target says", async () => {
    const there = await openBigQuery({ ...CONNECTION, url: proxy.url, location: "US" }, { root: "." });
    await there.query(sql("select 1 as located"));
    expect(jobOf("located").jobReference?.location).toBe("US");
    await there.close();
  });
});

describe("values", () => {
  it("are parameters with types, never text of the statement", async () => {
    const [row] = await warehouse.query({ sql: "select @p1 as a, @p2 as b, @p3 as c, cast(@p4 as string) as d", params: ["it's", 7, 1.5, null] });
    expect(row).toEqual({ a: "it's", b: 7, c: 1.5, d: null });
    expect(jobOf("@p1").configuration?.query?.queryParameters).toEqual([
      { name: "p1", parameterType: { type: "STRING" }, parameterValue: { value: "it's" } },
      { name: "p2", parameterType: { type: "INT64" }, parameterValue: { value: "7" } },
      { name: "p3", parameterType: { type: "FLOAT64" }, parameterValue: { value: "1.5" } },
      { name: "p4", parameterType: { type: "STRING" }, parameterValue: { value: null } },
    ]);
  });

  it("of an append are one parameter, an array of rows", async () => {
    await warehouse.append("`shop`.`counts`", [{ name: "n", kind: "integer", values: [1, null, 3] }]);
    expect(jobOf("unnest").configuration?.query?.queryParameters).toMatchObject([
      {
        parameterType: { type: "ARRAY", arrayType: { type: "STRUCT", structTypes: [{ name: "n", type: { type: "INT64" } }] } },
        parameterValue: {
          arrayValues: [{ structValues: { n: { value: "1" } } }, { structValues: { n: { value: null } } }, { structValues: { n: { value: "3" } } }],
        },
      },
    ]);
    expect(await warehouse.query(sql("select count(*) as n, sum(n) as total from shop.counts"))).toEqual([{ n: 3, total: 4 }]);
  });
});

describe("a script", () => {
  it("is one job with the parameters of all its statements, and counts as one", async () => {
    await warehouse.query(sql("select 1"));
    const rows = await warehouse.script({
      statements: [
        { sql: "insert into shop.counts select @p1", params: [7] },
        { sql: "insert into shop.counts select @p1 + @p2", params: [1, 2] },
        { sql: "select count(*) as n, '@p1' as quoted, @p1 as named from shop.counts", params: ["x"] },
      ],
    });
    expect(rows).toEqual([{ n: 2, quoted: "@p1", named: "x" }]);
    const job = jobOf("commit transaction").configuration?.query;
    expect(job?.query).toContain("insert into shop.counts select @p2 + @p3");
    expect(job?.queryParameters?.map(({ name, parameterType }) => [name, parameterType])).toEqual([
      ["p1", { type: "INT64" }],
      ["p2", { type: "INT64" }],
      ["p3", { type: "INT64" }],
      ["p4", { type: "STRING" }],
    ]);
    // The session's first job, the query and the script.
    expect([proxy.jobs().length, warehouse.usage.statements]).toEqual([3, 3]);
  });
});

describe("the session", () => {
  const sessionOf = ({ configuration }: SentJob): unknown => {
    const { createSession, connectionProperties } = configuration?.query ?? {};
    return createSession === true ? "begun" : (connectionProperties?.find(({ key }) => key === "session_id")?.value ?? "none");
  };

  it("is one for all statements but those that run beside it, and ends with the run", async () => {
    await warehouse.execute(sql("create temp table mine as select 1 as n"));
    await warehouse.query(sql("select n from mine"));
    await warehouse.beside?.(sql("insert into shop.counts select 5"));
    await warehouse.close();
    const sessions = proxy.jobs().map(sessionOf);
    const [begun, first, second, beside, end, ...more] = sessions;
    expect([begun, beside, end, more]).toEqual(["begun", "none", "none", []]);
    expect(first).toMatch(/\w/);
    expect(second).toBe(first);
    expect(proxy.jobs().at(-1)?.configuration?.query?.query).toBe(`call bq.abort_session('${String(first)}')`);
  });

  it("isn't begun for what needs none", async () => {
    await warehouse.estimate(sql("select 1"));
    await warehouse.describe(sql("select 1 as n"));
    await warehouse.close();
    expect(proxy.jobs().map((job) => [sessionOf(job), job.configuration?.dryRun])).toEqual([
      ["none", true],
      ["none", true],
    ]);
  });
});

describe("a request", () => {
  const inserts = (part: string) => (request: Seen) => request.path === "/jobs" && request.body.configuration?.query?.query.includes(part) === true;
  const asksFor = (request: Seen): boolean => request.path.startsWith("/queries/");
  const unavailable = { status: 503, body: { error: { code: 503, message: "try again", errors: [{ reason: "backendError", message: "try again" }] } } };
  const counted = async (): Promise<unknown> => (await warehouse.query(sql("select count(*) as n from shop.counts")))[0]?.["n"];

  it("that BigQuery refused for the moment is made again with the same job id", async () => {
    proxy.fail(inserts("into shop.counts"), unavailable, unavailable);
    expect(await warehouse.execute(sql("insert into shop.counts select 1"))).toBe(1);
    const tries = proxy.seen.filter(inserts("into shop.counts"));
    expect(tries.map(({ status }) => status)).toEqual([503, 503, 200]);
    expect(new Set(tries.map(({ body }) => body.jobReference?.jobId)).size).toBe(1);
    expect(await counted()).toBe(1);
  });

  it("whose answer was lost is made again, refused as the job is there, and the statement ran once", async () => {
    proxy.fail(inserts("into shop.counts"), "lost");
    expect(await warehouse.execute(sql("insert into shop.counts select 1"))).toBe(1);
    const tries = proxy.seen.filter(inserts("into shop.counts"));
    expect(tries.map(({ status }) => status)).toEqual([null, 409]);
    expect(new Set(tries.map(({ body }) => body.jobReference?.jobId)).size).toBe(1);
    expect(await counted()).toBe(1);
  });

  it("for the result is made again where it was refused or its answer lost, without running the statement again", async () => {
    await warehouse.query(sql("select 1"));
    proxy.fail(asksFor, unavailable, "lost");
    expect(await warehouse.execute(sql("insert into shop.counts select 1"))).toBe(1);
    expect(proxy.seen.filter(inserts("into shop.counts"))).toHaveLength(1);
    expect(await counted()).toBe(1);
  });

  it("whose statement lost against another's change of the table is made again as a new job; within a transaction it is not", async () => {
    const message = "Transaction is aborted due to concurrent update against table shop.counts";
    const lost = { status: 200, body: { status: { state: "DONE", errorResult: { reason: "invalidQuery", message } } } };
    proxy.fail(inserts("into shop.counts"), lost);
    expect(await warehouse.execute(sql("insert into shop.counts select 1"))).toBe(1);
    const tries = proxy.seen.filter(inserts("into shop.counts"));
    expect(new Set(tries.map(({ body }) => body.jobReference?.jobId)).size).toBe(2);
    expect(await counted()).toBe(1);

    proxy.fail(inserts("select 2"), lost);
    const ended = warehouse.transaction(async () => {
      await warehouse.execute(sql("insert into shop.counts select 2"));
    });
    await expect(ended).rejects.toThrow(message);
    expect(proxy.seen.filter(inserts("select 2"))).toHaveLength(1);
    expect(await counted()).toBe(1);
  });

  it("for the result of a job that failed is not made until the deadline, though the failure looks like one of the moment", async () => {
    await warehouse.query(sql("select 1"));
    proxy.fail(asksFor, ...Array.from({ length: 5 }, () => unavailable));
    const errorResult = { reason: "backendError", message: "Error encountered during execution. Retrying may solve the problem." };
    proxy.fail(({ method, path }) => method === "GET" && path.startsWith("/jobs/"), { status: 200, body: { status: { state: "DONE", errorResult } } });
    await expect(warehouse.execute(sql("insert into shop.counts select 1"))).rejects.toThrow(errorResult.message);
    expect(proxy.seen.filter((request) => asksFor(request) && request.status === 503)).toHaveLength(1);
  });

  it("that is wrong is not made again", async () => {
    const error = await warehouse.execute(sql("insert into shop.nowhere\nselect 1")).then(String, (caught: unknown) => caught);
    expect(error).toBeInstanceOf(WarehouseError);
    expect(String(error)).toContain("nowhere");
    expect(proxy.seen.filter(inserts("into shop.nowhere"))).toHaveLength(1);
  });

  /** Time that passes when told; sockets are real. */
  function quickClock(): (ms: number) => Promise<unknown> {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    return (ms) => vi.advanceTimersByTimeAsync(ms);
  }

  const cancelOf = (asked: Seen | undefined): string => `/jobs/${asked?.path.replace("/queries/", "") ?? ""}/cancel`;
  const isCancel = ({ path }: Seen): boolean => path.endsWith("/cancel");

  it("for a job that does not end is made until the deadline, and then the job is cancelled", async () => {
    await warehouse.query(sql("select 1"));
    const clock = quickClock();
    const goesOn = async (): Promise<{ status: number; body: object }> => {
      await clock(20_000);
      return { status: 200, body: { jobComplete: false } };
    };
    proxy.fail(asksFor, goesOn, goesOn, goesOn);
    const error = await warehouse.execute(sql("insert into shop.counts select 1")).then(String, (caught: unknown) => caught);
    expect(error).toBeInstanceOf(WarehouseError);
    expect(String(error)).toContain("it took longer than 20 seconds, the statement_timeout of this target");
    expect((await proxy.arrived(isCancel)).path).toBe(cancelOf(proxy.seen.filter(asksFor).at(-1)));
  });

  it("that is never answered is given up at the deadline, and the job is cancelled", async () => {
    await warehouse.query(sql("select 1"));
    const clock = quickClock();
    proxy.fail(asksFor, "hang");
    const ended = warehouse.execute(sql("insert into shop.counts select 1")).then(String, (caught: unknown) => caught);
    const asked = await proxy.arrived((request) => asksFor(request) && proxy.seen.filter(asksFor).length === 3);
    await clock(60_000);
    expect(String(await ended)).toContain("doesn't answer: no answer within 50 seconds");
    expect((await proxy.arrived(isCancel)).path).toBe(cancelOf(asked));
  });

  it("under way is cancelled when the run is interrupted", async () => {
    await warehouse.query(sql("select 1"));
    proxy.fail(asksFor, "hang");
    void warehouse.execute(sql("insert into shop.counts select 1")).catch(() => undefined);
    const asked = await proxy.arrived((request) => asksFor(request) && proxy.seen.filter(asksFor).length === 3);
    await warehouse.cancel();
    expect((await proxy.arrived(isCancel)).path).toBe(cancelOf(asked));
  });
});
