import { describe, expect, it } from "vitest";
import { projectWith, shopProject, segmentFile, stage, stagedRows, warehouseWith } from "./support.js";

const STEP = "steps: [{name: nudge, channel: email, template: cart}]";

/** Stages one segment over constant rows, written as SQL. */
async function staged(columns: string, rows: readonly string[], front = STEP, shown?: string): Promise<Record<string, unknown>[]> {
  const warehouse = await warehouseWith();
  const { segments } = await stage(projectWith(`select * from (values\n${rows.join(",\n")}) t(${columns})`, front), warehouse);
  expect(segments.get("cart")).toMatchObject({ returned: rows.length, problem: null });
  return stagedRows(warehouse, shown);
}

describe("rows that make no candidate", () => {
  it("are kept with why", async () => {
    const rows = await staged(
      "user_id, email, occurred_at, cart_id",
      [
        "('u1', 'x', timestamp '2026-03-02 11:00:00', 'c1')",
        "(null, 'x', timestamp '2026-03-02 11:00:00', 'c1')",
        "('', 'x', timestamp '2026-03-02 11:00:00', 'c1')",
        "('u2', 'x', null, 'c1')",
        "('u3', 'x', timestamp '2026-03-02 12:00:00.000001', 'c1')",
        "('u4', 'x', timestamp '2026-03-02 12:00:00', 'c1')",
        "('u5', 'x', timestamp '2026-03-02 11:00:00', null)",
        "(null, 'x', null, null)",
        "('u6', 'x', null, null)",
        "(repeat('é', 256), 'x', timestamp '2026-03-02 11:00:00', repeat('k', 512))",
        "(repeat('é', 256) || 'x', 'x', timestamp '2026-03-02 11:00:00', 'long user')",
        "('u7', 'x', timestamp '2026-03-02 11:00:00', repeat('k', 513))",
      ],
      `${STEP}\nkey: cart_id`,
    );
    expect(rows).toEqual([
      { user_id: "u1", item_key: "c1", dropped: null },
      { user_id: "u2", item_key: "c1", dropped: "null_behaviour" },
      { user_id: "u3", item_key: "c1", dropped: "future_behaviour" },
      { user_id: "u4", item_key: "c1", dropped: null },
      { user_id: "u5", item_key: null, dropped: "null_key" },
      { user_id: "u6", item_key: null, dropped: "null_behaviour" },
      { user_id: "u7", item_key: "k".repeat(513), dropped: "long_id" },
      { user_id: "é".repeat(256), item_key: "k".repeat(512), dropped: null },
      { user_id: `${"é".repeat(256)}x`, item_key: "long user", dropped: "long_id" },
      { user_id: null, item_key: "c1", dropped: "null_user" },
      { user_id: null, item_key: "c1", dropped: "null_user" },
      { user_id: null, item_key: null, dropped: "null_user" },
    ]);
  });

  it("are the older ones of a user and key, an unfit newer one aside", async () => {
    const rows = await staged(
      "user_id, email, occurred_at, cart_id",
      [
        "('u1', 'old', timestamp '2026-03-02 10:00:00', 'c1')",
        "('u1', 'new', timestamp '2026-03-02 11:00:00', 'c1')",
        "('u1', 'future', timestamp '2026-03-02 13:00:00', 'c1')",
        "('u1', 'none', null, 'c1')",
        "('u1', 'other', timestamp '2026-03-02 09:00:00', 'c2')",
      ],
      `${STEP}\nkey: cart_id`,
      "email, dropped",
    );
    expect(rows.sort((a, b) => (String(a["email"]) < String(b["email"]) ? -1 : 1))).toEqual([
      { email: "future", dropped: "future_behaviour" },
      { email: "new", dropped: null },
      { email: "none", dropped: "null_behaviour" },
      { email: "old", dropped: "duplicate" },
      { email: "other", dropped: null },
    ]);
  });

  it("are the same ones however rows of equal times come", async () => {
    const rows = ["b", "c", "a"].map((note) => `('u1', 'x', timestamp '2026-03-02 10:00:00', '${note}')`);
    const chosen = async (order: readonly string[]): Promise<unknown[]> =>
      (await staged("user_id, email, occurred_at, note", order, STEP, "dropped, properties")).filter(({ dropped }) => dropped === null);
    const first = await chosen(rows);
    expect(first).toHaveLength(1);
    expect(await chosen([...rows].reverse())).toEqual(first);
  });

  it("without a declared key, one row a user counts", async () => {
    expect(
      await staged("user_id, email, occurred_at, cart_id", [
        "('u1', 'x', timestamp '2026-03-02 10:00:00', 'c1')",
        "('u1', 'x', timestamp '2026-03-02 11:00:00', 'c2')",
      ]),
    ).toEqual([
      { user_id: "u1", item_key: "", dropped: null },
      { user_id: "u1", item_key: "", dropped: "duplicate" },
    ]);
  });
});

