/** The shipped segments over the sample warehouse: people in each, and a message that can be rendered for every row. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { workTables } from "../../src/warehouse/sql.js";
import { createSample } from "../../src/commands/shared/sample.js";
import { treatments } from "../../src/project/build/treatments.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { compileProject, stageSegments } from "../../src/segments/stage.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { Row, Warehouse } from "../../src/warehouse/types.js";
import { temporaryFolder } from "../commands/support.js";
import { AS_OF, shipped } from "./plainfold.js";

/** Rows of a segment that are rendered, at every step. */
const RENDERED = 100;

const renderer = loadRenderer(shipped);
let warehouse: Warehouse;
beforeAll(async () => {
  const root = temporaryFolder();
  await createSample({ root, target: shipped.target }, AS_OF);
  warehouse = await openDuckDb({ type: "duckdb", path: "shop.duckdb", waitForLockSeconds: 0, memoryLimit: null, threads: null }, { root });
  const segments = [...shipped.segments.values()];
  const compiled = await compileProject(shipped, segments, [], renderer, warehouse, AS_OF);
  await warehouse.script({ work: workTables(warehouse.dialect), statements: [] });
  const staged = await stageSegments(
    compiled,
    segments,
    warehouse,
    () => 0,
    () => undefined,
  );
  expect([...staged.values()].flatMap(({ problem }) => problem ?? [])).toEqual([]);
});
afterAll(() => warehouse.close());

const text = (value: Row[string] | undefined): string | null => (typeof value === "string" ? value : null);

it.each([...shipped.segments.values()])("$id", async (segment) => {
  const rows = await warehouse.query({
    sql: `select user_id, item_key, replace(cast(occurred_at as varchar), ' ', 'T') || 'Z' as at, timezone, locale, problems, properties
      from ${warehouse.dialect.workTable("segment_rows")} where segment = '${segment.id}' and dropped is null order by md5(user_id || item_key)`,
    params: [],
  });
  expect(rows.length).toBeGreaterThan(5);
  // An address in 250 is none; nothing else may be wrong with a row.
  const clean = rows.filter(({ problems }) => problems === "");
  expect(clean.length).toBeGreaterThan(rows.length * 0.95);

  const channel = shipped.channels.get("email");
  if (channel === undefined) throw new Error("no channel email");
  const subjects = new Set<string>();
  for (const row of clean.slice(0, RENDERED))
    for (const { step, variant, template } of treatments(segment)) {
      const message = renderer.render(
        {
          messageId: "m1",
          step,
          variant,
          template,
          userId: String(row["user_id"]),
          key: String(row["item_key"]),
          topic: segment.topic,
          occurredAt: String(row["at"]),
          timezone: text(row["timezone"]),
          locale: text(row["locale"]),
        },
        JSON.parse(String(row["properties"])) as Record<string, unknown>,
        { channel, segment, asOf: AS_OF },
      );
      if ("invalid" in message) throw new Error(`${segment.id} ${step}: ${message.invalid}`);
      expect(`${String(message.subject)} ${message.text}`).not.toMatch(/\b(?:null|undefined|NaN|\d{4}-\d\d-\d\d)\b|_|\[object/);
      subjects.add(String(message.subject));
    }
  // A subject that is the same for all says nothing about the one who gets it.
  expect(subjects.size).toBeGreaterThan(1);
});
