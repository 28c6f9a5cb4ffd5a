/** Killed at random: runs in a row on one shop, new users qualifying in between, each run struck at a moment that a seed draws. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../support/random.js";
import { rounds } from "../../support/rounds.js";
import type { Outcome } from "../worker/messages.js";
import type { Strike } from "./points.js";
import { MOST_DOUBTS, type Kind, type Shop } from "./shop.js";
import { aftermath, openStage, struckRun, struckText, type Stage } from "./story.js";

const SEED = 20_260_302;
const STORIES = rounds(6, 20);
const KILLS = 5;
/** New users before each run that is to be killed. */
const USERS = 20;

/** Draws until a run was killed: a moment after its end kills nobody. */
const MOST_DRAWS = 40;

export function randomMoments(kind: Kind): void {
  describe(`killed at ${String(STORIES * KILLS)} random moments on ${kind}`, () => {
    let stage: Stage;
    let measured: Outcome;
    beforeAll(async () => {
      stage = await openStage(kind);
      measured = await wholeRun(stage);
    });
    afterAll(() => stage.close());

    it.each(Array.from({ length: STORIES }, (_, i) => ({ story: i + 1 })))(`story $story: ${String(KILLS)} runs killed`, async ({ story }) => {
      const { provider, ground } = stage;
      const random = createRandom(SEED + story);
      provider.reset();
      const shop = await ground.open({ endpoint: provider.url, users: 0 });
      const struck: Strike[] = [];
      for (let draws = 0; struck.length < KILLS && draws < MOST_DRAWS; draws++) {
        const strike = draw(random, measured);
        await shop.qualify(USERS);
        const { killed } = await struckRun(stage, shop, strike);
        if (killed) struck.push(strike);
        await shop.leaseRunsOut();
      }
      expect(struck).toHaveLength(KILLS);
      await aftermath(stage, shop, { point: `random moments ${String(story)}`, struck: struckText(struck), doubts: KILLS * MOST_DOUBTS });
    });
  });
}

/** A run that nothing befalls, with as many batches as one that is to be killed. */
async function wholeRun(stage: Stage): Promise<Outcome> {
  const shop: Shop = await stage.ground.open({ endpoint: stage.provider.url, users: 2 * USERS });
  const worker = stage.spare.take();
  const outcome = await worker.outcome(shop.job());
  await worker.end();
  if (!outcome.ok) throw new Error(`the run to be measured failed: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Half at any statement, a quarter at any request, a quarter at any time. */
function draw(random: Random, { statements, accepted, ms }: Outcome): Strike {
  const kind = random.next();
  if (kind < 0.25) return { request: random.whole(1, accepted), moment: random.pick(["arrived", "taken", "answered"]) };
  if (kind < 0.5) return { afterMs: Math.round(random.next() * ms) };
  const phase = random.pick(["before", "during", "after"] as const);
  return { label: null, nth: random.whole(1, statements.length), phase, act: "kill", spinMs: phase === "during" ? Math.round(random.next() * 3000) / 1000 : 0 };
}
