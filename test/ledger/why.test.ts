/** Every answer that the ledger can hold has its sentence. */
import { expect, it } from "vitest";
import { OUTCOMES } from "../../src/arbitration/reasons/outcomes.js";
import { REASONS } from "../../src/arbitration/reasons.js";
import { begin, cartProject, ledgerWarehouse, rows, T0 } from "./support.js";

const RULES = REASONS.filter(({ place, event }) => place !== null && event !== "claimed" && event !== "held_out").map(({ name }) => name);
const EVENTS = ["claimed", "held_out", "left", "backfilled", ...new Set(OUTCOMES.map(({ event }) => event).filter((event) => event !== "claimed"))];
/** Reasons and rules beside those that an event or reason has most often. */
const OTHERS = [
  ...REASONS.flatMap(({ name, event, wordsOf }) => Object.keys(wordsOf).map((rule) => [event, name, rule] as const)),
  ...OUTCOMES.filter(({ event }, i) => event === "claimed" || OUTCOMES[i + 1]?.event === event).flatMap(({ event, reasons }) =>
    reasons.map((reason) => [event, reason, "the_rule"] as const),
  ),
];

it("each has an explanation of its own, with its rule in it, and none is only its name", async () => {
  const warehouse = await ledgerWarehouse();
  const run = await begin(warehouse, cartProject(), "r1", T0);
  await warehouse.execute({
    sql: `create table kinds as select * from (values ${[...RULES.map((reason) => ["waiting", reason, "the_rule"]), ...EVENTS.map((event) => [event, event, "the_rule"]), ...OTHERS].map((kind) => `('${kind.join("', '")}')`).join(", ")}) t(event, reason, rule)`,
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
  expect(told).toHaveLength(RULES.length + EVENTS.length + OTHERS.length);
  for (const { event, reason, explanation } of told) expect(String(explanation), `${String(event)} ${String(reason)}`).toMatch(/^(?!null)\S+ .*\S/);
  expect(new Set(told.map(({ explanation }) => explanation)).size).toBe(told.length);
  const explained = (reason: string, rule = "the_rule"): unknown => told.find((row) => row["reason"] === reason && row["rule"] === rule)?.["explanation"];
  const named = REASONS.filter(({ words }) => words.includes("{rule}"));
  expect(named.length).toBeGreaterThan(9);
  for (const { name } of named) expect(explained(name), name).toContain("the_rule");
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
