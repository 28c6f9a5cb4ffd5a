/** Wide rows are staged in pages of bytes: what comes of them is what comes of one page. */
import { describe, expect, it } from "vitest";
import { parseProperties } from "../../src/run/claims.js";
import { compileProject } from "../../src/segments/stage.js";
import { workTables } from "../../src/warehouse/sql.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { carriedColumns, runInPages } from "../../src/warehouse/duckdb/pages.js";
import { WarehouseError } from "../../src/warehouse/error.js";
import { AS_OF, projectWith, stage, stagedRows, warehouseWith } from "./support.js";

const KB = 1024;
/** Rows of so many bytes, each user twice, the later row first. */
const rows = (
  users: number,
  bytes: number,
): string => `select 'u' || lpad(cast(n % ${String(users)} as varchar), 4, '0') as user_id, 'ada@example.com' as email,
  timestamp '2026-03-02 10:00:00' - to_minutes(n) as occurred_at, n as place, repeat(chr(cast(97 + n % 26 as integer)), ${String(bytes)}) as body, null as nothing, 7 as opportune_bytes
from range(${String(2 * users)}) numbers(n)`;

describe("rows of which a chunk is larger than a page", () => {
  it("are all staged, and a duplicate in another page is found", async () => {
    const warehouse = await warehouseWith();
    const { segments } = await stage(projectWith(rows(30, 700 * KB)), warehouse);
    expect(segments.get("cart")).toMatchObject({ returned: 60, problem: null });
    const staged = await stagedRows(warehouse, "user_id, dropped, strlen(properties) as bytes, size, left(properties, 60) as beginning");
    expect(staged.filter(({ dropped }) => dropped === null).map(({ user_id: user }) => user)).toEqual(
      Array.from({ length: 30 }, (_, n) => `u${String(n).padStart(4, "0")}`),
    );
    for (const row of staged) {
      expect(row["size"]).toBe(row["bytes"]);
      expect(row["bytes"]).toBeGreaterThan(700 * KB);
      // Of each user the later one stays.
      expect(Number(/"place":(\d+)/.exec(String(row["beginning"]))?.[1]) < 30).toBe(row["dropped"] === null);
    }
    const [row] = await stagedRows(warehouse, "user_id, dropped, properties, item_key");
    expect(parseProperties(String(row?.["properties"]))).toMatchObject({ nothing: null, opportune_bytes: 7 });
  });

  it("may have a column named rowid, which isn't the number of a row", async () => {
    const warehouse = await warehouseWith();
    for (const [rowid, told] of Object.entries({ "'x'": "x", "case when place < 5 then 3 end": "3", null: null })) {
      const { segments } = await stage(projectWith(`select *, ${rowid} as "RowID" from (${rows(12, 900 * KB)}) wide`), warehouse);
      expect(segments.get("cart")).toMatchObject({ returned: 24, problem: null });
      const staged = await stagedRows(warehouse, "user_id, dropped, item_key, json_extract_string(properties, '$.RowID') as rowid_column");
      expect(staged.filter(({ dropped }) => dropped === null)).toHaveLength(12);
      expect(staged[0]).toMatchObject({ user_id: "u0000", rowid_column: told });
    }
  });

  it("leave no table behind", async () => {
    const warehouse = await warehouseWith();
    await stage(projectWith(rows(10, 900 * KB)), warehouse);
    const left = "select table_name from information_schema.tables where table_name like 'query%'";
    expect(await warehouse.query({ sql: left, params: [] })).toEqual([]);
  });

  it("of equal times keep the same one in every order", async () => {
    const kept = new Set<string>();
    for (const order of ["asc", "desc"]) {
      const warehouse = await warehouseWith();
      const query = `select 'u1' as user_id, 'ada@example.com' as email, timestamp '2026-03-02 10:00:00' as occurred_at, n, repeat('x', ${String(700 * KB)}) as body
        from range(40) numbers(n) order by n ${order}`;
      await stage(projectWith(query), warehouse);
      const staged = await stagedRows(warehouse, "user_id, dropped, left(properties, 40) as beginning, item_key");
      expect(staged.filter(({ dropped }) => dropped === "duplicate")).toHaveLength(39);
      kept.add(String(staged.find(({ dropped }) => dropped === null)?.["beginning"]));
    }
    expect(kept.size).toBe(1);
  });

  it("leave nothing of a segment that fails on the way", async () => {
    const inner = await warehouseWith();
    const project = projectWith(rows(10, 900 * KB));
    const segments = [...project.segments.values()];
    const compiled = await compileProject(project, segments, [], loadRenderer(project), inner, AS_OF);
    await inner.script({ work: workTables(inner.dialect), statements: [] });
    const { stage, query } = compiled.segments.get("cart") ?? {};
    if (stage === undefined || query === undefined) throw new Error("not compiled");
    let pages = 0;
    const staged = runInPages(stage, query, carriedColumns(await inner.describe(query), inner.dialect), inner.dialect, {
      run({ apart, ...statement }) {
        if (apart !== undefined && ++pages === 3) throw new WarehouseError("Out of memory.", null, statement.sql, undefined, "Raise it.");
        return inner.execute(statement);
      },
      read: (statement) => inner.query(statement),
    });
    await expect(staged).rejects.toMatchObject({ reason: "Out of memory.", hint: "Raise it." });
    expect(pages).toBe(3);
    expect(await stagedRows(inner)).toEqual([]);
  });
});
