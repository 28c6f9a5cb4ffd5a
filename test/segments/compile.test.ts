import { describe, expect, it } from "vitest";
import { AS_OF, compileProblems, projectWith, QUERY_LINE, segmentFile, shopProject, stage, stagedRows, warehouseWith } from "./support.js";

const CARTS =
  "create table carts as select 'u1' as user_id, 'u1@example.com' as email, timestamp '2026-03-02 10:00:00' as occurred_at, 20 as total, 'x' as cart_id";
const SMS = "steps: [{name: nudge, channel: email, template: cart}, {name: ping, after: 1 hour, channel: sms, template: ping}]";
const STEP = "steps: [{name: nudge, channel: email, template: cart}]";

describe("a query that does not give what its segment needs", () => {
  it("is refused with all that is missing and what there is", async () => {
    const project = projectWith("select 1 as userid, total from carts", `${SMS}\nkey: cart_id\nkeep_properties: [tota]`);
    const lines = await compileProblems(project, await warehouseWith(CARTS));
    expect(lines.map(({ message }) => message)).toEqual([
      "Segment cart returns no column user_id.",
      "Segment cart returns no column occurred_at.",
      "Segment cart returns no column email, the address that channel email of step nudge needs.",
      "Segment cart returns no column phone, the address that channel sms of step ping needs.",
      "Segment cart returns no column cart_id, its key.",
      "Segment cart returns no column tota, named under keep_properties.",
    ]);
    for (const { hint, code, file, line } of lines)
      expect({ hint, code, file, line }).toEqual({
        hint: "It returns: userid, total.",
        code: "segment/column",
        file: "segments/cart.sql",
        line: QUERY_LINE + 2,
      });
  });

  it("is told of a template's variable at the template's line, with the nearest column", async () => {
    const project = projectWith("select user_id, email, occurred_at, total from carts", undefined, {
      "templates/cart.hbs": "---\nsubject: Your cart\nlayout: none\n---\n<p>Hello</p>\n<p>{{totl}} and {{#if gift_wrapped_twice}}a gift{{/if}}</p>\n",
    });
    expect(await compileProblems(project, await warehouseWith(CARTS))).toEqual([
      {
        code: "template/variable",
        message: "{{totl}} is not a column of segment cart (segments/cart.sql).",
        hint: `Did you mean "total"?`,
        file: "templates/cart.hbs",
        line: 6,
        column: expect.any(Number) as number,
      },
      {
        code: "template/variable",
        message: "{{gift_wrapped_twice}} is not a column of segment cart (segments/cart.sql).",
        hint: "It returns: user_id, email, occurred_at, total.",
        file: "templates/cart.hbs",
        line: 6,
        column: expect.any(Number) as number,
      },
    ]);
  });

  it("is told of the contract's columns, and audiences of theirs, all at once", async () => {
    const project = projectWith("select user_id, email, occurred_at, total from carts", `${STEP}\ncolumns: {totals: {required: true}}\ngoal: ordered`, {
      "segments/audiences/ordered.sql": "select 1 as customer\n",
      "segments/other.sql": segmentFile("select 1 as user_id"),
    });
    const found = await compileProblems(project, await warehouseWith(CARTS));
    expect(found.map(({ code, file }) => `${code} ${String(file)}`)).toEqual([
      "segment/contract segments/cart.sql",
      "segment/column segments/other.sql",
      "segment/column segments/other.sql",
      "audience/column segments/audiences/ordered.sql",
    ]);
    expect(found[0]).toMatchObject({ hint: 'Did you mean "total"?', line: 4 });
    expect(found[3]).toMatchObject({ message: "Audience ordered returns no column user_id.", hint: "It returns: customer.", line: 1 });
  });
});