describe("behaviour times", () => {
  it.each([
    ["timestamp '2026-03-02 10:00:00'", "2026-03-02 10:00:00"],
    ["timestamp '2026-03-02 10:00:00.123456'", "2026-03-02 10:00:00.123456"],
    ["timestamptz '2026-03-02 11:00:00+01:00'", "2026-03-02 10:00:00"],
    ["'2026-03-02T11:00:00+01:00'", "2026-03-02 10:00:00"],
    ["'2026-03-02 10:00:00'", "2026-03-02 10:00:00"],
    ["'2026-03-02T10:00:00Z'", "2026-03-02 10:00:00"],
    ["'2026-03-02 04:30:00 America/New_York'", "2026-03-02 09:30:00"],
    ["date '2026-03-02'", "2026-03-02 00:00:00"],
    ["'2026-03-02'", "2026-03-02 00:00:00"],
    ["'2026-03-02 10:00:00'::timestamp_ns", "2026-03-02 10:00:00"],
    ["'2026-03-02 10:00:00'::timestamp_s", "2026-03-02 10:00:00"],
  ])("are UTC: %s", async (sql, expected) => {
    expect(await staged("user_id, email, occurred_at", [`('u1', 'x', ${sql})`], STEP, "dropped, cast(occurred_at as varchar) as at_utc")).toEqual([
      { dropped: null, at_utc: expected },
    ]);
  });
});

describe("a behaviour time that is none", () => {
  it.each(["'infinity'::timestamp", "'-infinity'::timestamptz", "date '5881580-07-10'", "'0044-03-15 (BC)'::date", "'10000-01-01'::timestamp", "'soon'", "''"])(
    "drops its row alone: %s",
    async (sql) => {
      const type = /::|^date/.test(sql) ? sql.replace(/^date .*/, "x::date").replace(/.*::/, "") : "varchar";
      const rows = [`('odd', 'x', ${sql})`, `('good', 'x', '2026-03-02 10:00:00'::${type})`];
      expect(
        (await staged("user_id, email, occurred_at", rows, STEP, "user_id, dropped")).sort((a, b) => (String(a["user_id"]) < String(b["user_id"]) ? -1 : 1)),
      ).toEqual([
        { user_id: "good", dropped: null },
        { user_id: "odd", dropped: "null_behaviour" },
      ]);
    },
  );
});

describe("users and keys", () => {
  it("are text, whatever their type and content", async () => {
    const odd = `O'Brien "<b>" ü 漢 🙂 -- ); drop table x`;
    const rows = await staged(
      "user_id, email, occurred_at, cart_id",
      [`('${odd.replace("'", "''")}', 'x', timestamp '2026-03-02 10:00:00', 9007199254740993)`],
      `${STEP}\nkey: cart_id`,
    );
    expect(rows).toEqual([{ user_id: odd, item_key: "9007199254740993", dropped: null }]);
  });
});

describe("problems of a row", () => {
  const front = `${STEP}
columns:
  plan: {required: true, accepted_values: [starter, it's]}
  seats: {accepted_values: [1, 2]}
  beta: {accepted_values: [true]}`;

  it("are its address, its contract and the nulls that its template needs, each by a code of its own", async () => {
    const warehouse = await warehouseWith(
      `create table carts as select user_id, email, timestamp '2026-03-02 10:00:00' as occurred_at, plan, seats::decimal(10,2) as seats, beta, name from (values
        ('good', 'a@example.com', 'it''s', 2, true, 'Ada'), ('empty', 'a@example.com', 'starter', null, null, ''), ('address', 'no address', 'starter', 1, true, 'Ada'),
        ('plan', 'a@example.com', 'free', 1, true, 'Ada'), ('no plan', 'a@example.com', null, 1, true, 'Ada'), ('seats', 'a@example.com', 'starter', 1.5, true, 'Ada'),
        ('beta', 'a@example.com', 'starter', 1, false, 'Ada'), ('no name', 'a@example.com', 'starter', 1, true, null), ('all', null, null, 3, false, null)) t(user_id, email, plan, seats, beta, name)`,
    );
    const project = projectWith("select * from carts", front, { "templates/cart.hbs": "---\nsubject: Your cart\nlayout: none\n---\n<p>Hello {{name}}</p>\n" });
    const { compiled } = await stage(project, warehouse);
    expect(compiled.segments.get("cart")?.checks.map(({ code, field, steps }) => [code, field, steps])).toEqual(
      ["address", "plan", "seats", "beta", "name"].map((field, i) => [`.${String(i + 1)}.`, field, [{ step: "nudge", variant: "" }]]),
    );
    const rows = await stagedRows(warehouse, "user_id, problems");
    expect(Object.fromEntries(rows.map((row) => [row["user_id"], row["problems"]]))).toEqual({
      good: "",
      empty: "",
      address: ".1.",
      plan: ".2.",
      "no plan": ".2.",
      seats: ".3.",
      beta: ".4.",
      "no name": ".5.",
      all: ".1..2..3..4..5.",
    });
  });

  it.each(["1::integer", "1::double", "1.00::decimal(5,2)", "1::hugeint", "'1'"])("a number is accepted however its column writes it: %s", async (sql) => {
    const rows = await staged(
      "user_id, email, occurred_at, seats",
      [`('u1', 'a@example.com', timestamp '2026-03-02 10:00:00', ${sql})`],
      `${STEP}\ncolumns: {seats: {accepted_values: [1, 2.5]}}`,
      "problems",
    );
    expect(rows).toEqual([{ problems: "" }]);
  });
});

