/** Whether the variants of two steps are two coins: every user's two draws, and how many users have each pair of them. */
import { afterAll, expect, it } from "vitest";
import { bucket } from "../model/identity.js";
import { createCaseWorlds, type DecisionCase } from "../support/cases.js";
import { createSqlDecider } from "../support/sql-decider.js";

const USERS = Array.from({ length: 400 }, (_, i) => `user${String(i)}`);
const HALF = 2 ** 31;
const worlds = createCaseWorlds();
afterAll(() => {
  worlds.dispose();
});

/** Who was claimed which variants of the two steps: user → `ab`. */
async function drawn(factors: readonly [string | null, string | null]): Promise<Map<string, string>> {
  const run = (at: string) => ({
    at,
    expect: [],
    rows: { cart: USERS.map((user) => ({ user, at: "11:40" })) },
    ...{ audiences: {}, loaded_at: {}, suppressions: [], preferences: [], pause: [], resume: [], remove: [], edit: {}, policy: {}, outcome: {} },
  });
  const steps = ["10 minutes", "1 hour"].map((after, i) => ({
    name: ["nudge", "second"][i],
    after,
    variants: { a: {}, b: {} },
    ...(factors[i] === null ? {} : { factor: factors[i] }),
  }));
  const one: DecisionCase = {
    ...{ name: "two tested steps", file: "", policy: {}, audiences: {}, sources: {}, reads: {}, template_needs: {} },
    segments: { cart: { steps } },
    runs: [run("12:00"), run("13:00")],
  };
  const decider = await createSqlDecider();
  const pairs = new Map<string, string>();
  for (const step of worlds.stepsOf(one)) {
    for (const { event, user_id, variant } of await decider.run(step.run)) {
      if (event === "claimed") pairs.set(user_id, `${pairs.get(user_id) ?? ""}${variant}`);
    }
  }
  await decider.close();
  return pairs;
}

function hashed(user: string, factor: string): string {
  return bucket("variant", user, "cart", factor) < HALF ? "a" : "b";
}

function counts(pairs: Iterable<string>): Record<string, number> {
  const found: Record<string, number> = { aa: 0, ab: 0, ba: 0, bb: 0 };
  for (const pair of pairs) found[pair] = (found[pair] ?? 0) + 1;
  return found;
}

it("two steps are two coins: each user's pair is what the hash says, and all four pairs are about as frequent", async () => {
  const pairs = await drawn([null, null]);
  expect(pairs).toEqual(new Map(USERS.map((user) => [user, hashed(user, "nudge") + hashed(user, "second")])));
  expect(counts(pairs.values())).toEqual({ aa: 86, ab: 102, ba: 107, bb: 105 });
});

it("one factor is one coin: of 400 users nobody has two different variants", async () => {
  const pairs = await drawn(["tone", "tone"]);
  expect(pairs).toEqual(new Map(USERS.map((user) => [user, hashed(user, "tone").repeat(2)])));
  expect(counts(pairs.values())).toMatchObject({ ab: 0, ba: 0 });
});