describe("SQL that the warehouse refuses", () => {
  it.each([
    ["unknown table, found when compiling", "select user_id, email,\n  occurred_at\nfrom cartes", QUERY_LINE + 2, /cartes/],
    ["syntax", "select user_id, email,\n  occurred_at frm carts", QUERY_LINE + 1, /syntax error/],
    [
      "a cast that fails only when it runs",
      "select user_id, email,\n  occurred_at, cast(cart_id as integer) as n\nfrom carts",
      QUERY_LINE + 1,
      /string \[value\] to INT32/,
    ],
    ["a bracket too many", "select user_id, email, occurred_at from carts) as x --", QUERY_LINE, /syntax error at or near "\)"/],
    ["a second WITH after a bracket", "select * from carts), typed as (select 1", QUERY_LINE, /syntax error/],
    ["two statements", "select user_id, email, occurred_at from carts; delete from carts", undefined, /2 statements/],
    ["two statements, the first of which is closed", "select * from carts); delete from carts; select * from (select 1", QUERY_LINE, /syntax error/],
    ["no query", "delete from carts", QUERY_LINE, /syntax error/],
    ["a comment alone", "-- nothing yet", undefined, /no query/],
  ])("fails that segment alone, at its own line: %s", async (_, sql, line, reason) => {
    const warehouse = await warehouseWith(CARTS);
    const project = projectWith(sql, undefined, { "segments/other.sql": segmentFile("select * from carts") });
    const { segments } = await stage(project, warehouse);
    const problem = segments.get("cart")?.problem;
    expect(problem).toMatchObject({ code: "segment/query", file: "segments/cart.sql", message: expect.stringMatching(reason) as string });
    expect(problem?.line).toBe(line);
    expect(segments.get("other")).toMatchObject({ returned: 1, problem: null });
    expect(await warehouse.query({ sql: "select count(*) as n from carts", params: [] })).toEqual([{ n: 1 }]);
    expect(await stagedRows(warehouse)).toEqual([]);
  });

  it("fails an audience at its own line too, and one of too few users with none left in it", async () => {
    const warehouse = await warehouseWith(CARTS);
    const project = shopProject({
      "segments/cart.sql": segmentFile("select * from carts", `${STEP}\nexclude: [broken, few, enough]`),
      "segments/audiences/broken.sql": "/*---\ndescription: d\n---*/\nselect user_id\nfrom carts where cast(cart_id as integer) > 1\n",
      "segments/audiences/few.sql": "/*---\nmin_rows: 2\n---*/\nselect user_id from carts union all select user_id from carts\n",
      "segments/audiences/enough.sql": "/*---\nmin_rows: 1\n---*/\nselect user_id, occurred_at from carts;\n",
    });
    const { audiences } = await stage(project, warehouse);
    expect(audiences.get("broken")?.problem).toMatchObject({ file: "segments/audiences/broken.sql", line: 5 });
    expect(audiences.get("few")?.problem).toMatchObject({ code: "audience/min-rows", message: "Audience few has 1 users, fewer than its min_rows of 2." });
    expect(audiences.get("enough")).toMatchObject({ returned: 1, problem: null });
    const members = warehouse.dialect.workTable("audience_members");
    expect(await warehouse.query({ sql: `select audience, user_id, timeless from ${members} order by 1`, params: [] })).toEqual([
      { audience: "enough", user_id: "u1", timeless: 0 },
    ]);
  });
});

describe("SQL that is fine although it looks odd", () => {
  it.each([
    ["a comment at the end", "select * from carts -- all of them"],
    ["a semicolon at the end", "select * from carts;\n"],
    ["a semicolon and a comment", "select * from carts; -- all of them"],
    [
      "our own names",
      "with segment_query as (select * from typed), judged as (select * from segment_query), ordered as (select * from judged)\nselect * from ordered",
    ],
    ["a table called as the work table", "select * from segment_rows"],
    ["FROM first", "from carts"],
    ["a recursive WITH", "with recursive n as (select 1 as i union all select i + 1 from n where i < 3)\nselect carts.* from carts join n on n.i = 3"],
    ["parameters in a comment", `select * from carts -- where occurred_at > {{ago "1 day"}}\nwhere occurred_at <= {{as_of}}`],
    [
      "one value bound many times",
      `select * from carts where occurred_at between {{ago "1 day"}} and {{as_of}} and {{as_of}} >= occurred_at and 'it''s; -- "pro"' = {{var "plan"}} and total >= {{var "least"}} and {{var "beta"}}`,
    ],
    ["columns in capitals", "select user_id as USER_ID, email as Email, occurred_at as OCCURRED_AT from carts"],
  ])("is staged: %s", async (_, sql) => {
    const warehouse = await warehouseWith(
      CARTS,
      "create table typed as select * from carts",
      "create table segment_query as select 1 as wrong",
      "create table segment_rows as select * from carts",
    );
    const { segments } = await stage(projectWith(sql), warehouse);
    expect(segments.get("cart")).toMatchObject({ returned: 1, problem: null });
    expect(await stagedRows(warehouse, `user_id, dropped, email, problems, occurred_at = timestamp '${AS_OF.slice(0, 10)} 10:00:00' as on_time`)).toEqual([
      { user_id: "u1", dropped: null, email: "u1@example.com", problems: "", on_time: true },
    ]);
  });
});
