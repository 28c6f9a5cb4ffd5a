/** DuckDB files that can't be opened, the id beside one, and what the system refuses: each named, with the way out. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OpportuneError } from "../../../src/core/errors.js";
import { errorLines } from "../../../src/report/error-lines.js";
import { makeId, readId } from "../../../src/warehouse/duckdb/id.js";
import { close, open, plain, rejection } from "../support.js";

let root = "";
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "opportune-duckdb-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const refusal = async (): Promise<string> => (await rejection(open({ path: "shop.duckdb" }, { root }))).message;

describe("a file", () => {
  it("of DuckDB 2 is named by the version that wrote it, with the setting that helps", async () => {
    copyFileSync(join(import.meta.dirname, "../../data/duckdb-2.0.1.header"), join(root, "shop.duckdb"));
    expect(await refusal()).toMatch(
      /^shop\.duckdb was written by DuckDB v2\.0\.1 in its storage format 999, which Opportune's DuckDB v1\.5\.5 can't read\.\n {4}.*storage_compatibility_version to 'v1\.5\.0' \(dbt: under config_options of the profile\).*storage_version 'v1\.5\.0'.*copy from database/,
    );
  });

  it.each([
    ["SQLite format 3\0 and the rest", "shop.duckdb is a database of SQLite."],
    ["", "shop.duckdb is empty."],
    ["user_id,email\n1,ada@example.com\n", "shop.duckdb is not a DuckDB file."],
  ])("that holds %j is none of DuckDB's, and no extension is looked for", async (content, message) => {
    writeFileSync(join(root, "shop.duckdb"), content);
    expect(await refusal()).toContain(message);
  });

  it("that is cut off, or a folder, is named as that", async () => {
    const warehouse = await open({ path: "shop.duckdb" }, { root });
    await warehouse.execute(plain("create table t as select range as a from range(200000)"));
    await close(warehouse);
    writeFileSync(join(root, "shop.duckdb"), readFileSync(join(root, "shop.duckdb")).subarray(0, 100_000));
    expect(await refusal()).toMatch(/^DuckDB can't open shop\.duckdb: .*\n {4}The file is damaged or was copied while it was written to/);
    rmSync(join(root, "shop.duckdb"));
    mkdirSync(join(root, "shop.duckdb"));
    expect(await refusal()).toMatch(/Is a directory\n {4}Correct `path`/);
  });
});

describe("the id beside a file", () => {
  beforeEach(() => writeFileSync(join(root, "shop.duckdb"), ""));

  it("is written whole, and read again; none is none", () => {
    const path = join(root, "shop.duckdb");
    expect(readId(path)).toBeNull();
    const id = makeId(path);
    expect(readId(path)).toBe(id);
    expect(readdirSync(root).sort()).toEqual(["shop.duckdb", "shop.duckdb.opportune"]);
  });

  it("that can't be read is not taken for missing, nor written over", () => {
    mkdirSync(join(root, "shop.duckdb.opportune"));
    const path = join(root, "shop.duckdb");
    for (const attempt of [() => readId(path), () => makeId(path)]) {
      expect(attempt).toThrow(OpportuneError);
      expect(attempt).toThrow(/shop\.duckdb\.opportune can't be (?:read|written) \(EISDIR\); it tells the DuckDB file beside it from a copy\./);
    }
    expect(readdirSync(root).sort()).toEqual(["shop.duckdb", "shop.duckdb.opportune"]);
  });
});

it("what the system refuses is said so, with the way out, and is no mistake of Opportune's", () => {
  writeFileSync(join(root, "target"), "");
  const paint = pc.createColors(false);
  const thrown = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return error;
    }
    throw new Error("nothing was refused");
  };
  expect(
    errorLines(
      thrown(() => mkdirSync(join(root, "target/opportune"))),
      false,
      paint,
    ),
  ).toEqual([
    `The system refused to make the folder ${root}/target/opportune: not a directory (ENOTDIR).`,
    "    Remove or rename the file that stands where a folder is expected.",
  ]);
  expect(
    errorLines(
      thrown(() => writeFileSync("/dev/full", "x")),
      false,
      paint,
    ),
  ).toEqual(["The system refused to write: no space left on device (ENOSPC).", "    Free space on that disk, or name another place."]);
  expect(errorLines(new TypeError("x is not a function"), false, paint)[1]).toContain("This is a mistake in Opportune");
});
