/** Who is in each shipped audience, on DuckDB and Postgres; and what all shipped SQL has in common. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ago, ahead, openPlainfold, shipped, type Plainfold } from "./plainfold.js";

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  let shop: Plainfold;
  beforeAll(async () => {
    shop = await openPlainfold(on);
  });
  afterEach(() => shop.clear());
  afterAll(() => shop.close());

  it("rfm and high_value: fifths of the customers of a year, and the best of them", async () => {
    await shop.customers();
    await shop.orders("last_year", "366 days");
    expect(await shop.audience("rfm", "recency", "frequency", "money", "tier")).toEqual(
      [
        "1 1 1 other",
        "1 1 1 other",
        "2 2 2 other",
        "2 2 2 other",
        "3 3 3 other",
        "3 3 3 other",
        "4 4 4 champion",
        "4 4 4 champion",
        "5 5 5 champion",
        "5 5 5 champion",
      ].map((scores, i) => `c${String(i + 1).padStart(2, "0")} ${scores}`),
    );
    expect(await shop.audience("high_value")).toEqual(["c07", "c08", "c09", "c10"]);
  });

  it("rfm's tiers, of which champions and loyal customers are high_value", async () => {
    for (const [user, last, count] of [
      ["other", 100, 1],
      ["slipping", 80, 8],
      ["loyal", 60, 9],
      ["recent", 40, 3],
      ["champion", 20, 10],
      ["other_too", 90, 2],
      ["loyal_too", 50, 7],
      ["recent_too", 30, 4],
      ["second", 70, 5],
      ["last", 10, 6],
    ] as const)
      await shop.orders(user, ...Array.from({ length: count }, (_, i) => `${String(last + i)} days`));
    expect(await shop.audience("rfm", "recency", "frequency", "tier")).toEqual([
      "champion 5 5 champion",
      "last 5 3 recent",
      "loyal 3 5 loyal",
      "loyal_too 3 4 loyal",
      "other 1 1 other",
      "other_too 1 1 other",
      "recent 4 2 recent",
      "recent_too 4 2 recent",
      "second 2 3 other",
      "slipping 2 4 slipping",
    ]);
    expect(await shop.audience("high_value")).toEqual(["champion", "loyal", "loyal_too"]);
  });

  it("lifecycle, and who is new or dormant", async () => {
    await shop.given("users", { user_id: "new", signed_up_at: ago("13 days 23 hours") }, { user_id: "never_seen", signed_up_at: ago("14 days") });
    await shop.uses("active", "templates", "13 days 23 hours");
    await shop.uses("slipping", "templates", "14 days");
    await shop.uses("dormant", "templates", "42 days");
    expect(await shop.audience("lifecycle", "stage")).toEqual(["active active", "dormant dormant", "never_seen slipping", "new new", "slipping slipping"]);
    expect(await shop.audience("new_users")).toEqual(["new"]);
    expect(await shop.audience("dormant")).toEqual(["dormant"]);
  });

  it("marketing_consent: given, and not taken back by now", async () => {
    await shop.given(
      "consents",
      { user_id: "yes", granted_at: ago("1 minute") },
      { user_id: "to_come", granted_at: ahead("1 minute") },
      { user_id: "withdrew", granted_at: ago("9 days"), withdrawn_at: ago("0 minutes") },
      { user_id: "will_withdraw", granted_at: ago("9 days"), withdrawn_at: ahead("1 minute") },
    );
    expect(await shop.audience("marketing_consent")).toEqual(["will_withdraw", "yes"]);
  });

  it("the goals: what counts as reached", async () => {
    await shop.setUp("set_up", 4, "1 hour");
    await shop.setUp("begun", 3, "2 hours");
    await shop.uses("reminded", "reminders", "3 hours");
    await shop.orders("bought", "29 days", "4 hours");
    await shop.orders("long_ago", "30 days");
    expect(await shop.audience("set_up", "occurred_at")).toEqual([`set_up ${ago("1 hour")}`]);
    expect(await shop.audience("setup_step", "occurred_at")).toEqual([`begun ${ago("2 hours")}`, `set_up ${ago("1 hour")}`]);
    for (const audience of ["used_companion", "used_feature"]) expect(await shop.audience(audience, "occurred_at")).toEqual([`reminded ${ago("3 hours")}`]);
    expect(await shop.audience("active")).toEqual(["begun", "reminded", "set_up"]);
    expect(await shop.audience("ordered")).toEqual(["bought", "bought"]);
  });

  it("staff: our own addresses", async () => {
    await shop.given("users", { user_id: "we", email: "Ada@Plainfold.example" }, { user_id: "they", email: "ada@plainfold.example.com" });
    expect(await shop.audience("staff")).toEqual(["we"]);
  });
});

it("each shipped segment has a goal and says why, where, and of what kind it is", () => {
  expect(shipped.segments.size).toBeGreaterThan(10);
  for (const segment of shipped.segments.values()) {
    expect(segment).toMatchObject({
      status: "live",
      because: expect.any(String) as string,
      description: expect.any(String) as string,
      // Nobody opts out of a receipt's kind.
      topic: segment.class === "transactional" ? null : (expect.any(String) as string),
      signal: expect.any(String) as string,
    });
    expect(segment.goal, segment.id).not.toBeNull();
    expect(segment.contract.length, segment.id).toBeGreaterThan(0);
    expect(segment.sql, segment.id).toContain("-- Why then: ");
  }
  const withoutTickets = [...shipped.segments.values()].filter(({ exclude }) => !exclude.includes("open_tickets"));
  expect(withoutTickets.map(({ id }) => id)).toEqual(["high_value_waiting"]);
});

/** Words that some warehouse lacks or reads otherwise; helpers and common SQL say the same on all. */
const NOT_PORTABLE =
  /\b(?:interval|qualify|date_trunc|date_diff|datediff|dateadd|now|current_timestamp|current_date|greatest|least|max_by|array_agg|string_agg|ilike|lateral)\b|\bfilter\s*\(|\busing\s*\(|\bvalues\s*\(|::|\bstatus\b/i;

it.each([...shipped.segments.values(), ...shipped.audiences.values()])(
  "$file keeps to SQL that every warehouse has, and asks for times, not states",
  ({ sql }) => {
    const code = sql.replaceAll(/--.*|\{\{.*?\}\}/g, "");
    expect(NOT_PORTABLE.exec(code)).toBeNull();
  },
);

it("knows what is not portable", () => {
  for (const sql of ["count(*) filter (where a)", "a::int", "join b using (id)", "now() - interval '1 day'", "where status = 'open'"])
    expect(sql).toMatch(NOT_PORTABLE);
});
