/** Killed at every named point of the protocol. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POINTS } from "./points.js";
import { BATCH, type Kind } from "./shop.js";
import { aftermath, openStage, struckRun, struckText, type Stage } from "./story.js";

const USERS = 30;
/** Points after which messages are in doubt where they are not resent. */
const RESENT = POINTS.filter(({ inDoubt }) => inDoubt[0] > 0);

export function namedPoints(kind: Kind): void {
  describe(`killed on ${kind}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage(kind);
    });
    afterAll(() => stage.close());

    it.each(POINTS.filter(({ only }) => only === undefined || only === kind))("$name", async ({ name, strikes, inDoubt }) => {
      const { provider, ground } = stage;
      provider.reset();
      const shop = await ground.open({ endpoint: provider.url, users: USERS });
      for (const strike of strikes) {
        expect(await struckRun(stage, shop, strike)).toEqual({ killed: true });
        await shop.leaseRunsOut();
      }
      const verdict = await aftermath(stage, shop, { point: name, struck: struckText(strikes), doubts: inDoubt[1], again: true });
      expect(verdict.inDoubt).toBeGreaterThanOrEqual(inDoubt[0]);
      expect(verdict.received + verdict.inDoubt).toBeGreaterThanOrEqual(2 * USERS);
    });

    it.each(RESENT)("on_doubt: resend: $name", async ({ name, strikes }) => {
      const { provider, ground } = stage;
      provider.reset();
      const shop = await ground.open({ endpoint: provider.url, users: USERS, onDoubt: "resend" });
      for (const strike of strikes) {
        expect(await struckRun(stage, shop, strike)).toEqual({ killed: true });
        await shop.leaseRunsOut();
      }
      const { received, inDoubt } = await aftermath(stage, shop, { point: `resend: ${name}`, struck: struckText(strikes), resent: true });
      expect({ received, inDoubt }).toEqual({ received: 2 * USERS, inDoubt: 0 });
    });

    it("the host's clock jumps back an hour amid delivery", async () => {
      const { provider, ground, spare } = stage;
      provider.reset();
      const shop = await ground.open({ endpoint: provider.url, users: USERS });
      const clock = join(shop.root, "clock");
      provider.hooks.taken = (nth) => {
        if (nth === BATCH + 2) writeFileSync(clock, String(-3_600_000));
      };
      const worker = spare.take();
      try {
        expect(await worker.outcome(shop.job([], clock))).toMatchObject({ ok: true, claims: USERS, accepted: USERS });
        // While the clock is wrong nothing is decided, and so nothing sent.
        expect(await worker.outcome(shop.job([], clock))).toMatchObject({ ok: false, code: "run/as-of" });
      } finally {
        await worker.end();
        provider.hooks = {};
      }
      const { inDoubt } = await aftermath(stage, shop, { point: "clock jumps back", struck: `request ${String(BATCH + 2)}`, again: true });
      expect(inDoubt).toBe(0);
    });
  });
}
