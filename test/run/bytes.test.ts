/** Bytes: what was read is told, what would read more than it may is not run. DuckDB doesn't say: it is told here what to say. */
import { expect, it } from "vitest";
import { compileRun } from "../../src/run/prepare.js";
import { estimate } from "../../src/commands/compile/estimate.js";
import { ledgerFacts } from "../../src/ledger/facts.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import { runDocument } from "../../src/report/artefacts.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { run } from "../../src/run/run.js";
import type { RunResult } from "../../src/run/types.js";
import type { Labels, Statement, Warehouse } from "../../src/warehouse/types.js";
import { write } from "../commands/support.js";
import { around } from "../support/around.js";
import { QUIET_RUN } from "../support/quiet-run.js";
import { Shop, T0 } from "../support/run-shop.js";

const GB = 1e9;

interface Metered {
  warehouse: Warehouse;
  /** What was run for a segment or audience, in order. */
  ran: Statement[];
  labels: Labels[];
}

/** A warehouse in which the query of each segment or audience reads so many bytes, and says so. */
function metered(warehouse: Warehouse, bytes: Readonly<Record<string, number>>): Metered {
  const usage = { statements: 0, bytes: 0 };
  const ran: Statement[] = [];
  const labels: Labels[] = [];
  return {
    ran,
    labels,
    warehouse: around(warehouse, {
      usage,
      label: (given) => void labels.push(given),
      estimate: (statement) => Promise.resolve(bytes[statement.segment ?? ""] ?? 5),
      execute: (statement) => {
        if (statement.segment !== undefined) ran.push(statement);
        usage.bytes += bytes[statement.segment ?? ""] ?? 5;
        return warehouse.execute(statement);
      },
    }),
  };
}

async function shopOf(): Promise<Shop> {
  const shop = await Shop.sending(["ada", "bob"]);
  shop.edit("segments/cart.sql", "topic: carts", "topic: carts\nexclude: [staff]\nmax_bytes_billed: 2 GB");
  write(shop.root, {
    "segments/audiences/staff.sql": "select user_id from {{source \"carts\"}} where user_id = 'bob'\n",
    "segments/news.sql":
      '/*---\nstatus: live\nfirst_run: send\npriority: 10\nchannel: email\ntemplate: cart\n---*/\nselect user_id, email, occurred_at, name, total from {{source "carts"}}\n',
  });
  return shop;
}

async function runOf(shop: Shop, project: Project, bytes: Readonly<Record<string, number>>): Promise<Metered & { result: RunResult }> {
  return shop.warehouse(async (opened) => {
    const told = metered(opened, bytes);
    const result = await run(project, told.warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => T0 });
    return { ...told, result };
  });
}

it("a segment above its limit is not run and fails alone, with both figures, its line and the way out", async () => {
  const shop = await shopOf();
  const project = loadProject(shop.root, { env: {} });
  const { result, ran, labels } = await runOf(shop, project, { cart: 3.2 * GB, news: 1 * GB, staff: 0.5 * GB });
  expect(result.problems).toEqual([
    {
      code: "segment/max-bytes",
      message: "Segment cart would read 3.2 GB, more than the 2 GB of its max_bytes_billed: it is not run.",
      hint: "Have its query read fewer days or columns, or raise max_bytes_billed here.",
      file: "segments/cart.sql",
      line: 6,
    },
  ]);
  expect(ran.map(({ segment, maxBytes }) => [segment, maxBytes])).toEqual([
    ["staff", undefined],
    ["news", undefined],
  ]);
  expect(result.delivery).toMatchObject({ claims: 2 });
  expect(labels).toEqual([{ project: "shop", run: result.runId }]);
  expect(await shop.rows("select segment, succeeded, bytes_scanned, error is null as fine from opportune.segment_runs order by segment")).toEqual([
    { segment: "cart", succeeded: 0, bytes_scanned: 0, fine: false },
    { segment: "news", succeeded: 1, bytes_scanned: 1e9, fine: true },
  ]);
  const period = { run: 300, segments: { cart: 300, news: 300 }, audiences: { staff: 300 } };
  const document = runDocument(result, { project: "shop", target: "dev", version: "test", stopped: false, period });
  expect(document).toMatchObject({
    segments: [{ bytes_scanned: 0 }, { bytes_scanned: GB }],
    audiences: [{ audience: "staff", bytes_scanned: 0.5 * GB }],
    bytes_scanned: 1.5 * GB,
    bytes_per_day: 288 * 1.5 * GB,
  });
});

it("the smaller limit holds; an audience above the target's makes whoever needs it wait, one below goes with its limit", async () => {
  const shop = await shopOf();
  const written = loadProject(shop.root, { env: {} });
  const project = { ...written, target: { ...written.target, maxBytes: 1 * GB } };
  const { result, ran } = await runOf(shop, project, { cart: 0.9 * GB, news: 1.1 * GB, staff: 5 * GB });
  expect(result.problems.map(({ message, file, line }) => [message, file, line])).toEqual([
    ["Audience staff would read 5 GB, more than the 1 GB of the target's max_bytes_billed: it is not run.", "segments/audiences/staff.sql", 1],
    ["Segment news would read 1.1 GB, more than the 1 GB of the target's max_bytes_billed: it is not run.", "segments/news.sql", 8],
  ]);
  expect(result.decisions.segments.map(({ reasons }) => reasons)).toEqual([{ audience_failed: 2 }, {}]);
  expect(ran.map(({ segment, maxBytes }) => [segment, maxBytes])).toEqual([["cart", GB]]);
});

it("compile --estimate: each query, a day of it at the schedule, and what is above its limit; nothing is run", async () => {
  const shop = await shopOf();
  shop.edit("segments/news.sql", "priority: 10", "priority: 10\nevery: 58 minutes");
  const project = loadProject(shop.root, { env: {} });
  await shop.warehouse(async (opened) => {
    const { warehouse, ran } = metered(opened, { cart: 3 * GB, news: 1 * GB, staff: 2_500_000 });
    const asOf = "2026-03-02T12:00:00Z";
    const segments = [...project.segments.values()];
    const compiled = await compileRun(project, new Ledger(warehouse, "opportune"), {
      asOf,
      trial: true,
      segments,
      backfill: new Set(),
      templates: loadRenderer(project),
      facts: await ledgerFacts(new Ledger(warehouse, "opportune"), { asOf, trial: true, segments: segments.map(({ id }) => id) }),
      onStatement: () => undefined,
    });
    const plain = { bold: (text: string) => text } as Parameters<Awaited<ReturnType<typeof estimate>>["lines"]>[0];
    const { lines, problems } = await estimate(project, warehouse, compiled, compiled.decides);
    expect(lines(plain).join("\n")).toBe(`would read      bytes   a day    limit
audience staff  2.5 MB  720 MB
segment cart    3 GB    864 GB   2 GB
segment news    1 GB    24 GB
decisions       5 B     1.44 KB
A run of all of them would read 4 GB, a day at this schedule 889 GB.`);
    expect(problems.map(({ code, line }) => [code, line])).toEqual([["segment/max-bytes", 6]]);
    expect(ran).toEqual([]);
    const silent = await estimate(project, opened, compiled, compiled.decides);
    expect([silent.lines(plain), silent.problems]).toEqual([["This warehouse doesn't say what a query would read."], []]);
  });
});
