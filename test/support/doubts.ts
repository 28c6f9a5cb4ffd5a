/** Runs whose messages end in doubt or fail, and the commands that settle them or offer them again. */
import { expect } from "vitest";
import { doubtsCommand, doubtsSettleCommand, type DoubtsOptions, type SettleOptions } from "../../src/commands/doubts.js";
import { explainCommand } from "../../src/commands/explain/explain.js";
import { retryCommand, type RetryOptions } from "../../src/commands/retry.js";
import type { Row } from "../../src/warehouse/types.js";
import type { WarehouseName } from "./databases.js";
import { MINUTE, Shop, T0 } from "./run-shop.js";
import { told, type Told } from "./terminal.js";

/** When the commands run, by the wall's clock: set it with `vi.spyOn(Date, "now")`. */
export const WALL = T0 + 2 * MINUTE;

export function commands(shop: Shop): {
  doubts(options?: Partial<DoubtsOptions>): Promise<Told>;
  settle(options: Partial<SettleOptions>, ...ids: readonly string[]): Promise<Told>;
  retry(options: Partial<RetryOptions>, ...ids: readonly string[]): Promise<Told>;
  explain(user: string): Promise<string>;
} {
  const common = { projectDir: shop.root, color: false };
  return {
    doubts: (options = {}) => told((terminal) => doubtsCommand(terminal, { ...common, ...options })),
    settle: (options, ...ids) => told((terminal) => doubtsSettleCommand(terminal, { ...common, ...options }, ids)),
    retry: (options, ...ids) => told((terminal) => retryCommand(terminal, { ...common, ...options }, ids)),
    explain: async (user) => (await told((terminal) => explainCommand(terminal, { ...common, limit: "99" }, [user]))).stdout,
  };
}

export async function idsOf(shop: Shop): Promise<Record<string, string>> {
  const rows = await shop.rows("select distinct user_id, message_id from opportune.sent_ledger where event = 'claimed'");
  return Object.fromEntries(rows.map((row) => [String(row["user_id"]), String(row["message_id"])]));
}

/** Where each message stands, of its last claim. */
export function standing(shop: Shop): Promise<Row[]> {
  return shop.rows(
    `select user_id, status, status_reason, cast(counts as integer) as counts from (
       select m.*, row_number() over (partition by message_id order by decided_at desc) as newest from opportune.messages m
     ) m where newest = 1 order by user_id`,
  );
}

export const events = (shop: Shop): Promise<Row[]> => shop.rows("select count(*) as n from opportune.sent_ledger");
export const jsonOf = ({ stdout }: Told): unknown => JSON.parse(stdout);

/** Doubts are listed, settled as sent, as not sent, or sent again, once. */
export async function doubtStory(on: WarehouseName): Promise<void> {
  const shop = await Shop.sending(["ada", "bob", "eve", "kim"], { on });
  const { doubts, settle, explain } = commands(shop);
  shop.sandbox.setFaults([{ cut: "after", count: 3 }]);
  const result = await shop.run(T0);
  expect(result.delivery).toMatchObject({ counts: { accepted: 1, inDoubt: 3 } });
  const ids = await idsOf(shop);
  // The line is in the order of message ids: which three were cut off is theirs.
  const [first = "", second = "", third = ""] = Object.entries(ids)
    .sort(([, a], [, b]) => (a < b ? -1 : 1))
    .map(([user]) => user);
  const [kim] = Object.keys(ids).filter((user) => ![first, second, third].includes(user));

  const listed = await doubts();
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  expect(listed.stdout).toMatch(/^message +user +segment and step +channel +since \(UTC\) +why\n/);
  for (const user of [first, second, third])
    expect(listed.stdout).toMatch(new RegExp(`^${String(ids[user])} +${user} +cart nudge +email +2026-03-02 12:00:00 +no answer came: `, "m"));
  expect(listed.stdout).toContain("3 messages in doubt.");
  expect(listed.stdout).toContain("`opportune doubts settle --all --sent`");
  expect(listed.stdout).not.toContain("@");
  expect((await doubts({ addresses: true })).stdout).toContain(`${first}@example.com`);
  expect(jsonOf(await doubts({ output: "json", segment: "cart", channel: "email" }))).toMatchObject({
    schema_version: 1,
    doubts: [first, second, third].map((user) => ({ message_id: ids[user], user_id: user, segment: "cart", step: "nudge", reason: "no_answer" })),
  });

  expect(await settle({ sent: true }, String(ids[first]))).toEqual({ code: 0, stdout: "1 message settled as sent.\n", stderr: "" });
  expect((await settle({ notSent: true }, String(ids[second]))).stdout).toContain("1 message settled as not sent. Caps forget them");
  const before = await events(shop);
  const again = await settle({ resend: true, output: "json" }, String(ids[first]), String(ids[second]), String(ids[String(kim)]), "0".repeat(32));
  expect(jsonOf(again)).toEqual({
    schema_version: 1,
    verdict: "resend",
    changed: 0,
    message_ids: [],
    unchanged: [ids[first], ids[second], ids[String(kim)], "0".repeat(32)],
  });
  expect(again.stderr).toContain(`Not in doubt, and left as it is: ${String(ids[first])}`);
  expect(await events(shop)).toEqual(before);
  expect((await settle({ resend: true, all: true })).stdout).toBe(
    "1 message offered again. The next run decides afresh: a message goes if its segment still returns the user, its window is open and no rule stops it.\n",
  );
  expect((await doubts()).stdout).toBe("No message is in doubt.\n");

  const told = await standing(shop);
  const standingOf = (user: string | undefined): Row | undefined => told.find((row) => row["user_id"] === user);
  expect(standingOf(first)).toMatchObject({ status: "accepted", status_reason: "settled", counts: 1 });
  expect(standingOf(second)).toMatchObject({ status: "failed", status_reason: "not_sent", counts: 0 });
  expect(standingOf(third)).toMatchObject({ status: "released", status_reason: "resend", counts: 0 });
  expect(standingOf(kim)).toMatchObject({ status: "accepted", status_reason: null, counts: 1 });
  // As all outcomes do they carry their claim's run and time.
  const { runId } = result;
  expect(
    await shop.rows(
      `select reason, user_id, event, settles, counts, rule, run_id = '${runId}' and decided_at = timestamp '2026-03-02 12:00:00' as of_claim, recorded_at = timestamp '2026-03-02 12:02:00' as now
         from opportune.sent_ledger where reason in ('settled', 'not_sent', 'resend') order by reason`,
    ),
  ).toEqual([
    { reason: "not_sent", user_id: second, event: "failed", settles: 0, counts: -1, rule: "", of_claim: true, now: true },
    { reason: "resend", user_id: third, event: "released", settles: -1, counts: -1, rule: "", of_claim: true, now: true },
    { reason: "settled", user_id: first, event: "accepted", settles: 0, counts: 0, rule: "", of_claim: true, now: true },
  ]);
  // When the provider took it nobody knows: no lag is told of it. The view is of live messages.
  await shop.execute("update opportune.sent_ledger set trial = false where true");
  expect(await shop.rows("select user_id from opportune.trigger_lag")).toEqual([{ user_id: kim }]);
  await shop.execute("update opportune.sent_ledger set trial = true where true");

  expect((await shop.run(T0 + 5 * MINUTE)).delivery).toMatchObject({ claims: 1, counts: { accepted: 1 } });
  expect(shop.recipients()).toEqual([...Object.keys(ids), third].sort().map((user) => `${user}@example.com`));
  expect(await idsOf(shop)).toEqual(ids);
  expect((await standing(shop)).find((row) => row["user_id"] === third)).toMatchObject({ status: "accepted", status_reason: null, counts: 1 });
  expect((await shop.run(T0 + 6 * MINUTE)).delivery?.claims).toBe(0);
  expect(await explain(first)).toContain("settled by hand: it was sent");
  expect(await explain(second)).toContain("settled by hand: it was not sent");
  expect(await explain(third)).toMatch(/handed over, and no answer came: .*\n.*no answer came; offered again\n.*will be sent\n.*\n.*accepted by the provider/);
}

