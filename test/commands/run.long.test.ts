import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAsOf } from "../../src/commands/shared/as-of.js";
import { OpportuneError } from "../../src/core/errors.js";
import { startSandbox } from "../../src/server/sandbox/sandbox.js";
import { edit, opportune, query, read, shop, start } from "./support.js";

const NOON = Date.parse("2026-03-02T12:00:00Z");
const EVENTS = "select segment, event, reason, count(*)::int as n from opportune.sent_ledger group by all order by all";

describe.concurrent("run", () => {
  it("decides, delivers, records, and tells the story in dbt's manner", async () => {
    const root = await shop();
    const outcome = await opportune(root, ["run"]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr).toMatch(/^1 of 1 START audience ordered \.+ \[RUN\]\n1 of 1 OK audience ordered 1 row \.+ \[OK in \d+\.\d\ds\]\n/);
    expect(outcome.stderr).toMatch(/2 of 2 OK segment cart_waiting 2 rows \.+ \[OK in/);
    expect(outcome.stdout).toMatch(
      /^\nsegment +rows +messages +claimed +silent, because\ncart_abandoned +6 +6 +5 +1 converted\ncart_waiting +2 +2 +0 +2 outranked\nall +8 +8 +5 +2 outranked, 1 converted\n/,
    );
    expect(outcome.stdout).toMatch(/Delivery: 5 accepted, 0 failed, 0 in doubt, 0 released; 5 requests/);
    expect(outcome.stdout).toMatch(/\nDone\. OK=2 ERROR=0 TOTAL=2 CLAIMED=5 HELD_OUT=0 ACCEPTED=5 CHANGED=8 in /);
    expect(await query(root, EVENTS)).toEqual([
      { segment: "cart_abandoned", event: "accepted", reason: "accepted", n: 5 },
      { segment: "cart_abandoned", event: "claimed", reason: "claimed", n: 5 },
      { segment: "cart_abandoned", event: "denied", reason: "converted", n: 1 },
      { segment: "cart_abandoned", event: "sending", reason: "sending", n: 5 },
      { segment: "cart_waiting", event: "waiting", reason: "outranked", n: 2 },
    ]);
    const results = JSON.parse(read(root, "target/opportune/run_results.json")) as unknown;
    expect(results).toMatchObject({
      schema_version: 1,
      status: "success",
      dry_run: false,
      delivery: { accepted: 5 },
      segments: [{ segment: "cart_abandoned", returned: 6, decisions: { claimed: 5, converted: 1 } }, { segment: "cart_waiting" }],
    });
    expect(JSON.parse(read(root, "target/opportune/manifest.json"))).toMatchObject({
      schema_version: 1,
      project: "shop",
      selected: ["cart_abandoned", "cart_waiting"],
    });
    const again = await opportune(root, ["run", "--output", "json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({
      status: "success",
      delivery: { accepted: 2 },
      segments: [
        { segment: "cart_abandoned", dropped: { same_occurrence: 5 } },
        { segment: "cart_waiting", decisions: { claimed: 2 } },
      ],
    });
  });

  it("leaves the ledger as it was in a dry run, and lets drafts take part in it", async () => {
    const root = await shop();
    const outcome = await opportune(root, ["run", "--dry-run", "--quiet"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toContain("Dry run: 5 messages would be sent");
    expect(outcome.stdout).toMatch(/win_back +6/);
    expect(await query(root, EVENTS)).toEqual([]);
    expect(existsSync(join(root, "target/opportune/outbox"))).toBe(false);
    const draft = await opportune(root, ["run", "--select", "win_back"]);
    expect(draft).toMatchObject({
      code: 2,
      stderr: "Segment win_back is a draft.\n    Drafts take part with --dry-run only. Set `status: live` in its file to send.\n",
    });
  });

  it("says that unselected segments do not compete", async () => {
    const root = await shop();
    const outcome = await opportune(root, ["run", "--select", "cart_waiting"]);
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain("Not selected, so they do not compete in this run: cart_abandoned.");
    expect(outcome.stdout).toMatch(/cart_waiting +2 +2 +2\n/);
  });

  it("says loudly that max_per_run is reached, and which zones are unknown and rows dropped", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "max_per_run: 100", "max_per_run: 2");
    edit(
      root,
      "segments/cart_abandoned.sql",
      "select user_id, email, timezone,",
      "select case when user_id <> 'u5' then user_id end as user_id, email, 'Mars/' || 'Base' as timezone,",
    );
    const outcome = await opportune(root, ["run"]);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toContain("RUN LIMIT: 2 candidates had no place left under max_per_run (2 for the project).");
    expect(outcome.stdout).toContain('Unknown time zones, the project\'s was used: "Mars/Base".');
    expect(outcome.stdout).toContain("cart_abandoned: rows dropped: 1 null_user.");
    expect(outcome.stdout).toMatch(/Delivery: 2 accepted/);
  });

  it("lets a segment whose SQL fails fail alone, at its own line, exit 1", async () => {
    const root = await shop();
    edit(root, "segments/cart_waiting.sql", "updated_at as occurred_at", "updatd_at as occurred_at");
    const outcome = await opportune(root, ["run"]);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/2 of 2 ERROR segment cart_waiting \.+ \[ERROR in/);
    expect(outcome.stderr).toMatch(/\n    segments\/cart_waiting\.sql:10: .*"updatd_at"/);
    expect(outcome.stdout).toMatch(/Delivery: 5 accepted/);
    expect(outcome.stdout).toMatch(/Done, with errors\. OK=1 ERROR=1 TOTAL=2/);
    expect(JSON.parse(read(root, "target/opportune/run_results.json"))).toMatchObject({
      status: "error",
      problems: [{ file: "segments/cart_waiting.sql", line: 10 }],
    });
  });

  it("holds the segments of a failed audience, exit 1", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "orders: orders", "orders: no_such_table");
    const outcome = await opportune(root, ["run"]);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/1 of 1 ERROR audience ordered/);
    expect(outcome.stdout).toContain("Audience ordered failed: the segments that use it wait.");
    expect(outcome.stdout).toMatch(
      /segment +rows +messages +claimed +silent, because\ncart_abandoned +6 +6 +0 +6 audience_failed\ncart_waiting +2 +2 +2\nall +8 +8 +2 +6 audience_failed\n/,
    );
  });

  it("stops the channel that the provider refuses, and releases its claims, exit 1", async () => {
    const sandbox = await startSandbox({ port: 0, apiKey: "SG.right" });
    try {
      const root = await shop();
      edit(root, "opportune.yml", "{provider: outbox,", `{provider: sendgrid, sandbox: true, in_flight: 1, endpoint: "${sandbox.url}", api_key: "\${KEY}",`);
      const refused = await opportune(root, ["run"], { KEY: "SG.wrong-and-long-enough" });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/Channel email was refused by its provider and stopped: .*401/);
      expect(refused.stdout + refused.stderr).not.toContain("SG.wrong");
      expect(refused.stdout).toMatch(/5 released \(\d+ channel_stopped\)/);
      expect(refused.stderr).toMatch(/It is paused until .*Z; `opportune resume --channel email` ends that\./);
      expect((await opportune(root, ["debug"], { KEY: "SG.right" })).stdout).toMatch(/paused +channel email \(breaker, until .*Z: HTTP 401/);
      const waiting = await opportune(root, ["run"], { KEY: "SG.right" });
      expect(waiting.code).toBe(1);
      expect(waiting.stderr).toMatch(
        /Channel email stopped in an earlier run and is paused until .*Z: 7 messages wait\. It stopped because of this: HTTP 401: .*\n.*`opportune resume --channel email` ends the pause/,
      );
      expect((await opportune(root, ["pause", "--channel", "email"], { KEY: "SG.right" })).code).toBe(0);
      expect((await opportune(root, ["run"], { KEY: "SG.right" })).code).toBe(0);
      expect((await opportune(root, ["resume", "--channel", "email"], { KEY: "SG.right" })).code).toBe(0);
      const right = await opportune(root, ["run", "--output", "json"], { KEY: "SG.right" });
      expect(JSON.parse(right.stdout)).toMatchObject({ status: "success", delivery: { accepted: 5 } });
      expect(sandbox.messages()).toHaveLength(5);
    } finally {
      await sandbox.close();
    }
  });

  it("finishes what is under way on SIGTERM and releases the rest, exit 1", async () => {
    const sandbox = await startSandbox({ port: 0 });
    // Soon enough that the run waits for it, until it is told to stop.
    sandbox.setFaults([{ status: 429, resetInSeconds: 60 }]);
    try {
      const root = await shop();
      edit(root, "opportune.yml", "{provider: outbox,", `{provider: sendgrid, sandbox: true, endpoint: "${sandbox.url}", api_key: SG.sandbox,`);
      const running = start(root, ["run"]);
      await running.seen(/OK decisions/);
      running.child.kill("SIGTERM");
      const outcome = await running.done;
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).toContain("Stopping: what is under way is finished, the rest is released.");
      expect(outcome.stdout).toContain("5 released");
      expect(await query(root, "select status from opportune.runs")).toEqual([{ status: "success" }]);
      sandbox.setFaults([]);
      const next = await opportune(root, ["run", "--output", "json"]);
      expect(JSON.parse(next.stdout)).toMatchObject({ delivery: { accepted: 5 }, recovered: { released: 0, in_doubt: 0 } });
    } finally {
      await sandbox.close();
    }
  });

  it.each([
    [["--backfill", "win_back"], "Segment win_back can't be backfilled: it is a draft."],
    [["--backfill", "cart_waitin"], 'Did you mean "cart_waiting"?'],
    [["--backfill", "cart_waiting", "--select", "cart_abandoned"], "it is not selected."],
  ])("refuses %j, exit 2", async (args, message) => {
    const outcome = await opportune(await shop(), ["run", ...args]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toContain(message);
  });

  it.each(["2026-02-30", "2026-03-02T12:00:00", "yesterday", "2999-01-01"])("refuses --as-of %s, exit 2", (text) => {
    expect(() => parseAsOf(text, NOON, false)).toThrow(OpportuneError);
    if (!text.startsWith("2999")) expect(() => parseAsOf(text, NOON, true)).toThrow(OpportuneError);
  });

  it.each([
    ["2026-03-02", "2026-03-02T00:00:00Z"],
    ["2026-03-02T13:00:00+01:00", "2026-03-02T12:00:00Z"],
    ["2026-03-02T12:00:00.250Z", "2026-03-02T12:00:00.250Z"],
  ])("reads --as-of %s as %s", (text, expected) => {
    expect(parseAsOf(text, NOON + 1000, false)).toBe(expected);
  });

  it("replays to the outbox with --as-of, and refuses to go back behind the last run", async () => {
    const root = await shop();
    const asOf = new Date(Date.now() - 60_000).toISOString();
    const outcome = await opportune(root, ["run", "--output", "json", "--as-of", asOf]);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ as_of: asOf.replace(".000Z", "Z"), delivery: { accepted: 5 } });
    const back = await opportune(root, ["run", "--as-of", "2026-01-01"]);
    expect(back.code).toBe(1);
    expect(back.stderr).toContain("this one would be as of 2026-01-01T00:00:00Z, earlier than that.");
  });

  it("looks ahead with --dry-run --as-of, says so, and leaves the ledger as it was", async () => {
    const root = await shop();
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    const outcome = await opportune(root, ["run", "--dry-run", "--as-of", tomorrow]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout).toContain(`It looks ahead to ${tomorrow}: what will be known by then, new rows, orders and opt-outs, is not in it.`);
    expect(await query(root, "select count(*)::int as n from opportune.runs")).toEqual([{ n: 0 }]);
    const real = await opportune(root, ["run", "--as-of", tomorrow]);
    expect(real).toMatchObject({ code: 2, stdout: "" });
    expect(real.stderr).toContain(`--as-of ${tomorrow} is in the future`);
  });

  it("backfills those who were baseline", async () => {
    const root = await shop();
    edit(root, "segments/cart_abandoned.sql", "first_run: send\n", "");
    edit(root, "segments/cart_abandoned.sql", "after: 10 minutes", "after: 0 minutes");
    const first = await opportune(root, ["run", "--select", "cart_abandoned", "--output", "json"]);
    expect(JSON.parse(first.stdout)).toMatchObject({ segments: [{ decisions: { baseline: 6 } }] });
    const second = await opportune(root, ["run", "--select", "cart_abandoned", "--backfill", "cart_abandoned", "--output", "json"]);
    expect(JSON.parse(second.stdout)).toMatchObject({ segments: [{ decisions: { claimed: 5, converted: 1 } }], delivery: { accepted: 5 } });
  });
});
