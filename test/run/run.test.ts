/** Whole runs against a real DuckDB file and a sandbox that is as strict as SendGrid. */
import { expect, it } from "vitest";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

it("a first run is baseline, then whoever newly qualifies hears once, with message and run id in the mail", async () => {
  const shop = await Shop.open();
  await shop.carts(["old1", "old2"], 60);
  const first = await shop.run(T0);
  expect(first).toMatchObject({
    asOf: "2026-03-02T12:00:00Z",
    problems: [],
    recovered: { released: 0, inDoubt: 0 },
    delivery: { counts: { accepted: 0 } },
    decisions: { segments: [{ reasons: { baseline: 2 } }] },
  });
  expect(shop.mails()).toEqual([]);

  await shop.carts(["ada", "bob"], -1);
  expect((await shop.run(T0 + 5 * MINUTE)).delivery?.claims).toBe(0);
  const third = await shop.run(T0 + 11 * MINUTE);
  expect(third).toMatchObject({
    problems: [],
    delivery: { claims: 2, counts: { accepted: 2 }, posts: 2 },
    decisions: { segments: [{ reasons: { claimed: 2 } }] },
  });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com"]);
  const ids = new Map(
    (await shop.rows("select user_id, message_id from opportune.sent_ledger where event = 'claimed'")).map((row) => [row["user_id"], row["message_id"]]),
  );
  for (const { personalizations, subject } of shop.mails()) {
    const user = personalizations[0]?.to[0]?.email.split("@")[0] ?? "";
    expect(subject).toBe(`${user.toUpperCase()}, your cart of 20`);
    expect(Object.values(personalizations[0]?.custom_args ?? {})).toEqual(expect.arrayContaining([ids.get(user), third.runId]));
    expect(JSON.stringify(personalizations[0]?.custom_args)).not.toContain(user);
  }
  expect(await shop.rows("select count(*) as n, count(provider_id) as answered from opportune.sent_ledger where event = 'accepted'")).toEqual([
    { n: 2, answered: 2 },
  ]);

  const fourth = await shop.run(T0 + 12 * MINUTE);
  expect(fourth).toMatchObject({ delivery: { claims: 0, posts: 0 }, decisions: { changed: 0 } });
  expect(shop.sandbox.stats().requests).toBe(2);
  expect(await shop.rows("select status, claimed, accepted, failed, in_doubt, released, error from opportune.runs order by as_of")).toMatchObject([
    { claimed: 0 },
    { claimed: 0 },
    { status: "success", claimed: 2, accepted: 2, failed: 0, in_doubt: 0, released: 0, error: null },
    { claimed: 0 },
  ]);
});

it("writes claimed, then sending, then accepted, for each message", async () => {
  const shop = await Shop.sending(["ada", "bob", "eve"]);
  await shop.run(T0);
  for (const user of ["ada", "bob", "eve"])
    expect(await shop.story(`user_id = '${user}'`)).toEqual([`${user} claimed claimed`, `${user} sending sending`, `${user} accepted accepted`]);
  expect(await shop.rows("select count(distinct run_id) as runs, count(distinct seq) as seqs, count(*) as n from opportune.sent_ledger")).toEqual([
    { runs: 1, seqs: 9, n: 9 },
  ]);
});

it("a refused key stops the channel and pauses it: its claims go back, the run has failed, and the first after the pause sends them", async () => {
  const shop = await Shop.sending(["ada", "bob", "eve"], { apiKey: "SG.another-key" });
  const refused = await shop.run(T0);
  expect(refused.problems).toMatchObject([{ code: "delivery/channel-stopped", message: expect.stringContaining("Channel email was refused") as string }]);
  expect(refused.delivery).toMatchObject({ ok: false, posts: 1, counts: { accepted: 0, released: { channel_stopped: 3 } } });
  expect(await shop.rows("select status, released, error is not null as told from opportune.runs")).toEqual([{ status: "error", released: 3, told: true }]);
  expect(JSON.stringify(await shop.dump())).not.toContain("SG.");
  shop.edit("opportune.yml", "SG.test-key", "SG.another-key");
  const paused = await shop.run(T0 + 59 * MINUTE);
  expect(paused).toMatchObject({
    problems: [{ code: "delivery/channel-paused" }],
    delivery: { claims: 0 },
    decisions: { segments: [{ reasons: { paused: 3 } }] },
  });
  expect((await shop.run(T0 + 60 * MINUTE)).delivery).toMatchObject({ ok: true, counts: { accepted: 3 } });
  expect(shop.recipients()).toEqual(["ada@example.com", "bob@example.com", "eve@example.com"]);
});