/** What failed for good is offered again after a fix, and decided afresh under the same id. */
export async function retryStory(on: WarehouseName): Promise<void> {
  const shop = await Shop.sending(["ada", "bob", "eve", "kim"], { on });
  const { retry, explain } = commands(shop);
  shop.sandbox.setFaults([{ status: 400, count: 4 }]);
  expect((await shop.run(T0)).delivery).toMatchObject({ counts: { failed: { rejected: 4 } } });
  const ids = await idsOf(shop);
  expect((await shop.run(T0 + MINUTE)).delivery?.claims).toBe(0);
  const before = await events(shop);
  expect((await retry({ all: true, since: "1 minute" })).stdout).toContain("0 messages offered again.");
  expect((await retry({ all: true, reason: "invalid" })).stdout).toContain("0 messages offered again.");
  expect(await events(shop)).toEqual(before);

  expect((await retry({}, String(ids["ada"]))).stdout).toMatch(/^1 message offered again\. The next run decides afresh/);
  expect((await retry({ output: "json", all: true, since: "3 minutes", reason: "rejected", segment: "cart" })).stdout).toContain('"changed": 3');
  expect((await retry({}, String(ids["ada"]))).stderr).toContain(`Not failed, or offered again already: ${String(ids["ada"])}`);
  expect(await shop.rows("select distinct event, reason, settles, counts from opportune.sent_ledger where reason = 'retry'")).toEqual([
    { event: "released", reason: "retry", settles: -1, counts: 0 },
  ]);
  expect(await standing(shop)).toMatchObject(
    ["ada", "bob", "eve", "kim"].map((user_id) => ({ user_id, status: "released", status_reason: "retry", counts: 0 })),
  );

  // One goes; one comes back to the segment past its window; one it returns no more; one is not to hear from us any more.
  await shop.execute("delete from carts where user_id in ('bob', 'eve')");
  await shop.execute(
    "insert into opportune.suppressions (channel, address, topic, reason, recorded_at) values ('email', 'kim@example.com', null, 'bounce', timestamp '2026-03-02 12:00:00')",
  );
  expect((await shop.run(T0 + 5 * MINUTE)).delivery).toMatchObject({ claims: 1, counts: { accepted: 1 } });
  expect(shop.recipients()).toEqual(["ada@example.com"]);
  await shop.carts(["eve"], 30);
  await shop.run(T0 + 24 * 60 * MINUTE);
  const told = (user: string): Promise<string[]> => shop.story(`user_id = '${user}' and event not in ('claimed', 'sending')`);
  expect(await told("ada")).toEqual(["ada failed rejected", "ada released retry", "ada accepted accepted"]);
  expect(await told("bob")).toEqual(["bob failed rejected", "bob released retry", "bob left left"]);
  expect(await told("eve")).toEqual(["eve failed rejected", "eve released retry", "eve left left", "eve settled expired"]);
  expect(await told("kim")).toEqual(["kim failed rejected", "kim released retry", "kim denied suppressed"]);
  expect(await idsOf(shop)).toEqual(ids);
  expect(await explain("ada")).toMatch(/refused by the provider: .*\n.*offered again after a fix\n.*will be sent\n/);
}
