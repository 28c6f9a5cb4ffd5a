/** Who is in each shipped segment, and who is just not: the same on DuckDB and Postgres. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ago, ahead, openPlainfold, type Plainfold } from "./plainfold.js";

describe.each(["duckdb", "postgres"] as const)("on %s", (on) => {
  let shop: Plainfold;
  beforeAll(async () => {
    shop = await openPlainfold(on);
  });
  afterEach(() => shop.clear());
  afterAll(() => shop.close());

  it("welcome: who signed up within eight days and has steps left, with the next one", async () => {
    await shop.given(
      "users",
      { user_id: "fresh", signed_up_at: ago("1 minute") },
      { user_id: "begun", signed_up_at: ago("7 days 23 hours") },
      { user_id: "done", signed_up_at: ago("2 days") },
      { user_id: "old", signed_up_at: ago("8 days") },
      { user_id: "to_come", signed_up_at: ahead("1 minute") },
    );
    await shop.setUp("begun", 2, "1 day");
    await shop.setUp("done", 4, "1 hour");
    expect(await shop.segment("welcome", "next_step", "steps_done", "occurred_at")).toEqual([
      `begun invite_teammate 2 ${ago("7 days 23 hours")}`,
      `fresh create_planner 0 ${ago("1 minute")}`,
    ]);
  });

  it("setup_stalled: who stopped at a step after their first week, once they have gone on from the start", async () => {
    await shop.setUp("one", 1, "3 days");
    await shop.setUp("two", 2, "5 days 23 hours");
    await shop.setUp("long_ago", 3, "6 days");
    await shop.setUp("done", 4, "3 days");
    await shop.given("users", { user_id: "first_week", signed_up_at: ago("6 days") });
    await shop.setUp("first_week", 1, "4 days");
    expect(await shop.segment("setup_stalled", "next_step", "occurred_at")).toEqual([
      `one import_calendar ${ago("3 days")}`,
      `two invite_teammate ${ago("5 days 23 hours")}`,
    ]);
  });

  it("first_success: the first use of a core feature, unless its companion is known", async () => {
    await shop.uses("board", "shared_board", "2 days", "1 hour");
    await shop.uses("both", "shared_board", "2 days");
    await shop.uses("both", "weekly_summary", "90 days");
    await shop.uses("other_companion", "templates", "3 days");
    await shop.uses("other_companion", "weekly_summary", "3 days");
    await shop.uses("not_new", "templates", "5 days", "1 day");
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
    await shop.orders("again", "200 days", "100 days");
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
      await shop.pays(user, plan);
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
    for (const user of ["above", "at", "always", "long_ago"]) await shop.pays(user, "starter");
    await shop.given("subscriptions", { user_id: "upgraded", plan: "starter", paid_at: ago("60 days"), ended_at: ago("1 hour") });
    await shop.given("subscriptions", { user_id: "upgraded", plan: "team", started_at: ago("1 hour"), paid_at: ago("1 hour"), changed_from: "starter" });
    expect(await shop.segment("plan_limit_near", "used", "plan_limit", "plan_name", "occurred_at")).toEqual([`above 13 15 Starter ${ago("2 days")}`]);
    expect(await shop.audience("upgraded", "occurred_at")).toContain(`upgraded ${ago("1 hour")}`);
  });

  it("gone_quiet: pays, is set up, and was last seen some days ago", async () => {
    for (const user of ["quiet", "free", "not_set_up", "away"]) await shop.uses(user, "reminders", user === "away" ? "11 days" : "8 days");
    for (const user of ["quiet", "free", "away"]) await shop.setUp(user, 4, "100 days");
    for (const user of ["quiet", "not_set_up", "away"]) await shop.pays(user, "team");
    await shop.given("subscriptions", { user_id: "free", plan: "free" });
    await shop.setUp("trying", 4, "8 days");
    await shop.given("subscriptions", { user_id: "trying", plan: "team", trial_ends_at: ahead("1 day"), paid_at: ahead("1 hour") });
    expect(await shop.segment("gone_quiet", "plan_name", "occurred_at")).toEqual([`quiet Team ${ago("8 days")}`]);
  });

  it("usage_dropping: less than half of the four-week mean, and some use this week", async () => {
    const before = ["8 days", "10 days", "12 days", "15 days", "18 days", "22 days", "28 days", "34 days"];
    const twelve = [...before, "9 days", "16 days", "23 days", "30 days"];
    await shop.uses("half", "templates", "2 days", ...before);
    await shop.uses("less", "templates", "2 days", ...twelve);
    await shop.uses("nine", "reminders", "2 days", ...before, "9 days");
    await shop.uses("nothing", "reminders", ...twelve);
    for (const user of ["half", "less", "nine", "nothing"]) await shop.pays(user, "starter");
    expect(await shop.segment("usage_dropping", "favourite", "occurred_at")).toEqual([`less templates ${ago("2 days")}`, `nine reminders ${ago("2 days")}`]);
  });

  it("tenth_order: the tenth alone, counted as of now", async () => {
    const days = (count: number, from: number): string[] => Array.from({ length: count }, (_, i) => `${String(from + i)} days`);
    await shop.orders("ten", ...days(10, 1));
    await shop.orders("nine", ...days(9, 1));
    await shop.orders("eleven", ...days(11, 1));
    await shop.orders("past", ...days(10, 5));
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

  it("high_value_waiting: the best customers' open tickets, and nobody else's", async () => {
    await shop.customers();
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
});
