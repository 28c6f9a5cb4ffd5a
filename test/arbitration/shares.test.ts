/** Whether holdouts and variants hold the share of users that they promise: 100,000 users, within three standard deviations. */
import { expect, it } from "vitest";
import { bucketBelow } from "../../src/arbitration/constants.js";
import { warehouseWith } from "../segments/support.js";
import type { Row } from "../../src/warehouse/types.js";

const USERS = 100_000;

/** The bucket as docs/decisions.md has it: MD5 over `<length>:<text>` of each part. */
function bucket(...parts: readonly string[]): string {
  return `substr(md5(${parts.map((part) => `length(${part}) || ':' || ${part}`).join(" || ',' || ")}), 1, 8)`;
}

const PROJECT = bucket("'a-salt'", "'holdout'", "u");
const SEGMENT = bucket("'a-salt'", "'holdout'", "u", "'cart_abandoned'");
const OTHER = bucket("'a-salt'", "'holdout'", "u", "'win_back'");
const VARIANT = bucket("'a-salt'", "'variant'", "u", "'cart_abandoned'", "'nudge'");
const OTHER_VARIANT = bucket("'a-salt'", "'variant'", "u", "'cart_abandoned'", "'reminder'");

async function counted(conditions: Readonly<Record<string, string>>): Promise<Row> {
  const warehouse = await warehouseWith();
  const [row] = await warehouse.query({
    sql: `select ${Object.entries(conditions)
      .map(([name, sql]) => `count(*) filter (where ${sql}) as ${name}`)
      .join(", ")} from (select 'user-' || range as u from range(${String(USERS)}))`,
    params: [],
  });
  return row ?? {};
}

function expectShare(count: unknown, share: number, of = USERS): void {
  const sigma = Math.sqrt(of * share * (1 - share));
  expect(Math.abs(Number(count) - of * share)).toBeLessThan(3 * sigma);
  expect(Number(count)).toBeGreaterThan(0);
}

it("holdouts hold their share, each independent of the others", async () => {
  const tenth = `'${bucketBelow(0.1)}'`;
  const row = await counted({
    project: `${PROJECT} < ${tenth}`,
    segment: `${SEGMENT} < ${tenth}`,
    both: `${PROJECT} < ${tenth} and ${SEGMENT} < ${tenth}`,
    segments: `${SEGMENT} < ${tenth} and ${OTHER} < ${tenth}`,
  });
  expectShare(row["project"], 0.1);
  expectShare(row["segment"], 0.1);
  expectShare(row["both"], 0.01);
  expectShare(row["segments"], 0.01);
});

it("a larger holdout contains the smaller one; 0 holds nobody and 100 all", async () => {
  const row = await counted({
    five: `${PROJECT} < '${bucketBelow(0.05)}'`,
    nested: `${PROJECT} < '${bucketBelow(0.05)}' and ${PROJECT} < '${bucketBelow(0.1)}'`,
    none: `${PROJECT} < '${bucketBelow(0)}'`,
    all_users: `${PROJECT} < '${bucketBelow(1)}'`,
  });
  expectShare(row["five"], 0.05);
  expect(row).toMatchObject({ nested: row["five"], none: 0, all_users: USERS });
});

it("variants are drawn by their weights, in and out of the holdout alike, and by each factor apart", async () => {
  const [third, held] = [bucketBelow(1 / 3), `${SEGMENT} < '${bucketBelow(0.1)}'`];
  const row = await counted({
    a: `${VARIANT} < '${third}'`,
    b: `${VARIANT} >= '${third}' and ${VARIANT} < '${bucketBelow(1)}'`,
    held,
    a_held: `${held} and ${VARIANT} < '${third}'`,
    both: `${VARIANT} < '${third}' and ${OTHER_VARIANT} < '${third}'`,
  });
  expectShare(row["a"], 1 / 3);
  expect(Number(row["a"]) + Number(row["b"])).toBe(USERS);
  expectShare(row["both"], 1 / 9);
  expectShare(row["a_held"], 1 / 3, Number(row["held"]));
});
