/** `opportune doubts`, `doubts settle` and `retry`, over what real runs left in doubt or failed. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HeldLedger } from "../../src/ledger/lease/held-ledger.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { EVERY, settle } from "../../src/ledger/recovery/settle.js";
import { write } from "../commands/support.js";
import { letLeaseRunOut } from "../ledger/support.js";
import { commands, doubtStory, events, idsOf, retryStory, standing, WALL } from "../support/doubts.js";
import { Shop, T0 } from "../support/run-shop.js";

// The commands ask the wall's clock.
beforeEach(() => void vi.spyOn(Date, "now").mockReturnValue(WALL));
afterEach(() => void vi.restoreAllMocks());

it("doubts are listed, settled as sent, as not sent, or sent again, once", () => doubtStory("duckdb"));

it("what failed for good is offered again after a fix, and decided afresh under the same id", () => retryStory("postgres"));

it("filters narrow --all down, and nothing is settled by leaving names out", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  const { settle, retry, doubts } = commands(shop);
  write(shop.root, {
    "segments/gone.sql":
      "/*---\nstatus: live\nfirst_run: send\npriority: 90\nsteps: [{name: hint, channel: email, template: cart}]\n---*/\nselect * from carts where user_id = 'bob'\n",
  });
  shop.sandbox.setFaults([{ cut: "after", count: 2 }]);
  expect((await shop.run(T0)).delivery).toMatchObject({ counts: { inDoubt: 2 } });
  // A segment that the project has no more is known to the ledger still.
  shop.edit("segments/gone.sql", "status: live", "status: live\nid: other");
  expect((await doubts({ segment: "gone" })).stdout).toMatch(/ bob +gone hint /);
  expect((await doubts({ segment: "other" })).stdout).toBe("No message is in doubt.\n");
  await expect(doubts({ segment: "crt" })).rejects.toMatchObject({
    exitCode: 2,
    problems: [{ message: 'There is no segment "crt".', hint: 'Did you mean "cart"?' }],
  });
  await expect(doubts({ channel: "sms" })).rejects.toMatchObject({ exitCode: 2 });

  const [id = ""] = Object.values(await idsOf(shop));
  const before = await events(shop);
  for (const [attempt, message] of [
    [() => settle({}, id), "Say what became of the messages."],
    [() => settle({ sent: true, resend: true }, id), "A message is either sent, or not, or sent again."],
    [() => settle({ sent: true }), "Say which messages to settle: their ids, or --all."],
    [() => settle({ sent: true, all: true }, id), "Message ids and --all exclude each other."],
    [() => settle({ sent: true, segment: "gone" }, id), "Message ids and --segment exclude each other."],
    [() => settle({ sent: true }, "4711"), '"4711" is no message id.'],
    [() => settle({ sent: true, all: true, segment: "crt" }), 'There is no segment "crt".'],
    [() => retry({}), "Say which messages to retry: their ids, or --all."],
    [() => retry({ reason: "invalid" }, id), "Message ids and --reason exclude each other."],
    [() => retry({ all: true, since: "2 dys" }), '--since can\'t be "2 dys".'],
  ] as const)
    await expect(attempt()).rejects.toMatchObject({ exitCode: 2, problems: [{ message }] });
  expect(await events(shop)).toEqual(before);
  expect((await settle({ sent: true, all: true, segment: "gone" })).stdout).toBe("1 message settled as sent.\n");
  expect(await standing(shop)).toMatchObject([
    { user_id: "ada", status: "in_doubt", status_reason: "no_answer" },
    { user_id: "bob", status: "accepted", status_reason: "settled" },
  ]);
});

it("a run under way keeps others from settling; an answer that comes meanwhile is the last word", async () => {
  const shop = await Shop.sending(["ada"]);
  const { doubts, settle: settleCommand } = commands(shop);
  shop.sandbox.setFaults([{ cut: "after", count: 1 }]);
  await shop.run(T0);
  await shop.warehouse((warehouse) => HeldLedger.take(new Ledger(warehouse, "opportune")));
  await expect(settleCommand({ sent: true, all: true })).rejects.toMatchObject({ exitCode: 1, problems: [{ code: "ledger/lease" }] });
  await shop.warehouse(async (warehouse) => {
    await letLeaseRunOut(warehouse);
    await warehouse.execute({ sql: "update opportune.runs set status = 'running'", params: [] });
  });
  const listed = await doubts();
  expect(listed.stdout).toContain("1 message in doubt.");
  expect(listed.stderr).toContain("A run is under way, or was cut off");
  await shop.warehouse(async (warehouse) => {
    const ledger = await HeldLedger.take(new Ledger(warehouse, "opportune"));
    // As a webhook would say it, after the list was read and before the verdict is written.
    await warehouse.execute({
      sql: "insert into opportune.sent_ledger select * replace ('accepted' as event, 'accepted' as reason, 0 as settles, 0 as counts, seq + 1000 as seq) from opportune.sent_ledger where event = 'claimed'",
      params: [],
    });
    expect(await settle(ledger, "resend", { ...EVERY, trial: false })).toEqual([]);
    expect(await settle(ledger, "not_sent", { ...EVERY, trial: false })).toEqual([]);
    await ledger.release();
  });
  expect(await standing(shop)).toMatchObject([{ status: "accepted", status_reason: null }]);
});
