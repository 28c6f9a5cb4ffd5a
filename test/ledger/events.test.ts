/** What becomes of claims, as the ledger keeps it and the audit views tell it. */
import { describe, expect, it } from "vitest";
import { begin, cartProject, ledgerWarehouse, MINUTE, rows, T0, type OpenRun } from "./support.js";
import { UncertainAppendError } from "../../src/core/errors.js";
import { appendDecisions, appendEvents } from "../../src/ledger/events/append.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { around } from "../support/around.js";
import { rejection } from "../warehouse/support.js";

/** One run in which each of five users' claims fares differently. */
async function fiveFates(): Promise<{ warehouse: Warehouse; run: OpenRun }> {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await run.tell(["u1", "sending"], ["u2", "sending"], ["u3", "sending"], ["u4", "failed", "invalid"]);
  await run.tell(["u1", "accepted"], ["u2", "failed", "rejected"], ["u3", "in_doubt", "no_answer"], ["u5", "released", "paused"]);
  return { warehouse, run };
}

describe("events", () => {
  it("stand in the order in which they were told, after their claims, with the claim's own columns", async () => {
    const { warehouse } = await fiveFates();
    const events = await rows(warehouse, "select user_id, event, reason, seq from opportune.sent_ledger order by seq");
    expect(events.map(({ user_id, event, reason }) => `${String(user_id)} ${String(event)} ${String(reason)}`).slice(5)).toEqual([
      "u1 sending sending",
      "u2 sending sending",
      "u3 sending sending",
      "u4 failed invalid",
      "u1 accepted accepted",
      "u2 failed rejected",
      "u3 in_doubt no_answer",
      "u5 released paused",
    ]);
    expect(events.slice(0, 5).every(({ event }) => event === "claimed")).toBe(true);
    expect(new Set(events.map(({ seq }) => seq)).size).toBe(13);
    const same =
      "run_id, segment, segment_version, step, item_key, class, channel, topic, template, template_version, occurred_at, counts_from, due_at, expires_at, send_by, decided_at, rule";
    expect(await rows(warehouse, `select count(*) as n from (select distinct message_id, ${same} from opportune.sent_ledger)`)).toEqual([{ n: 5 }]);
    expect(
      await rows(
        warehouse,
        "select distinct event, cast(recorded_at as varchar) as recorded_at from opportune.sent_ledger where event in ('claimed', 'sending') order by event",
      ),
    ).toEqual([
      { event: "claimed", recorded_at: "2026-03-02 12:00:00" },
      { event: "sending", recorded_at: "2026-03-02 12:00:05" },
    ]);
  });

  it("add up: a released claim is open again, a failed one settles and counts for nothing, one in doubt holds its place", async () => {
    const { warehouse } = await fiveFates();
    expect(
      await rows(warehouse, "select user_id, sum(settles) as settles, sum(counts) as counts from opportune.sent_ledger group by user_id order by user_id"),
    ).toEqual([
      { user_id: "u1", settles: 1, counts: 1 },
      { user_id: "u2", settles: 1, counts: 0 },
      { user_id: "u3", settles: 1, counts: 1 },
      { user_id: "u4", settles: 1, counts: 0 },
      { user_id: "u5", settles: 0, counts: 0 },
    ]);
  });

  it("keep address and chosen properties on claims alone", async () => {
    const { warehouse } = await fiveFates();
    expect(await rows(warehouse, "select event, address, properties from opportune.sent_ledger where user_id = 'u1' order by seq")).toEqual([
      { event: "claimed", address: "u1@example.com", properties: '{"total":10}' },
      { event: "sending", address: null, properties: null },
      { event: "accepted", address: null, properties: null },
    ]);
  });

  it("of messages that the work tables don't hold as claimed are refused, and nothing is written with them", async () => {
    const { warehouse, run } = await fiveFates();
    const [known] = await rows(warehouse, `select message_id, place from ${warehouse.dialect.workTable("decisions")} where event = 'claimed' limit 1`);
    const event = { place: Number(known?.["place"]), event: "accepted", reason: "accepted", detail: null, providerId: null, at: T0 } as const;
    const events = [String(known?.["message_id"]), "unknown"].map((messageId) => ({ ...event, messageId }));
    expect(await rejection(appendEvents(run.ledger, run.run, events))).toMatchObject({
      problems: [{ code: "ledger/append", message: expect.stringContaining("run r1 ") as string }],
    });
    // Nor are decisions, where the work table holds fewer than were decided.
    expect(await rejection(appendDecisions(run.ledger, run.run, { rows: 13, changed: 6, segmentRuns: [], templates: [] }))).toMatchObject({
      problems: [{ code: "ledger/append" }],
    });
    await appendEvents(run.ledger, run.run, []);
    expect(await rows(warehouse, "select count(*) as n from opportune.sent_ledger")).toEqual([{ n: 13 }]);
  });

  it("of a commit that was made, that failed all the same, and that nobody could be asked about are not called undone", async () => {
    let lost = false;
    const gone = <T>(given: T): T => {
      if (lost) throw new Error("the connection was lost");
      return given;
    };
    const real = await ledgerWarehouse();
    const warehouse = around(real, { script: (script) => real.script(script).then(gone), query: (statement) => real.query(statement).then(gone) });
    const run = await begin(warehouse, cartProject(), "r1", T0);
    await run.tell(["u1", "sending"]);
    lost = true;
    const error = await run.tell(["u1", "in_doubt", "no_answer"]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UncertainAppendError);
    expect(error).toMatchObject({ message: "the connection was lost" });
    lost = false;
    expect(await rows(real, "select user_id from opportune.sent_ledger where event = 'in_doubt'")).toEqual([{ user_id: "u1" }]);
  });

  it("of thousands of claims are written at once", async () => {
    const { warehouse, run } = await fiveFates();
    const many = Array.from({ length: 20_000 }, (_, i) => ({
      messageId: run.ids.get("u1") ?? "",
      place: run.places.get(run.ids.get("u1") ?? "") ?? 0,
      event: "in_doubt" as const,
      reason: "no_answer",
      detail: `{"n":"${String(i)} ü"}`,
      providerId: null,
      at: T0 + i,
    }));
    await appendEvents(run.ledger, run.run, many);
    expect(
      await rows(
        warehouse,
        "select count(*) as n, count(distinct seq) as seqs, max(epoch_ms(recorded_at)) as last from opportune.sent_ledger where event = 'in_doubt'",
      ),
    ).toEqual([{ n: 20_001, seqs: 20_001, last: T0 + 19_999 }]);
  });
});

