/** Trials and live runs on one ledger; on all four warehouses in test/warehouses/run.test.ts. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pauseCommand } from "../../src/commands/pause.js";
import { resumeCommand } from "../../src/commands/resume.js";
import { around } from "../support/around.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { told, type Told } from "../support/terminal.js";
import { trialStory } from "../support/trials.js";
import { WALL } from "../support/doubts.js";

beforeEach(() => void vi.spyOn(Date, "now").mockReturnValue(WALL));
afterEach(() => void vi.restoreAllMocks());

it("a colleague's trials on the same ledger make nobody hear twice from the live job, and silence nobody", () => trialStory("duckdb"));

it("a relay on this machine is a relay: a live target sends there, another one writes files", async () => {
  const shop = await Shop.sending(["ada"]);
  shop.edit("opportune.yml", "sandbox: true, ", "");
  expect(await shop.run(T0)).toMatchObject({ trial: true, went: { outbox: 1, provider: 0, sandbox: 0 } });
  expect(shop.recipients()).toEqual([]);
  expect(shop.outbox()).toMatchObject([{ address: "ada@example.com" }]);
  expect(await shop.run(T0 + MINUTE, { target: "prod" })).toMatchObject({ trial: false, went: { provider: 1, outbox: 0, sandbox: 0 } });
  expect(shop.recipients()).toEqual(["ada@example.com"]);
  expect((await shop.run(T0 + 2 * MINUTE, { target: "prod" })).delivery?.claims).toBe(0);
});

it("a live channel that writes files is live: what it sent is not sent again once a provider is there", async () => {
  const shop = await Shop.sending(["ada"]);
  const sendgrid = "provider: sendgrid, sandbox: true, api_key: SG.test-key, endpoint: ";
  shop.edit("opportune.yml", sendgrid, "provider: outbox } # ");
  expect(await shop.run(T0, { target: "prod" })).toMatchObject({ trial: false, went: { outbox: 1 } });
  shop.edit("opportune.yml", "provider: outbox } # ", sendgrid);
  expect((await shop.run(T0 + MINUTE, { target: "prod" })).delivery?.claims).toBe(0);
  expect(await shop.rows("select trial, count(*) as n from opportune.messages group by trial")).toEqual([{ trial: false, n: 1 }]);
});

it("a message that a trial really posts to an allowed address is a trial's", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  shop.edit("opportune.yml", "sandbox: true, ", "");
  shop.edit("opportune.yml", "live: false", 'live: false, allow: ["ada@example.com"]');
  expect(await shop.run(T0)).toMatchObject({ trial: true, went: { provider: 1, outbox: 1, sandbox: 0 } });
  expect(await shop.run(T0 + MINUTE, { target: "prod" })).toMatchObject({ went: { provider: 2 } });
  expect(shop.recipients()).toEqual(["ada@example.com", "ada@example.com", "bob@example.com"]);
});

it("pause and resume on a target that is not live hold for trials alone", async () => {
  const shop = await Shop.sending(["ada"]);
  const say = (verb: typeof pauseCommand, target: string): Promise<Told> =>
    told((terminal) => verb(terminal, { projectDir: shop.root, color: false, target }, ["cart"]));
  expect((await say(pauseCommand, "dev")).stdout).toMatch(/^Segment cart is paused .*\nTarget dev is not live: this holds for trials alone\.$/m);
  expect((await shop.run(T0)).decisions.segments[0]?.reasons).toEqual({ paused: 1 });
  expect((await shop.run(T0 + MINUTE, { target: "prod" })).delivery).toMatchObject({ counts: { accepted: 1 } });
  await shop.carts(["bob"], 20);
  expect((await say(pauseCommand, "prod")).stdout).not.toMatch(/trials/);
  expect((await say(resumeCommand, "dev")).stdout).toMatch(/^Segment cart is resumed /);
  expect((await shop.run(T0 + 2 * MINUTE, { target: "prod" })).decisions.segments[0]?.reasons).toEqual({ paused: 1 });
  expect((await shop.run(T0 + 3 * MINUTE)).delivery).toMatchObject({ counts: { accepted: 1 } });
});

it("what a trial left behind is settled by a live run, and stays the trial's", async () => {
  const shop = await Shop.sending(["ada"]);
  const broken = new Error("the process ends here");
  const dies = (): never => {
    throw broken;
  };
  await expect(shop.run(T0, {}, (warehouse) => around(warehouse, { stream: dies }))).rejects.toBe(broken);
  const result = await shop.run(T0 + MINUTE, { target: "prod" });
  expect(result).toMatchObject({ recovered: { released: 1, inDoubt: 0 }, delivery: { counts: { accepted: 1 } } });
  expect(await shop.rows("select event, trial from opportune.sent_ledger order by seq")).toEqual([
    { event: "claimed", trial: true },
    { event: "released", trial: true },
    { event: "claimed", trial: false },
    { event: "sending", trial: false },
    { event: "accepted", trial: false },
  ]);
});
