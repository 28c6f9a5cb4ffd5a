/** A mistake in one segment stops that segment alone: the others run, and the run fails with its name. */
import { expect, it } from "vitest";
import { conditionsOf } from "../../src/alerts/conditions.js";
import { Shop, T0 } from "../support/run-shop.js";

const QUERY = 'select user_id, email, occurred_at, name, total from {{source "carts"}}';
const segment = (query: string, front = ""): string =>
  `/*---\nstatus: live\nfirst_run: send\npriority: 90\n${front}steps:\n  - {name: nudge, after: 10 minutes, channel: email, template: cart}\n---*/\n${query}\n`;

/** What is written into the files, and what the run says of segment `other`. */
const MISTAKES: Readonly<Record<string, { sources?: string; query?: string; front?: string; says: RegExp }>> = {
  "a source that opportune.yml doesn't name": { query: QUERY.replace("carts", "crats"), says: /Unknown source "crats"/ },
  "a source whose table isn't there": { sources: "  late: crats\n", query: QUERY.replace("carts", "late"), says: /crats/ },
  "a source whose loaded_at isn't there": {
    sources: "  late: {table: carts, loaded_at: loaded}\n",
    query: QUERY.replace("carts", "late"),
    says: /^Source late: loaded_at "loaded" of carts can't be read: .*loaded/,
  },
  "a var that opportune.yml doesn't name": { query: `${QUERY} where total > {{var "least"}}`, says: /Unknown var "least"/ },
  "an audience in its SQL that isn't there": { query: `${QUERY} where user_id in {{audience "buyers"}}`, says: /Unknown audience "buyers"/ },
  "an audience as its goal that isn't there": { front: "goal: buyers\n", says: /Unknown audience "buyers" in goal/ },
  "an audience to exclude that isn't there": { front: "exclude: [buyers]\n", says: /Unknown audience "buyers" in exclude/ },
  "braces that nobody can read": { query: `${QUERY} where total > {{`, says: /braces/ },
  "a column that the table doesn't have": { query: QUERY.replace("total", "totl as total"), says: /totl/ },
  "a column that its query doesn't return": { query: QUERY.replace(", total", ""), says: /\{\{total\}\} is not a column/ },
  "a time that is no time": { query: QUERY.replace("occurred_at", "7 as occurred_at"), says: /occurred_at as int/i },
};

it.each((["duckdb", "postgres"] as const).flatMap((on) => Object.entries(MISTAKES).map(([what, mistake]) => [on, what, mistake] as const)))(
  "on %s: %s",
  async (on, _, { sources = "", query = QUERY, front = "", says }) => {
    const shop = await Shop.sending(["ada"], { on });
    shop.edit("opportune.yml", "  carts: carts\n", `  carts: carts\n${sources}`);
    shop.write({ "segments/other.sql": segment(query, front) });
    const result = await shop.run(T0);
    expect(shop.recipients()).toEqual(["ada@example.com"]);
    expect(result.decisions.segments.find(({ segment: id }) => id === "cart")).toMatchObject({ problem: null, reasons: { claimed: 1 } });
    expect(result.decisions.segments.find(({ segment: id }) => id === "other")?.reasons["claimed"]).toBeUndefined();
    const problem = result.problems.find(({ message }) => says.test(message));
    expect(problem, JSON.stringify(result.problems)).toBeDefined();
    expect(conditionsOf({ went: "through", result }).filter(({ name }) => name === "other")[0]?.message).toMatch(says);
  },
);

it("an audience with a mistake keeps those waiting that use it, and nobody else", async () => {
  const shop = await Shop.sending(["ada"]);
  shop.write({
    "segments/other.sql": segment(QUERY, "goal: buyers\n"),
    "segments/audiences/buyers.sql": 'select user_id from {{source "odrers"}}\n',
  });
  const result = await shop.run(T0);
  expect(shop.recipients()).toEqual(["ada@example.com"]);
  expect(result.decisions.failedAudiences).toMatchObject([{ audience: "buyers", problem: { code: "config/unknown-source" } }]);
  expect(result.decisions.segments.find(({ segment: id }) => id === "other")?.reasons).toEqual({ audience_failed: 1 });
});
