/** Every answer that the ledger can hold has its sentence. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { begin, cartProject, ledgerWarehouse, rows, T0 } from "./support.js";

const REASONS = [
  "baseline",
  "invalid",
  "audience_failed",
  "converted",
  "excluded",
  "no_consent",
  "suppressed",
  "opted_out",
  "expired",
  "superseded",
  "repeat_gap",
  "paused",
  "surge",
  "stale_data",
  "step_gap",
  "quiet_hours",
  "cap",
  "spacing",
  "outranked",
  "run_limit",
] as const;
const EVENTS = ["claimed", "held_out", "left", "backfilled", "sending", "accepted", "failed", "in_doubt", "released"] as const;

it("the reasons of docs/decisions.md are these", () => {
  const page = readFileSync(new URL("../../docs/decisions.md", import.meta.url), "utf8");
  const table = [...page.matchAll(/^\| \d+ \| (.+?) \|/gm)].flatMap(([, names]) => [...(names ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(table).toEqual([...REASONS, "held_out", "claimed"]);
});

it("each has an explanation of its own, with its rule in it, and none is only its name", async () => {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await warehouse.execute({
    sql: `create table kinds as select * from (values ${[...REASONS.map((reason) => `('waiting', '${reason}', 'the_rule')`), ...EVENTS.map((event) => `('${event}', '${event}', 'the_rule')`), "('settled', 'expired', '')", "('settled', 'superseded', '')", "('failed', 'invalid', '')", "('failed', 'not_sent', '')", "('accepted', 'settled', '')", "('in_doubt', 'interrupted', '')", "('released', 'resend', '')", "('released', 'retry', '')", "('waiting', 'outranked', 'user')"].join(", ")}) t(event, reason, rule)`,
    params: [],
  });
  await warehouse.execute({
    sql: "insert into opportune.sent_ledger select l.* replace (k.event as event, k.reason as reason, k.rule as rule, l.seq + 1000 + row_number() over () as seq) from kinds k cross join (select * from opportune.sent_ledger order by seq limit 1) l",
    params: [],
  });
  const told = await rows(
    warehouse,
    `select event, reason, rule, explanation from opportune.why where run_id = '${run.run.runId}' and seq > (select min(seq) + 999 from opportune.why)`,
  );
  expect(told).toHaveLength(REASONS.length + EVENTS.length + 9);
  for (const { event, reason, explanation } of told) expect(String(explanation), `${String(event)} ${String(reason)}`).toMatch(/^(?!null)\S+ .*\S/);
  expect(new Set(told.map(({ explanation }) => explanation)).size).toBe(told.length);
  const explained = (reason: string, rule = "the_rule"): unknown => told.find((row) => row["reason"] === reason && row["rule"] === rule)?.["explanation"];
  for (const reason of [
    "invalid",
    "audience_failed",
    "excluded",
    "no_consent",
    "suppressed",
    "opted_out",
    "expired",
    "paused",
    "cap",
    "run_limit",
    "held_out",
    "left",
  ])
    expect(explained(reason), reason).toContain("the_rule");
  expect(explained("cap")).toBe("waits: the cap of the_rule is full");
});

it("a user's story is told in order", async () => {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await run.tell(["u1", "sending"], ["u1", "released", "send_by"]);
  expect((await rows(warehouse, "select explanation from opportune.why where user_id = 'u1' order by seq")).map((row) => row["explanation"])).toEqual([
    "will be sent",
    "handed to the provider",
    "not sent after all (send_by); decided again",
  ]);
});
