/** What an interrupted run left is settled by the next one, without guessing. */
import { expect, it } from "vitest";
import { recover } from "../../src/ledger/recovery/recover.js";
import { recordRunStart } from "../../src/ledger/runs/record.js";
import { begin, cartProject, ledgerWarehouse, letLeaseRunOut, MINUTE, openLedger, rows, T0 } from "./support.js";

const LATER = T0 + 11 * MINUTE;
const NOTHING = { released: 0, inDoubt: 0, liveInDoubt: 0 };

it("releases claims that were not handed over, doubts those without an answer, leaves the rest, and marks the run", async () => {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await run.tell(["u1", "sending"], ["u2", "sending"], ["u3", "released", "paused"], ["u4", "failed", "invalid"]);
  await run.tell(["u1", "accepted"]);
  await letLeaseRunOut(warehouse);
  const ledger = await openLedger(warehouse, LATER);
  expect(await recover(ledger, [])).toEqual({ released: 1, inDoubt: 1, liveInDoubt: 1 });
  expect(await rows(warehouse, "select user_id, status, status_reason, counts from opportune.messages order by user_id")).toEqual([
    { user_id: "u1", status: "accepted", status_reason: null, counts: 1 },
    { user_id: "u2", status: "in_doubt", status_reason: "interrupted", counts: 1 },
    { user_id: "u3", status: "released", status_reason: "paused", counts: 0 },
    { user_id: "u4", status: "failed", status_reason: "invalid", counts: 0 },
    { user_id: "u5", status: "released", status_reason: "interrupted", counts: 0 },
  ]);
  expect(
    await rows(
      warehouse,
      "select user_id, event, reason, settles, counts, cast(decided_at as varchar) as decided_at, cast(recorded_at as varchar) as recorded_at from opportune.sent_ledger where reason = 'interrupted' order by user_id",
    ),
  ).toEqual([
    { user_id: "u2", event: "in_doubt", reason: "interrupted", settles: 0, counts: 0, decided_at: "2026-03-02 12:00:00", recorded_at: "2026-03-02 12:11:00" },
    { user_id: "u5", event: "released", reason: "interrupted", settles: -1, counts: -1, decided_at: "2026-03-02 12:00:00", recorded_at: "2026-03-02 12:11:00" },
  ]);
  expect(await rows(warehouse, "select run_id, status, finished_at is not null as finished from opportune.runs")).toEqual([
    { run_id: "r1", status: "interrupted", finished: true },
  ]);
  expect(await rows(warehouse, "select count(distinct seq) = count(*) as apart from opportune.sent_ledger")).toEqual([{ apart: true }]);
  expect(await recover(ledger, [])).toEqual(NOTHING);
});

it("lets the next run decide again on what was released, and on nothing that is in doubt", async () => {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await run.tell(["u1", "sending"]);
  await letLeaseRunOut(warehouse);
  const ledger = await openLedger(warehouse, LATER);
  expect(await recover(ledger, [])).toEqual({ released: 4, inDoubt: 1, liveInDoubt: 1 });
  await ledger.release();
  const next = await begin(warehouse, cartProject(), "r2", LATER);
  expect([...next.ids.keys()].sort()).toEqual(["u2", "u3", "u4", "u5"]);
});

it("has nothing to do after runs that ended, or that claimed nothing", async () => {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await run.end();
  const second = await openLedger(warehouse, LATER);
  expect(await recover(second, [])).toEqual(NOTHING);
  await recordRunStart(second, { runId: "r2", asOf: "2026-03-02T12:01:00Z", trial: false, version: "test" });
  await letLeaseRunOut(warehouse);
  const third = await openLedger(warehouse, LATER);
  expect(await recover(third, [])).toEqual(NOTHING);
  expect(await rows(warehouse, "select run_id, status from opportune.runs order by 1")).toEqual([
    { run_id: "r1", status: "success" },
    { run_id: "r2", status: "interrupted" },
  ]);
});

it("settles what several runs left, each message by its own run", async () => {
  const warehouse = await ledgerWarehouse();
  const first = await begin(warehouse, cartProject(), "r1", T0);
  await first.tell(
    ["u1", "sending"],
    ["u1", "released", "provider_unavailable"],
    ["u2", "sending"],
    ["u2", "accepted"],
    ["u3", "sending"],
    ["u3", "accepted"],
    ["u4", "sending"],
    ["u4", "accepted"],
  );
  // The second claims u1 again before anyone has looked after the first one's u5.
  await letLeaseRunOut(warehouse);
  const second = await begin(warehouse, cartProject(), "r2", LATER);
  expect([...second.ids.keys()]).toEqual(["u1"]);
  await second.tell(["u1", "sending"]);
  await letLeaseRunOut(warehouse);
  const third = await openLedger(warehouse, LATER);
  expect(await recover(third, [])).toEqual({ released: 1, inDoubt: 1, liveInDoubt: 1 });
  expect(await rows(warehouse, "select run_id, user_id, status from opportune.messages where user_id in ('u1', 'u5') order by 1, 2")).toEqual([
    { run_id: "r1", user_id: "u1", status: "released" },
    { run_id: "r1", user_id: "u5", status: "released" },
    { run_id: "r2", user_id: "u1", status: "in_doubt" },
  ]);
});

it("offers again what has no answer on channels that resend, and doubts it on the others", async () => {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await run.tell(["u1", "sending"], ["u2", "sending"], ["u3", "sending"], ["u4", "sending"]);
  await run.tell(["u2", "accepted"], ["u3", "failed", "rejected"], ["u4", "in_doubt", "no_answer"]);
  await letLeaseRunOut(warehouse);
  const ledger = await openLedger(warehouse, LATER);
  expect(await recover(ledger, ["push", "email"])).toEqual({ released: 2, inDoubt: 0, liveInDoubt: 0 });
  expect(await rows(warehouse, "select user_id, status, status_reason, counts from opportune.messages order by user_id")).toEqual([
    { user_id: "u1", status: "released", status_reason: "resend", counts: 0 },
    { user_id: "u2", status: "accepted", status_reason: null, counts: 1 },
    { user_id: "u3", status: "failed", status_reason: "rejected", counts: 0 },
    // Its answer was awaited and never came: the run itself has doubted it.
    { user_id: "u4", status: "in_doubt", status_reason: "no_answer", counts: 1 },
    { user_id: "u5", status: "released", status_reason: "interrupted", counts: 0 },
  ]);
  expect(await rows(warehouse, "select explanation from opportune.why where reason = 'resend'")).toEqual([{ explanation: "no answer came; offered again" }]);
  await ledger.release();
  expect([...(await begin(warehouse, cartProject(), "r2", LATER)).ids.keys()].sort()).toEqual(["u1", "u5"]);

  const other = await ledgerWarehouse();
  await (await begin(other, cartProject(), "r1", T0)).tell(["u1", "sending"]);
  await letLeaseRunOut(other);
  expect(await recover(await openLedger(other, LATER), ["push", "it's"])).toEqual({ released: 4, inDoubt: 1, liveInDoubt: 1 });
});
