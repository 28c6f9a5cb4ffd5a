/**
 * Whole runs, decided in DuckDB and kept in its ledger, against a receiver that breaks exchanges
 * off: none twice, none lost.
 */
import { expect, it, onTestFinished } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { loadProject } from "../../src/project/build/load.js";
import { run } from "../../src/run/run.js";
import { openWarehouse } from "../../src/warehouse/open.js";
import { temporaryFolder, write } from "../commands/support.js";
import { ANSWERS, GOOD } from "../delivery/answers.js";
import { headersEnd, moveOf } from "../delivery/exchange.js";
import { Receiver, type Move } from "../delivery/receiver.js";
import { QUIET_RUN } from "../support/quiet-run.js";

const T0 = Date.parse("2026-03-02T12:00:00Z");
/** Longer than a channel that stopped is paused. */
const BETWEEN_RUNS = 61 * 60_000;
const ACCEPTED: Move = { answer: GOOD, ending: "open" };

/**
 * Each answer cut around its headers' end, in its body and behind it; hung where its status is
 * known and where it isn't.
 */
function moves(): Move[] {
  return Object.values(ANSWERS).flatMap((answer) => {
    const { length } = answer.bytes;
    const end = Math.min(headersEnd(answer), length);
    const cuts = [0, 12, end - 1, end, Math.floor((end + length) / 2), length - 1, length].flatMap((sent) => [
      moveOf(answer, sent, "fin"),
      moveOf(answer, sent, "rst"),
    ]);
    return [...cuts, moveOf(answer, end - 1, "hang"), moveOf(answer, Math.min(end, length - 1), "hang")];
  });
}

it("runs until nothing is left to send", async () => {
  const broken = moves();
  // Every third exchange breaks off: more failures in a row would stop the channel.
  const receiver = await Receiver.open((exchange) => (exchange % 3 === 0 ? (broken[exchange / 3 - 1] ?? ACCEPTED) : ACCEPTED));
  onTestFinished(() => receiver.close());
  const users = broken.length * 3;
  const root = temporaryFolder();
  write(root, {
    "opportune.yml": `name: shop
targets:
  dev: {type: duckdb, path: shop.duckdb, threads: 2, live: true}
channels:
  email: {provider: sendgrid, api_key: SG.test-key, endpoint: "http://127.0.0.1:${receiver.port}", from: "Shop <shop@example.com>", rate: 100000, timeout: 1 second}
sources:
  carts: carts
policy:
  max_per_run: 100000
  surge: false
`,
    "segments/cart.sql":
      '/*---\nstatus: live\nfirst_run: send\nsteps:\n  - {name: nudge, after: 10 minutes, within: 60 days, channel: email, template: cart}\n---*/\nselect user_id, email, occurred_at from {{source "carts"}}\n',
    "templates/cart.hbs": "---\nsubject: Your cart\nlayout: none\n---\n<p>Your cart waits.</p>\n",
  });
  const project = loadProject(root, { env: {} });
  const warehouse = await openWarehouse(project.target.connection, { root });
  onTestFinished(() => warehouse.close());
  await installLedger(new Ledger(warehouse, "opportune"));
  await warehouse.execute({
    sql: `create table carts as select 'u' || i as user_id, 'u' || i || '@example.com' as email, timestamp '2026-03-02 11:30:00' as occurred_at from generate_series(1, ${users}) as t(i)`,
    params: [],
  });

  let runs = 0;
  for (let claims = 1; claims > 0; runs += 1) {
    expect(runs).toBeLessThan(200);
    const begun = Date.now();
    const at = T0 + runs * BETWEEN_RUNS;
    const result = await run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => at + Date.now() - begun });
    claims = result.delivery?.claims ?? 0;
  }

  // One row a claim: those that were released have a later one, or are lost.
  const rows = await warehouse.query({ sql: "select message_id, status from opportune.messages where status <> 'released'", params: [] });
  const statuses = new Map(rows.map((row) => [String(row["message_id"]), String(row["status"])]));
  const count = (status: string): number => [...statuses.values()].filter((one) => one === status).length;
  const doubles = [...receiver.taken].filter(([, times]) => times > 1);
  const lost = [...statuses].filter(
    ([id, status]) => (status === "accepted" && !receiver.taken.has(id)) || !["accepted", "failed", "in_doubt"].includes(status),
  );
  const [accepted, failed, inDoubt] = ["accepted", "failed", "in_doubt"].map(count);
  console.info(
    `${users} messages, ${broken.length} broken exchanges, ${runs} runs, ${receiver.exchanges} requests: ${accepted} accepted, ${failed} failed, ${inDoubt} in doubt; ` +
      `${doubles.length} twice, ${lost.length} lost`,
  );
  expect({ doubles, lost, claims: rows.length, messages: statuses.size }).toEqual({ doubles: [], lost: [], claims: users, messages: users });
  expect(receiver.exchanges).toBeGreaterThan(users);
});
