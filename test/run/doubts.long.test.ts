/** Doubts and retries at length: `npm run test:long`. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { commands, doubtStory, idsOf, retryStory, WALL } from "../support/doubts.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

// The commands ask the wall's clock.
beforeEach(() => void vi.spyOn(Date, "now").mockReturnValue(WALL));
afterEach(() => void vi.restoreAllMocks());

it("on Postgres doubts are listed, settled as sent, as not sent, or sent again, once", () => doubtStory("postgres"));

it("on DuckDB what failed for good is offered again after a fix, and decided afresh under the same id", () => retryStory("duckdb"));

it("a retry past the window says so, and the next run settles it as expired", async () => {
  const shop = await Shop.sending(["ada"]);
  shop.sandbox.setFaults([{ status: 400, count: 1 }]);
  await shop.run(T0);
  vi.spyOn(Date, "now").mockReturnValue(T0 + 25 * 60 * MINUTE);
  expect((await commands(shop).retry({ all: true })).stdout).toMatch(
    /^1 message offered again\. .*\nThe window of 1 message of these is over: they will not be sent\.\n$/,
  );
  expect((await shop.run(T0 + 25 * 60 * MINUTE)).decisions.segments).toMatchObject([{ reasons: { expired: 1 } }]);
});

it("--all leaves alone what somebody settled as not sent; named it can be retried", async () => {
  const shop = await Shop.sending(["ada"]);
  const { settle, retry } = commands(shop);
  shop.sandbox.setFaults([{ cut: "after", count: 1 }]);
  await shop.run(T0);
  await settle({ notSent: true, all: true });
  expect((await retry({ all: true })).stdout).toContain("0 messages offered again.");
  expect((await retry({}, ...Object.values(await idsOf(shop)))).stdout).toContain("1 message offered again.");
  expect(await shop.rows("select sum(settles) as settles, sum(counts) as counts from opportune.sent_ledger")).toEqual([{ settles: 0, counts: 0 }]);
  expect((await shop.run(T0 + 5 * MINUTE)).delivery).toMatchObject({ counts: { accepted: 1 } });
});
