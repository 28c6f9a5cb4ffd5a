/** A run taken back, and clocks that differ. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { Ledger } from "../../src/ledger/ledger.js";
import { doubtsCommand } from "../../src/commands/doubts.js";
import { debugCommand } from "../../src/commands/debug/debug.js";
import { skewOf } from "../../src/core/clock.js";
import { wrongClock } from "../../src/delivery/providers/http/answer-date.js";
import { runHistory } from "../../src/ledger/runs/history.js";
import { pauses } from "../../src/ledger/pauses.js";
import { DAYS_400, forget, forgottenStory } from "../support/forgotten.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";
import { told } from "../support/terminal.js";

const LIVE = { target: "prod" } as const;

for (const on of ["duckdb", "postgres"] as const)
  it(`a run with a clock 400 days ahead, forgotten: the next is as if it had not been, and who heard is not written to again, on ${on}`, () =>
    forgottenStory(on));

it("of a run that was cut off, what was being handed over is in doubt, and what was not is released", async () => {
  const shop = await Shop.sending(["ada", "bob", "cy"]);
  const { runId } = await shop.run(T0, LIVE);
  await shop.execute("delete from opportune.sent_ledger where user_id in ('bob', 'cy') and event = 'accepted'");
  await shop.execute("delete from opportune.sent_ledger where user_id = 'cy' and event = 'sending'");
  await shop.execute("update opportune.runs set status = 'running', finished_at = null");
  const { stdout } = await forget(shop, runId, { output: "json" });
  expect(JSON.parse(stdout)).toMatchObject({ target: "prod", runs: [{ run_id: runId, trial: false, released: 1, voided: 0, left: 2 }] });
  expect((await shop.story(`run_id = 'forget_${runId}'`)).sort()).toEqual([
    "ada accepted kept",
    "ada claimed kept",
    "bob claimed kept",
    "bob in_doubt interrupted",
  ]);
  expect((await shop.story(`run_id = '${runId}' and reason = 'forgotten'`)).sort()).toEqual([
    "ada voided forgotten",
    "bob voided forgotten",
    "cy released forgotten",
  ]);
  expect((await told((terminal) => doubtsCommand(terminal, { projectDir: shop.root, color: false, ...LIVE }))).stdout).toMatch(/bob/);
  expect((await shop.run(T0 + MINUTE, LIVE)).delivery).toMatchObject({ claims: 1, counts: { accepted: 1 } });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "cy@example.com", "cy@example.com"]);
});

it("a run on which later ones built goes back with them alone, and the scheduler knows nothing of any", async () => {
  const shop = await Shop.sending(["ada"]);
  const first = await shop.run(T0, LIVE);
  const second = await shop.run(T0 + MINUTE, LIVE);
  const trial = await shop.run(T0 + 2 * MINUTE);
  await expect(forget(shop, first.runId)).rejects.toThrow(`a later run built on it, the latest is ${second.runId}`);
  const history = (): ReturnType<typeof runHistory> => shop.warehouse((warehouse) => runHistory(new Ledger(warehouse, "opportune"), false));
  expect(await history()).toMatchObject({ lastAsOf: T0 + MINUTE, lastSuccess: T0 + MINUTE });
  expect((await forget(shop, first.runId, { andLater: true })).stdout.match(/Run \S+/g)).toEqual([`Run ${second.runId},`, `Run ${first.runId},`]);
  expect(await history()).toEqual({ lastAsOf: null, lastSuccess: null, lastDecided: null, askedAt: new Map() });
  expect(await shop.rows("select run_id, status from opportune.runs where status <> 'forget' order by fence")).toMatchObject([
    { run_id: first.runId, status: "forgotten" },
    { run_id: second.runId, status: "forgotten" },
    { run_id: trial.runId, status: "success" },
  ]);
});

it("however many runs are taken back at once, each row has a number of its own, below those of the next run", async () => {
  const shop = await Shop.sending(["ada"]);
  const first = await shop.run(T0, LIVE);
  for (const minutes of [1, 2, 3]) await shop.run(T0 + minutes * MINUTE, LIVE);
  expect((await forget(shop, first.runId, { andLater: true })).stdout.match(/Run \S+/g)).toHaveLength(4);
  await shop.run(T0 + 4 * MINUTE, LIVE);
  expect(
    await shop.rows(
      `select l.event from opportune.sent_ledger l where l.reason in ('forgotten', 'kept') and l.seq >= (select 1000000000 * max(fence) from opportune.runs)`,
    ),
  ).toEqual([]);
});

it("a trial that is ahead is named as such, whatever live runs followed it", async () => {
  const shop = await Shop.sending(["ada"]);
  const ahead = await shop.run(T0 + DAYS_400);
  await shop.run(T0, LIVE);
  await expect(shop.run(T0 + MINUTE)).rejects.toMatchObject({
    message: expect.stringContaining(`The ledger knows a run as of ${ahead.asOf}`) as string,
    problems: [{ code: "run/as-of", hint: expect.stringContaining(`opportune ledger forget ${ahead.runId}`) as string }],
  });
});

it("a run is not taken back while one is under way", async () => {
  const shop = await Shop.sending(["ada"], { on: "postgres" });
  const { runId } = await shop.run(T0, LIVE);
  await shop.execute("update opportune.leases set holder = 'other', expires_at = now() + interval '1 minute' where name = 'run'");
  await expect(forget(shop, runId)).rejects.toThrow("Another run holds the ledger");
});

it("a run by a clock that differs from the warehouse's is refused before it writes, names both times, and debug tells", async () => {
  const shop = await Shop.sending(["ada"], { on: "postgres" });
  for (const apart of [DAYS_400, -2 * MINUTE]) {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + apart });
    onTestFinished(() => void vi.useRealTimers());
    const here = new Date().toISOString().slice(0, 16);
    await expect(shop.run(Date.now(), { ...LIVE, dryRun: apart < 0 })).rejects.toThrow(
      new RegExp(`^This machine's clock says ${here}\\S+Z, the warehouse's \\S+Z: they differ by (400 days|2 minutes|1 minute).*`),
    );
    expect((await told((terminal) => debugCommand(terminal, { projectDir: shop.root, color: false }))).stdout).toMatch(
      /FAIL +clock +This machine's clock says/,
    );
    vi.useRealTimers();
  }
  expect(await shop.rows("select run_id from opportune.runs")).toEqual([]);
  expect((await shop.run(T0, LIVE)).delivery?.counts.accepted).toBe(1);
  expect((await told((terminal) => debugCommand(terminal, { projectDir: shop.root, color: false }))).stdout).toMatch(
    /OK +clock +this machine's and the warehouse's agree/,
  );
});

it("the time that a question takes is no difference of clocks", () => {
  expect([skewOf(5_000, 1_000, 9_000), skewOf(5_000, 5_001, 9_000), skewOf(5_000, 1_000, 4_000)]).toEqual([0, 1, -1_000]);
  const at = Date.parse("2026-03-02T12:00:00Z");
  const dated = "Mon, 02 Mar 2026 12:00:00 GMT";
  // The header is cut to its second: a minute and less than a second ahead may be a minute.
  expect(wrongClock(dated, at + 60_999, at + 61_500)).toBeNull();
  expect(wrongClock(dated, at + 61_000, at + 61_500)).toMatch(/clock says 2026-03-02T12:01:01Z, the provider's 2026-03-02T12:00:00Z: they differ by 1 minute/);
  expect(wrongClock(dated, at - 90_000, at - 60_000)).toBeNull();
  expect(wrongClock(dated, at - 90_000, at - 60_001)).toMatch(/differ by 1 minute/);
  expect([wrongClock(undefined, at, at), wrongClock("soon", at, at)]).toEqual([null, null]);
});

/** Accepts every mail; its clock is ahead by `ahead.ms`. */
async function provider(): Promise<{ url: string; ahead: { ms: number }; taken: { count: number } }> {
  const ahead = { ms: 0 };
  const taken = { count: 0 };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      taken.count += 1;
      response.writeHead(202, { date: new Date(Date.now() + ahead.ms).toUTCString(), "content-length": "0" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, ahead, taken };
}

it("on DuckDB a provider whose answers are of another time stops its channel, the run fails, and taking it back ends the pause", async () => {
  const { url, ahead, taken } = await provider();
  ahead.ms = -DAYS_400;
  const shop = await Shop.sending(["ada", "bob", "cy"], { endpoint: url });
  const lied = await shop.run(T0, LIVE);
  expect(lied).toMatchObject({
    problems: [
      { code: "delivery/clock", hint: expect.stringMatching(/`opportune resume --target prod --channel email` .*`opportune ledger forget RUN`/) as string },
    ],
    delivery: { counts: { accepted: 1, released: { channel_stopped: 2 } } },
  });
  expect(lied.problems[0]?.hint).toContain("`opportune resume --target prod --channel email` ends that.");
  expect(lied.problems[0]?.message).toMatch(
    /found another clock at its provider and stopped: this machine's clock says \S+Z, the provider's \S+Z: they differ by (400|399) days/,
  );
  const standing = (): Promise<unknown[]> => shop.warehouse((warehouse) => pauses(new Ledger(warehouse, "opportune", () => T0), false));
  expect(await standing()).toMatchObject([{ scope: "channel", name: "email" }]);
  ahead.ms = 0;
  await forget(shop, lied.runId);
  expect(await standing()).toEqual([]);
  expect((await shop.run(T0 + MINUTE, LIVE)).delivery?.counts.accepted).toBe(2);
  expect(taken.count).toBe(3);
});