describe("the next run", () => {
  it("offers what was released and nothing else, and the message has one row a claim", async () => {
    const { warehouse, run } = await fiveFates();
    await run.end();
    const next = await begin(warehouse, cartProject(), "r2", T0 + MINUTE);
    expect([...next.ids.keys()]).toEqual(["u5"]);
    expect(next.ids.get("u5")).toBe(run.ids.get("u5"));
    expect(next.decisions.segments[0]).toMatchObject({ returned: 5, reasons: { claimed: 1 }, dropped: { same_occurrence: 4 } });
    await next.tell(["u5", "sending"], ["u5", "accepted"]);
    expect(await rows(warehouse, "select run_id, status, status_reason, counts from opportune.messages where user_id = 'u5' order by run_id")).toEqual([
      { run_id: "r1", status: "released", status_reason: "paused", counts: 0 },
      { run_id: "r2", status: "accepted", status_reason: null, counts: 1 },
    ]);
  });
});

describe("audit views", () => {
  it("messages: where each one stands, at every moment", async () => {
    const warehouse = await ledgerWarehouse();
    await (await begin(warehouse, cartProject("holdout: 100%"), "r1", T0)).end();
    expect(await rows(warehouse, "select distinct status from opportune.messages")).toEqual([{ status: "held_out" }]);
    const { warehouse: second, run } = await fiveFates();
    expect(
      await rows(
        second,
        "select user_id, status, status_reason, outcome_detail, provider_id, sending_at is not null as sent, accepted_at is not null as taken, address from opportune.messages order by user_id",
      ),
    ).toEqual([
      { user_id: "u1", status: "accepted", status_reason: null, outcome_detail: null, provider_id: "p-u1", sent: true, taken: true, address: "u1@example.com" },
      {
        user_id: "u2",
        status: "failed",
        status_reason: "rejected",
        outcome_detail: '{"because":"rejected"}',
        provider_id: null,
        sent: true,
        taken: false,
        address: "u2@example.com",
      },
      {
        user_id: "u3",
        status: "in_doubt",
        status_reason: "no_answer",
        outcome_detail: '{"because":"no_answer"}',
        provider_id: null,
        sent: true,
        taken: false,
        address: "u3@example.com",
      },
      {
        user_id: "u4",
        status: "failed",
        status_reason: "invalid",
        outcome_detail: '{"because":"invalid"}',
        provider_id: null,
        sent: false,
        taken: false,
        address: "u4@example.com",
      },
      {
        user_id: "u5",
        status: "released",
        status_reason: "paused",
        outcome_detail: '{"because":"paused"}',
        provider_id: null,
        sent: false,
        taken: false,
        address: "u5@example.com",
      },
    ]);
    // The provider's webhook settles what was in doubt.
    await run.tell(["u3", "accepted"]);
    expect(await rows(second, "select status from opportune.messages where user_id = 'u3'")).toEqual([{ status: "accepted" }]);
    await run.end();
    const next = await begin(second, cartProject(), "r2", T0 + MINUTE);
    const status = async (): Promise<unknown> =>
      (await rows(second, "select status from opportune.messages where user_id = 'u5' and run_id = 'r2'"))[0]?.["status"];
    expect(await status()).toBe("claimed");
    await next.tell(["u5", "sending"]);
    expect(await status()).toBe("sending");
  });

  it("caps_in_use: what counts, by how long ago", async () => {
    const { warehouse, run } = await fiveFates();
    await run.end();
    expect(await rows(warehouse, "select user_id, channel, topic, last_hour, last_24_hours, last_30_days from opportune.caps_in_use order by user_id")).toEqual(
      [
        { user_id: "u1", channel: "email", topic: "carts", last_hour: 1, last_24_hours: 1, last_30_days: 1 },
        { user_id: "u3", channel: "email", topic: "carts", last_hour: 1, last_24_hours: 1, last_30_days: 1 },
      ],
    );
    const used = async (after: number, runId: string): Promise<unknown> => {
      await (await begin(warehouse, cartProject(), runId, T0 + after * MINUTE)).end();
      return (
        await rows(warehouse, "select last_hour, last_24_hours, last_48_hours, last_7_days, last_30_days from opportune.caps_in_use where user_id = 'u1'")
      ).map((row) => Object.values(row).join(" "));
    };
    expect(await used(60, "r2")).toEqual(["0 1 1 1 1"]);
    expect(await used(24 * 60 - 1, "r3")).toEqual(["0 1 1 1 1"]);
    expect(await used(24 * 60, "r4")).toEqual(["0 0 1 1 1"]);
    expect(await used(48 * 60, "r5")).toEqual(["0 0 0 1 1"]);
    expect(await used(30 * 24 * 60, "r6")).toEqual(["0 0 0 0 0"]);
  });

  it("trigger_lag: from due to decided to accepted, in seconds", async () => {
    const { warehouse } = await fiveFates();
    expect(await rows(warehouse, "select user_id, seconds_to_decision, seconds_to_acceptance from opportune.trigger_lag")).toEqual([
      { user_id: "u1", seconds_to_decision: 50 * 60, seconds_to_acceptance: 50 * 60 + 5 },
    ]);
  });

  it("segment_daily: how many of what", async () => {
    const { warehouse } = await fiveFates();
    expect(
      await rows(
        warehouse,
        "select cast(day as varchar) as day, segment, step, event, reason, events, users from opportune.segment_daily where event in ('claimed', 'failed') order by event, reason",
      ),
    ).toEqual([
      { day: "2026-03-02", segment: "cart", step: "nudge", event: "claimed", reason: "claimed", events: 5, users: 5 },
      { day: "2026-03-02", segment: "cart", step: "nudge", event: "failed", reason: "invalid", events: 1, users: 1 },
      { day: "2026-03-02", segment: "cart", step: "nudge", event: "failed", reason: "rejected", events: 1, users: 1 },
    ]);
  });
});
