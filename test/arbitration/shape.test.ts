/** What two segments must share for the one to be taken for the other under a new name. */
import { describe, expect, it } from "vitest";
import { hasQueryOf, isShapeOf, shapeOf } from "../../src/arbitration/shape.js";
import { readSegments } from "../../src/project/written/front-matter.js";
import { buildSegment } from "../../src/project/build/build.js";
import { temporaryFolder, write } from "../commands/support.js";
import type { Segment } from "../../src/project/types.js";

/** A segment of these keys and this query, as its file is read. */
function segment(query: string, keys = "channel: email\ntemplate: cart"): Segment {
  const root = temporaryFolder();
  write(root, { "segments/cart.sql": `/*---\n${keys}\n---*/\n${query}` });
  const [read] = readSegments(root, ["segments/cart.sql"]).items;
  if (read === undefined || read.data === null || read.source === null) throw new Error("not a segment");
  return buildSegment("cart", read.file, { audiences: new Map(), mistakes: new Map() }, read.data, read.source);
}

const QUERY = `select user_id, 'Left a Cart' as "Kind" from {{source "carts"}} where a > {{ago "3 days"}} and b >= 1`;
const query = (text: string): string => shapeOf(segment(text)).split("-")[0] ?? "";

it("is known by the one hash that 0.1.0 wrote, where nothing was edited", () => {
  const [before, edited] = [segment(QUERY), segment(QUERY.replace("1", "2"))];
  // By 0.1.0, of this very segment.
  const old = "13fce546ed54";
  expect([isShapeOf(before, old), hasQueryOf(before, old)]).toEqual([true, true]);
  expect([isShapeOf(edited, old), hasQueryOf(edited, old)]).toEqual([false, false]);
  expect([isShapeOf(before, shapeOf(before)), hasQueryOf(before, shapeOf(before)), isShapeOf(edited, shapeOf(before))]).toEqual([true, true, false]);
});

it("is another one by another factor; one of the step's own name is none", () => {
  const of = (factor: string): string =>
    shapeOf(segment(QUERY, `steps:\n  - {name: nudge, channel: email, template: cart, variants: {a: {}, b: {}}${factor}}`));
  expect(of(", factor: nudge")).toBe(of(""));
  expect(of(", factor: tone")).not.toBe(of(""));
});

describe("a query is the same", () => {
  it.each([
    ["in other lines", QUERY.replaceAll(" ", "\n  ").replace("'Left\n  a\n  Cart'", "'Left a Cart'").replace('"3\n  days"', '"3 days"')],
    ["in capitals", QUERY.replace("select", "SELECT").replace("where", "WHERE").replace("user_id", "User_ID")],
    ["with comments of all kinds", `-- who\n/* left */ ${QUERY.replace("where", "{{! why }} where {{!-- not --}}")} -- them`],
    ["without spaces around signs", QUERY.replace("a > {{ago", "a>{{ ago").replace("b >= 1", "b>=1").replace("user_id, ", "user_id,")],
    ["with a semicolon at its end", `${QUERY};\n`],
  ])("%s", (_, text) => {
    expect(text).not.toBe(QUERY);
    expect(query(text)).toBe(query(QUERY));
  });

  it("with other steps, key and repeat, and then only the query", () => {
    const other = shapeOf(segment(QUERY, "key: cart_id\nrepeat: each_occurrence\nsteps:\n  - {name: nudge, after: 1 hour, channel: sms, template: other}"));
    expect(other.split("-")[0]).toBe(query(QUERY));
    expect(other).not.toBe(shapeOf(segment(QUERY)));
  });
});

describe("a query is another one", () => {
  it.each([
    ["with another number", QUERY.replace("b >= 1", "b >= 2")],
    ["with a text in other capitals", QUERY.replace("Left a Cart", "left a cart")],
    ["with a text of other spaces", QUERY.replace("Left a Cart", "Left  a Cart")],
    ["with a name in quotes in other capitals", QUERY.replace('"Kind"', '"kind"')],
    ["with a word in two", QUERY.replace("user_id", "user _id")],
    ["with what looks like a comment in a text", QUERY.replace("Left a Cart", "Left a Cart -- 2")],
    ["with another source", QUERY.replace('"carts"', '"orders"')],
  ])("%s", (_, text) => {
    expect(text).not.toBe(QUERY);
    expect(query(text)).not.toBe(query(QUERY));
  });
});