describe("audiences", () => {
  it("hold the last time that is not in the future, and know who has none", async () => {
    const warehouse = await warehouseWith(
      `create table orders as select * from (values ('u1', '2026-03-01T10:00:00Z'), ('u1', '2026-03-02T11:00:00+01:00'), ('u1', '2026-03-02T12:00:01Z'), ('u2', '2026-03-02T13:00:00Z'), ('u3', null), (null, '2026-03-01T10:00:00Z')) t(user_id, occurred_at)`,
    );
    await stage(
      shopProject({
        "segments/cart.sql": segmentFile("select user_id, 'x' as email, occurred_at from orders", `${STEP}\ngoal: ordered`),
        "segments/audiences/ordered.sql": "select * from orders -- all\n",
      }),
      warehouse,
    );
    expect(
      await warehouse.query({
        sql: `select user_id, cast(reached_at as varchar) as reached_at, timeless from ${warehouse.dialect.workTable("audience_members")} order by 1`,
        params: [],
      }),
    ).toEqual([
      { user_id: "u1", reached_at: "2026-03-02 10:00:00", timeless: 0 },
      { user_id: "u2", reached_at: null, timeless: 0 },
      { user_id: "u3", reached_at: null, timeless: 1 },
    ]);
  });
});

describe("a segment that builds on an audience", () => {
  const QUERY = `select b.user_id, 'u1@example.com' as email, b.occurred_at, b.orders\nfrom {{audience "buyers"}} b\njoin {{source "carts"}} c on c.user_id = b.user_id`;
  const BUYERS = `select user_id, max(ordered_at) as occurred_at, count(*) as orders -- all of them\nfrom {{source "orders"}}\nwhere ordered_at > {{ago "3 days"}}\ngroup by user_id;\n`;
  const TABLES = [
    "create table orders as select * from (values ('u1', timestamp '2026-03-01'), ('u1', timestamp '2026-03-02'), ('u2', timestamp '2026-03-01'), ('u1', timestamp '2026-02-01')) t(user_id, ordered_at)",
    "create table carts as select 'u1' as user_id",
  ];

  it("has its columns, and its sources beside its own", async () => {
    const warehouse = await warehouseWith(...TABLES);
    const { compiled, segments } = await stage(projectWith(QUERY, STEP, { "segments/audiences/buyers.sql": BUYERS }), warehouse);
    expect(segments.get("cart")).toMatchObject({ returned: 1, problem: null });
    expect(compiled.segments.get("cart")?.sources).toEqual(["carts", "orders"]);
    expect(await stagedRows(warehouse, "user_id, cast(occurred_at as varchar) as at, json_extract_string(properties, '$.orders') as orders")).toEqual([
      { user_id: "u1", at: "2026-03-02 00:00:00", orders: "2" },
    ]);
  });

  it("is another segment once the audience says something else, and not for a comment", () => {
    const sqlWith = (buyers: string): string | undefined => projectWith(QUERY, STEP, { "segments/audiences/buyers.sql": buyers }).segments.get("cart")?.sql;
    expect(sqlWith(BUYERS.replace("3 days", "4 days"))).not.toBe(sqlWith(BUYERS));
    expect(sqlWith(BUYERS.replace("all of them", "each"))).toBe(sqlWith(BUYERS));
  });

  it("is told what is wrong in the audience's query at the audience's own line", async () => {
    const broken = projectWith(QUERY, STEP, { "segments/audiences/buyers.sql": BUYERS.replace("max(ordered_at)", "max(\n  ordered_on)") });
    const { segments } = await stage(broken, await warehouseWith(...TABLES));
    expect(segments.get("cart")?.problem).toMatchObject({
      file: "segments/audiences/buyers.sql",
      line: 2,
      message: expect.stringContaining("ordered_on") as string,
    });
  });
});
