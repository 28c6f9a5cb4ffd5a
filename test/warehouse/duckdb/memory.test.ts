/** What DuckDB may take where nothing is said, and what is said when that wasn't enough. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { WarehouseError } from "../../../src/warehouse/error.js";
import { limitsOf, memoryProblem, thisMachine } from "../../../src/warehouse/duckdb/memory.js";
import { batches, open, plain, rejection } from "../support.js";

const GB = 1e9;

describe("the limits", () => {
  it.each([
    ["a large server", { memory: 512 * GB, processors: 64 }, { memoryLimit: "1000MB", threads: 8 }],
    ["a laptop", { memory: 16 * GB, processors: 8 }, { memoryLimit: "1000MB", threads: 8 }],
    ["two processors", { memory: 24 * GB, processors: 2 }, { memoryLimit: "1000MB", threads: 2 }],
    ["a container of 2 GB", { memory: 2 * GB, processors: 8 }, { memoryLimit: "500MB", threads: 4 }],
    ["a container of 512 MiB", { memory: 512 * 2 ** 20, processors: 8 }, { memoryLimit: "134MB", threads: 1 }],
  ])("of %s are a quarter of its memory, at most 1 GB, and threads that this is enough for", (_, machine, expected) => {
    expect(limitsOf({ memoryLimit: null, threads: null }, machine)).toEqual(expected);
  });

  it("are those of the target where it sets them", () => {
    const machine = { memory: 64 * GB, processors: 16 };
    expect(limitsOf({ memoryLimit: "4 GiB", threads: null }, machine)).toEqual({ memoryLimit: "4 GiB", threads: 16 });
    expect(limitsOf({ memoryLimit: "200MB", threads: null }, machine)).toEqual({ memoryLimit: "200MB", threads: 1 });
    expect(limitsOf({ memoryLimit: "200MB", threads: 3 }, machine)).toEqual({ memoryLimit: "200MB", threads: 3 });
  });

  it("are what DuckDB is opened with", async () => {
    const expected = limitsOf({ memoryLimit: null, threads: null }, thisMachine());
    const warehouse = await open({ threads: null });
    const settings = "select current_setting('threads') as threads, parse_formatted_bytes(current_setting('memory_limit')) as bytes";
    const [row] = await warehouse.query(plain(settings));
    expect(row?.["threads"]).toBe(expected.threads);
    expect(Number(row?.["bytes"]) / 1e6 / Number.parseInt(expected.memoryLimit, 10)).toBeCloseTo(1, 2);
  });
});

describe("a statement that needs more", () => {
  it("says the setting, its value and where temporary files are", async () => {
    const root = mkdtempSync(join(tmpdir(), "opportune-memory-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const warehouse = await open({ path: "shop.duckdb", memoryLimit: "20MB", threads: 1 }, { root });
    const error = await rejection(warehouse.query(plain("select len(list(n)) as n from range(10000000) numbers(n)")));
    expect(error).toBeInstanceOf(WarehouseError);
    expect(error.message.split("\n")[0]).toMatch(/^DuckDB ran out of memory: this statement needs more than the memory_limit of 20MB \(.+\)\.$/);
    expect((error as WarehouseError).hint).toBe(
      `Raise \`memory_limit\` of this target in opportune.yml, now 20MB; or have the query return fewer rows or narrower columns. What can be written to disk is already in ${join(root, "shop.duckdb")}.tmp.`,
    );
    expect(await warehouse.query(plain("select 1 as a"))).toEqual([{ a: 1 }]);
  });

  it("says it of a stream too", async () => {
    const warehouse = await open({ memoryLimit: "20MB" });
    const error = await rejection(batches(warehouse, "select list(n) as n from range(10000000) numbers(n)", 10));
    expect((error as WarehouseError).hint).toMatch(/^Raise `memory_limit` of this target in opportune\.yml, now 20MB/);
  });

  it("says where there is no room for temporary files", async () => {
    const warehouse = await open({ memoryLimit: "20MB" });
    await warehouse.execute(plain("set max_temp_directory_size = '1MB'"));
    const error = await rejection(
      warehouse.query(plain("select count(*) from (select n, md5(n::varchar) as m from range(3000000) numbers(n) order by m limit 2900000)")),
    );
    expect(error.message).toMatch(/^DuckDB had no room for its temporary files in \.tmp: /);
    expect((error as WarehouseError).hint).toContain("raise `memory_limit` of this target in opportune.yml, now 20MB");
  });
});

describe("the words", () => {
  const limits = { memoryLimit: "1GB", threads: 4 };

  it.each([
    "failed to pin block of size 256.0 KiB (190.5 MiB/190.7 MiB used)",
    "could not allocate block of size 256.0 KiB",
    "failed to allocate data of size 16.0 MiB",
  ])("cover %s, and name the threads where there are several", (said) => {
    const problem = memoryProblem(`Out of Memory Error: ${said}`, limits, "shop.duckdb.tmp");
    expect(problem?.message).toBe(`DuckDB ran out of memory: this statement needs more than the memory_limit of 1GB (${said}).`);
    expect(problem?.hint).toContain("now 1GB with 4 threads; or set fewer `threads`; or have the query return fewer rows");
  });

  it("cover a full disk, and nothing else", () => {
    expect(memoryProblem('IO Error: Could not write file "x.tmp": No space left on device', limits, "x.tmp")?.message).toMatch(/^DuckDB had no room/);
    expect(memoryProblem("Binder Error: Referenced column memory not found", limits, "x.tmp")).toBeNull();
  });
});