it("an answer of 400 settles its own message alone, without the address in the ledger's reason", async () => {
  const shop = await Shop.sending(["ada", "bob", "eve"]);
  shop.sandbox.setFaults([{ status: 400, count: 1 }]);
  const result = await shop.run(T0);
  expect(result).toMatchObject({ problems: [], delivery: { ok: true, counts: { accepted: 2, failed: { rejected: 1 } } } });
  const [failed] = await shop.rows("select user_id, reason, detail, settles, counts from opportune.sent_ledger where event = 'failed'");
  expect(failed).toMatchObject({ reason: "rejected", settles: 0, counts: -1 });
  expect(String(failed?.["detail"])).not.toContain("@example.com");
  expect((await shop.run(T0 + MINUTE)).delivery).toMatchObject({ claims: 0 });
  expect(shop.recipients()).toHaveLength(2);
});

it("what can't be rendered fails as invalid after its claim, the others go out", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  shop.edit(
    "segments/cart.sql",
    "name, total",
    "case when user_id = 'ada' then 'javascript:alert(1)' else 'https://shop.example.com/' end as link, name, total",
  );
  shop.edit("templates/cart.hbs", "https://shop.example.com/?u={{user_id}}", "{{link}}");
  const dry = await shop.run(T0, { dryRun: true });
  expect(Object.values(dry.unrenderable)).toEqual([1]);
  const result = await shop.run(T0);
  expect(result).toMatchObject({ problems: [], delivery: { claims: 2, posts: 1, counts: { accepted: 1, failed: { invalid: 1 } } } });
  expect(await shop.story("user_id = 'ada'")).toEqual(["ada claimed claimed", "ada failed invalid"]);
  expect(shop.recipients()).toEqual(["bob@example.com"]);
});

it("a segment each of whose messages is invalid fails the run, with its name, the count and the first reason", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  shop.edit("segments/cart.sql", "name, total", "'javascript:alert(1)' as link, name, total");
  shop.edit("templates/cart.hbs", "https://shop.example.com/?u={{user_id}}", "{{link}}");
  const result = await shop.run(T0);
  expect(result.delivery).toMatchObject({ posts: 0, counts: { accepted: 0, failed: { invalid: 2 } } });
  expect(result.problems).toEqual([
    {
      code: "delivery/segment-invalid",
      message: expect.stringMatching(
        /^Segment cart: each of its 2 messages is invalid, and none went out\. The first reason: templates\/cart\.hbs:5:\d+: .*javascript/,
      ) as string,
      hint: "Mend the template or the rows, then `opportune retry --all --reason invalid --segment cart` offers them again.",
    },
  ]);
  expect(await shop.rows("select status, error like 'Segment cart: each%' as told from opportune.runs")).toEqual([{ status: "error", told: true }]);
});

it("odd values arrive in a valid mail, and what a number can't be stops nobody", async () => {
  const shop = await Shop.sending(["ada", "bob"]);
  await shop.execute("alter table carts alter column total type double");
  await shop.execute("update carts set total = 'nan'::double where user_id = 'bob'");
  await shop.warehouse((warehouse) =>
    warehouse.execute({ sql: "update carts set name = $1 where user_id = 'ada'", params: [`O'Brien "<b>" ü 漢 🙂\r\nBcc: eve@example.com`] }),
  );
  const result = await shop.run(T0);
  expect(result.delivery).toMatchObject({ claims: 2, counts: { accepted: 1, failed: { invalid: 1 } } });
  expect(result.delivery?.reasons.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^templates\/cart\.hbs:\d+:\d+: "total" is NaN \(not a number\) or infinite$/),
  ]);
  const [mail] = shop.mails();
  expect(mail?.subject).toMatch(/^O'Brien "<b>" ü 漢 🙂 +Bcc: eve@example\.com, your cart of 20$/);
  expect(mail?.content.find(({ type }) => type === "text/html")?.value).toContain("&lt;b&gt;");
  expect(shop.recipients()).toEqual(["ada@example.com"]);
});

it("opens no channel where there is nothing to send: a key that is none fails with the first message", async () => {
  const shop = await Shop.open();
  shop.edit("opportune.yml", "sandbox: true, api_key: SG.test-key, ", "api_key: SG.käy, ");
  shop.edit("opportune.yml", "live: false", "live: true");
  shop.edit("segments/cart.sql", "status: live", "status: live\nfirst_run: send");
  expect((await shop.run(T0)).delivery).toMatchObject({ claims: 0, ok: true });
  await shop.carts(["ada"], 30);
  await expect(shop.run(T0 + MINUTE)).rejects.toMatchObject({ problems: [{ code: "delivery/no-key" }] });
});
