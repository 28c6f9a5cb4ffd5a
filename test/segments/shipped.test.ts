/** Who is in each shipped segment and audience, and who is just not: the same on DuckDB and Postgres. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ago, ahead, openPlainfold, shipped, type Plainfold } from "./plainfold.js";

const STEPS = ["create_planner", "import_calendar", "invite_teammate", "first_review"] as const;

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  let shop: Plainfold;
  beforeAll(async () => {
    shop = await openPlainfold(on);
  });
  afterEach(() => shop.clear());
  afterAll(() => shop.close());

  /** The first so many steps of the set-up, the last of them so long ago. */
  const setUp = (user: string, steps: number, last: string): Promise<void> =>
    shop.given(
      "events",
      ...STEPS.slice(0, steps).map((subject, i) => ({
        user_id: user,
        occurred_at: i === steps - 1 ? ago(last) : ago("200 days"),
        event: "setup_step_completed",
        subject,
      })),
    );
  const uses = (user: string, subject: string, ...times: readonly string[]): Promise<void> =>
    shop.given("events", ...times.map((time) => ({ user_id: user, occurred_at: ago(time), event: "feature_used", subject })));
  const pays = (user: string, plan: string): Promise<void> => shop.given("subscriptions", { user_id: user, plan, paid_at: ago("60 days") });
  const orders = (user: string, ...times: readonly string[]): Promise<void> =>
    shop.given("orders", ...times.map((time, i) => ({ user_id: user, order_id: `${user}.${String(i)}`, ordered_at: ago(time) })));

  it("welcome: who signed up within eight days and has steps left, with the next one", async () => {
    await shop.given(
      "users",
      { user_id: "fresh", signed_up_at: ago("1 minute") },
      { user_id: "begun", signed_up_at: ago("7 days 23 hours") },
      { user_id: "done", signed_up_at: ago("2 days") },
      { user_id: "old", signed_up_at: ago("8 days") },
      { user_id: "to_come", signed_up_at: ahead("1 minute") },
    );
    await setUp("begun", 2, "1 day");
    await setUp("done", 4, "1 hour");
    expect(await shop.segment("welcome", "next_step", "steps_done", "occurred_at")).toEqual([
      `begun invite_teammate 2 ${ago("7 days 23 hours")}`,
      `fresh create_planner 0 ${ago("1 minute")}`,
    ]);
  });

  it("setup_stalled: who stopped at a step after their first week, once they have gone on from the start", async () => {
    await setUp("one", 1, "3 days");
    await setUp("two", 2, "5 days 23 hours");
    await setUp("long_ago", 3, "6 days");
    await setUp("done", 4, "3 days");
    await shop.given("users", { user_id: "first_week", signed_up_at: ago("6 days") });
    await setUp("first_week", 1, "4 days");
    expect(await shop.segment("setup_stalled", "next_step", "occurred_at")).toEqual([
      `one import_calendar ${ago("3 days")}`,
      `two invite_teammate ${ago("5 days 23 hours")}`,
    ]);
  });

  it("first_success: the first use of a core feature, unless its companion is known", async () => {
    await uses("board", "shared_board", "2 days", "1 hour");
    await uses("both", "shared_board", "2 days");
    await uses("both", "weekly_summary", "90 days");
    await uses("other_companion", "templates", "3 days");
    await uses("other_companion", "weekly_summary", "3 days");
    await uses("not_new", "templates", "5 days", "1 day");
    expect(await shop.segment("first_success", "feature", "occurred_at")).toEqual([
      `board shared_board ${ago("2 days")}`,
      `other_companion templates ${ago("3 days")}`,
    ]);
  });

  it("cart_abandoned: carts without an order, with a code for whoever never ordered", async () => {
    const cart = (user: string, total = 14.5, updated = "1 hour"): Promise<void> =>
      shop.given("carts", { user_id: user, cart_id: `cart_${user}`, total, updated_at: ago(updated) });
    for (const user of ["first", "again", "no_code", "short_code"]) await cart(user);
    await cart("small", 4.99);
    await cart("least", 5);
    await cart("old", 20, "3 days");
    await cart("bought");
    await shop.given("orders", { user_id: "bought", order_id: "o1", cart_id: "cart_bought", ordered_at: ago("5 minutes") });
    await shop.given("orders", { user_id: "first", order_id: "o2", cart_id: "cart_first", ordered_at: ahead("5 minutes") });
    await orders("again", "200 days", "100 days");
    for (const user of ["first", "again"]) await shop.given("discount_codes", { user_id: user, code: `code_${user}`, expires_at: ahead("49 hours") });
    await shop.given("discount_codes", { user_id: "short_code", code: "late", expires_at: ahead("2 days") });
    expect(await shop.segment("cart_abandoned", "cart_id", "code")).toEqual([
      "again cart_again -",
      "first cart_first code_first",
      "least cart_least -",
      "no_code cart_no_code -",
      "short_code cart_short_code -",
    ]);
  });

  it("pricing_viewed: three looks within seven days, on a plan that has a larger one", async () => {
    const looks = (user: string, ...times: readonly string[]): Promise<void> =>
      shop.given("events", ...times.map((time) => ({ user_id: user, occurred_at: ago(time), event: "page_viewed", subject: "pricing" })));
    for (const [user, plan] of [
      ["free", "free"],
      ["twice", "free"],
      ["spread", "team"],
      ["largest", "business"],
    ] as const)
      await pays(user, plan);
    await looks("free", "6 days 23 hours", "2 days", "1 hour");
    await looks("twice", "2 days", "1 hour");
    await looks("spread", "7 days", "2 days", "1 hour");
    await looks("largest", "2 days", "1 day", "1 hour");
    await looks("no_plan", "2 days", "1 day", "1 hour");
    expect(await shop.segment("pricing_viewed", "plan_name", "next_plan_name", "occurred_at")).toEqual([`free Free Starter ${ago("1 hour")}`]);
  });

  it("plan_limit_near: the measurement that went above 80 %, while the plan is the same", async () => {
    const measured = (user: string, plan: string, ...used: readonly number[]): Promise<void> =>
      shop.given(
        "usage",
        ...used.map((boards, i) => ({ user_id: user, plan, measured_at: ago(`${String(used.length - i)} days`), used: boards, plan_limit: 15 })),
      );
    await measured("above", "starter", 12, 13, 14);
    await measured("at", "starter", 11, 12);
    await measured("always", "starter", 13, 14);
    await measured("long_ago", "starter", 12, 13, 13, 13, 13);
    await measured("upgraded", "starter", 12, 13);
    for (const user of ["above", "at", "always", "long_ago"]) await pays(user, "starter");
    await shop.given("subscriptions", { user_id: "upgraded", plan: "starter", paid_at: ago("60 days"), ended_at: ago("1 hour") });
    await shop.given("subscriptions", { user_id: "upgraded", plan: "team", started_at: ago("1 hour"), paid_at: ago("1 hour"), changed_from: "starter" });
    expect(await shop.segment("plan_limit_near", "used", "plan_limit", "plan_name", "occurred_at")).toEqual([`above 13 15 Starter ${ago("2 days")}`]);
    expect(await shop.audience("upgraded", "occurred_at")).toContain(`upgraded ${ago("1 hour")}`);
  });

  it("gone_quiet: pays, is set up, and was last seen some days ago", async () => {
    for (const user of ["quiet", "free", "not_set_up", "away"]) await uses(user, "reminders", user === "away" ? "11 days" : "8 days");
    for (const user of ["quiet", "free", "away"]) await setUp(user, 4, "100 days");
    for (const user of ["quiet", "not_set_up", "away"]) await pays(user, "team");
    await shop.given("subscriptions", { user_id: "free", plan: "free" });
    await setUp("trying", 4, "8 days");
    await shop.given("subscriptions", { user_id: "trying", plan: "team", trial_ends_at: ahead("1 day"), paid_at: ahead("1 hour") });
    expect(await shop.segment("gone_quiet", "plan_name", "occurred_at")).toEqual([`quiet Team ${ago("8 days")}`]);
  });

  it("usage_dropping: less than half of the four-week mean, and some use this week", async () => {
    const before = ["8 days", "10 days", "12 days", "15 days", "18 days", "22 days", "28 days", "34 days"];
    const twelve = [...before, "9 days", "16 days", "23 days", "30 days"];
    await uses("half", "templates", "2 days", ...before);
    await uses("less", "templates", "2 days", ...twelve);
    await uses("nine", "reminders", "2 days", ...before, "9 days");
    await uses("nothing", "reminders", ...twelve);
    for (const user of ["half", "less", "nine", "nothing"]) await pays(user, "starter");
    expect(await shop.segment("usage_dropping", "favourite", "occurred_at")).toEqual([`less templates ${ago("2 days")}`, `nine reminders ${ago("2 days")}`]);
  });

  it("tenth_order: the tenth alone, counted as of now", async () => {
    const days = (count: number, from: number): string[] => Array.from({ length: count }, (_, i) => `${String(from + i)} days`);
    await orders("ten", ...days(10, 1));
    await orders("nine", ...days(9, 1));
    await orders("eleven", ...days(11, 1));
    await orders("past", ...days(10, 5));
    expect(await shop.segment("tenth_order", "occurred_at", "first_ordered_at")).toEqual([
      `eleven ${ago("2 days")} ${ago("11 days")}`,
      `ten ${ago("1 day")} ${ago("10 days")}`,
    ]);
  });

  it("trial_ending: in the last 24 hours of a trial that nobody has paid for", async () => {
    const trial = (user: string, ends: string, paid: string | null = null): Promise<void> =>
      shop.given("subscriptions", { user_id: user, plan: "team", started_at: ago("13 days"), trial_ends_at: ends, paid_at: paid });
    await trial("today", ahead("24 hours"));
    await trial("soon", ahead("1 minute"));
    await trial("tomorrow", ahead("24 hours 1 minute"));
    await trial("over", ago("1 minute"));
    await trial("paid", ahead("1 hour"), ago("1 day"));
    expect(await shop.segment("trial_ending", "plan_name", "price", "occurred_at")).toEqual([
      `soon Team 24.00 ${ago("23 hours 59 minutes")}`,
      `today Team 24.00 ${ago("0 minutes")}`,
    ]);
  });

  /** Ten customers, the higher the number the better: c9 and c10 are the best fifth. */
  const customers = async (): Promise<void> => {
    for (let n = 1; n <= 10; n++) await orders(`c${String(n).padStart(2, "0")}`, ...Array.from({ length: n }, (_, i) => `${String(20 * (11 - n) + i)} days`));
  };

  it("rfm and high_value: fifths of the customers of a year, and the best of them", async () => {
    await customers();
    await orders("last_year", "366 days");
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
      await orders(user, ...Array.from({ length: count }, (_, i) => `${String(last + i)} days`));
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

  it("high_value_waiting: the best customers' open tickets, and nobody else's", async () => {
    await customers();
    const asks = (user: string, opened: string, closed: string | null = null): Promise<void> =>
      shop.given("tickets", { ticket_id: `t_${user}`, user_id: user, opened_at: ago(opened), closed_at: closed });
    await asks("c01", "30 hours");
    await asks("c07", "30 hours", ahead("1 minute"));
    await asks("c08", "5 days");
    await asks("c09", "30 hours", ago("1 minute"));
    await asks("c10", "30 hours");
    expect(await shop.segment("high_value_waiting", "ticket_id", "ticket_subject")).toEqual(["c07 t_c07 Parcel", "c10 t_c10 Parcel"]);
    expect(await shop.audience("open_tickets")).toEqual(["c01", "c07", "c08", "c10"]);
    expect(await shop.audience("ticket_closed", "occurred_at")).toContain(`c09 ${ago("1 minute")}`);
  });

  it("bought_together: what most others bought beside it, and the user has not", async () => {
    await shop.given(
      "products",
      ...["pen", "ink", "cap"].map((product) => ({ product_id: product, name: `The ${product}`, product_url: `https://shop.plainfold.example/${product}` })),
    );
    const buys = async (user: string, when: string, ...products: readonly string[]): Promise<void> => {
      const order = `${user}.${when}`;
      await shop.given("orders", { order_id: order, user_id: user, ordered_at: ago(when) });
      await shop.given("order_items", ...products.map((product) => ({ order_id: order, product_id: product })));
    };
    for (let n = 1; n <= 6; n++) await buys(`six${String(n)}`, "100 days", "pen", "ink");
    for (let n = 1; n <= 4; n++) await buys(`four${String(n)}`, "100 days", "pen", "cap");
    await buys("pen_alone", "15 days", "pen");
    await buys("has_ink", "60 days", "ink");
    await buys("has_ink", "15 days", "pen");
    await buys("newer", "15 days", "pen");
    await buys("newer", "18 days", "cap");
    await buys("old", "18 days", "pen");
    await buys("cap_alone", "15 days", "cap");
    // Five know pen and cap together: the four, and `newer`, who brings it to five.
    expect(await shop.segment("bought_together", "bought_name", "product_name", "occurred_at")).toEqual([
      `cap_alone The cap The pen ${ago("15 days")}`,
      `has_ink The pen The cap ${ago("15 days")}`,
      `newer The pen The ink ${ago("15 days")}`,
      `pen_alone The pen The ink ${ago("15 days")}`,
    ]);
  });

  it("lifecycle, and who is new or dormant", async () => {
    await shop.given("users", { user_id: "new", signed_up_at: ago("13 days 23 hours") }, { user_id: "never_seen", signed_up_at: ago("14 days") });
    await uses("active", "templates", "13 days 23 hours");
    await uses("slipping", "templates", "14 days");
    await uses("dormant", "templates", "42 days");
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
    await setUp("set_up", 4, "1 hour");
    await setUp("begun", 3, "2 hours");
    await uses("reminded", "reminders", "3 hours");
    await orders("bought", "29 days", "4 hours");
    await orders("long_ago", "30 days");
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
      topic: expect.any(String) as string,
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
