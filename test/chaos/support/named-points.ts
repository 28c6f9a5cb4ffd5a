/** Killed at every named point of the protocol. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POINTS } from "./points.js";
import type { Kind } from "./shop.js";
import { aftermath, openStage, struckRun, struckText, type Stage } from "./story.js";

const USERS = 30;

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
  });
}
