import { describe, expect, it } from "vitest";
import { LEDGER_FILES } from "../ledger/support.js";
import { edit, opportune, query, shop, start, temporaryFolder } from "./support.js";

describe.concurrent("pause and resume", () => {
  it("hold a segment, a channel or everything, and say from when", async () => {
    const root = await shop();
    const paused = await opportune(root, ["pause", "cart_abandoned"]);
    expect(paused).toMatchObject({ code: 0, stderr: "" });
    expect(paused.stdout).toContain("Segment cart_abandoned is paused from the next run on, and from the next batch of one that is under way");
    expect((await opportune(root, ["pause", "cart_abandoned"])).stdout).toBe(
      "Segment cart_abandoned was paused already.\nTarget dev is not live: this holds for trials alone.\n",
    );
    const run = await opportune(root, ["run", "--output", "json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({ segments: [{ decisions: { paused: 5 } }, { decisions: { claimed: 2 } }] });
    await opportune(root, ["resume", "cart_abandoned"]);
    await opportune(root, ["pause", "--channel", "email"]);
    const all = await opportune(root, ["pause", "--all"]);
    expect(all.stdout).toContain("Everything on target dev is paused");
    expect(await query(root, "select scope, name, paused from opportune.pauses order by seq")).toEqual([
      { scope: "segment", name: "cart_abandoned", paused: true },
      // Of an operator, and of a breaker.
      { scope: "segment", name: "cart_abandoned", paused: false },
      { scope: "segment", name: "cart_abandoned", paused: false },
      { scope: "channel", name: "email", paused: true },
      { scope: "project", name: "", paused: true },
    ]);
    expect((await opportune(root, ["debug"])).stdout).toMatch(/OK +paused +channel email, everything;|OK +paused +everything, channel email;/);
  });

  it("end by themselves where they say until when, and the note is shown by ls, explain and runs", async () => {
    const root = await shop();
    const paused = await opportune(root, ["pause", "cart_abandoned", "--until", "2 hours", "--note", "the price is wrong"]);
    expect(paused.stdout).toMatch(/are decided again from \d{4}-\d\d-\d\dT\S+Z on, or after `opportune resume`\./);
    const words = /segment cart_abandoned \(until \S+Z: the price is wrong\)/;
    expect((await opportune(root, ["pause", "cart_abandoned"])).stdout).toMatch(
      /^Segment cart_abandoned \(until \S+Z: the price is wrong\) was paused already\./,
    );
    expect((await opportune(root, ["run"])).stdout).toMatch(words);
    expect((await opportune(root, ["ls"])).stdout).toMatch(words);
    const listed = JSON.parse((await opportune(root, ["ls", "--output", "json"])).stdout) as { pauses: unknown[] };
    expect(listed.pauses).toMatchObject([{ scope: "segment", name: "cart_abandoned", kind: "operator", note: "the price is wrong" }]);
    const [user] = await query(root, "select user_id from opportune.sent_ledger where reason = 'paused' limit 1");
    expect((await opportune(root, ["explain", String(user?.["user_id"])])).stdout).toMatch(words);
    expect(await opportune(root, ["pause", "--all", "--until", "2020-01-01"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--until 2020-01-01 is over/) as string,
    });
    expect(await opportune(root, ["pause", "--all", "--until", "noon"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--until can't be "noon"/) as string,
    });
  });

  it("have a note of one readable line: a blank or long one is refused, control characters are made visible", async () => {
    const root = await shop();
    const noted = (note: string) => opportune(root, ["pause", "--all", "--note", note]);
    expect(await noted(" \n")).toMatchObject({ code: 2, stderr: expect.stringMatching(/--note is blank\./) as string });
    expect(await noted("a".repeat(501))).toMatchObject({ code: 2, stderr: expect.stringMatching(/--note has 501 characters; allowed are 500\./) as string });
    expect((await noted("a\nb\u001b[31m")).code).toBe(0);
    for (const command of ["ls", "debug"]) expect((await opportune(root, [command])).stdout).toContain("everything (a\\nb\\x1b[31m)");
  });

  it("of an operator and of a breaker stand beside each other, and resume ends both", async () => {
    const root = await shop();
    await opportune(root, ["pause", "--channel", "email"]);
    await query(
      root,
      "insert into opportune.pauses (scope, name, kind, paused, until, note, recorded_at, seq, trial) values ('channel', 'email', 'breaker', true, timestamp '2999-01-01', '503', timestamp '2026-01-01', 99, true)",
    );
    expect((await opportune(root, ["ls"])).stdout).toMatch(
      /channel email, channel email \(breaker, until 2999-01-01T00:00:00Z: 503\)|channel email \(breaker, until 2999-01-01T00:00:00Z: 503\), channel email;/,
    );
    await query(root, "update opportune.leases set fence = 100 where name = 'pauses'");
    expect((await opportune(root, ["resume", "--channel", "email"])).stdout).toContain(
      "Its breaker had paused it, and does so again if the channel still fails.",
    );
    expect((await opportune(root, ["ls"])).stdout).not.toMatch(/Paused/);
    expect((await opportune(root, ["resume", "--channel", "email"])).stdout).toContain("Channel email was not paused.");
  });

  it("refuse unknown names with the nearest, and more or less than one thing, exit 2", async () => {
    const root = await shop();
    expect(await opportune(root, ["pause", "cart_abandond"])).toEqual({
      code: 2,
      stdout: "",
      stderr: 'There is no segment "cart_abandond".\n    Did you mean "cart_abandoned"?\n',
    });
    expect(await opportune(root, ["resume", "--channel", "emial"])).toMatchObject({
      code: 2,
      stderr: 'There is no channel "emial".\n    Did you mean "email"?\n',
    });
    expect((await opportune(root, ["pause"])).stderr).toContain("Say what to pause: one segment, one --channel, or --all.");
    expect((await opportune(root, ["pause", "cart_abandoned", "--all"])).code).toBe(2);
  });
});

describe.concurrent("debug", () => {
  it("is well where all is well, and never shows a key", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "{provider: outbox,", '{provider: sendgrid, api_key: "${SENDGRID_API_KEY}",');
    edit(root, "opportune.yml", "targets:", 'targets:\n  prod: {type: duckdb, path: "${WAREHOUSE}"}');
    edit(root, "opportune.yml", "carts: carts", "carts: {table: carts, loaded_at: updated_at}");
    const outcome = await opportune(root, ["debug"], { SENDGRID_API_KEY: "SG.very-secret-key" });
    expect(outcome.code, outcome.stdout).toBe(0);
    expect(outcome.stdout).not.toContain("SG.very-secret");
    expect(outcome.stdout).toMatch(/OK +target dev +duckdb shop\.duckdb opens; not live/);
    expect(outcome.stdout).toMatch(/SKIP +target prod +.*WAREHOUSE/);
    expect(outcome.stdout).toMatch(/OK +ledger +schema opportune, version \d+/);
    expect(outcome.stdout).toMatch(/OK +source carts +carts is readable; newest data 1 hour/);
    expect(outcome.stdout).toMatch(/OK +lease +free/);
    expect(outcome.stdout).toMatch(/OK +channel email +sendgrid at https:\/\/api\.sendgrid\.com \(not live: to the outbox\), key present: yes/);
  });

  it("warns, as compile does, of opt-outs that hold nobody back", async () => {
    const root = await shop();
    await query(
      root,
      `insert into opportune.suppressions (channel, address, topic, reason, recorded_at) values
        ('Email', 'ada@example.com', null, 'bounce', timestamp '2026-03-02'), ('mail', 'ada@example.com', null, 'bounce', timestamp '2026-03-02'),
        ('email', 'nobody', null, 'bounce', timestamp '2026-03-02'), ('email', 'bob@example.com', 'basket', 'unsubscribe', timestamp '2026-03-02')`,
    );
    await query(
      root,
      `insert into opportune.preferences (user_id, channel, topic, opted_in, recorded_at, seq) values
        ('u1', ' EMAIL ', 'Carts', false, timestamp '2026-03-02', 1), ('u2', null, 'basket', false, timestamp '2026-03-02', 2), ('u3', null, 'basket', false, timestamp '2026-03-02', 3), ('  ', null, null, false, timestamp '2026-03-02', 4)`,
    );
    const problems = [
      '2 rows of preferences name the topic "basket", which no segment has: they hold nobody back.',
      "1 row of preferences can match nobody: the user id is blank or longer than 512 bytes.",
      "1 row of suppressions can match nobody: the address is blank or none of its channel.",
      '1 row of suppressions names the channel "mail", which the project doesn\'t have: they hold nobody back.',
      '1 row of suppressions names the topic "basket", which no segment has: they hold nobody back.',
    ];
    const debug = await opportune(root, ["debug"]);
    expect(debug.code, debug.stdout).toBe(0);
    expect([...debug.stdout.matchAll(/^WARN +opt-outs +(.*)$/gm)].map(([, text]) => text)).toEqual(problems);
    expect(debug.stdout).toContain("All works, with 5 warnings.");
    const compiled = await opportune(root, ["compile"]);
    for (const problem of problems) expect(compiled.stderr).toContain(`warning: ${problem}`);
  });

  it("names the way out of everything that fails, exit 1", async () => {
    const root = await shop({ ledger: false });
    edit(root, "opportune.yml", "orders: orders", "orders: ordrs");
    const outcome = await opportune(root, ["debug"]);
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toMatch(/FAIL +ledger +there is none in schema opportune\n +Run `opportune ledger install`\./);
    expect(outcome.stdout).toMatch(/FAIL +source orders +ordrs can't be read: /);
    expect(outcome.stdout).toContain("2 of 7 checks failed.");
    const nowhere = await opportune(temporaryFolder(), ["debug", "--output", "json"]);
    expect(nowhere.code).toBe(1);
    expect(JSON.parse(nowhere.stdout)).toMatchObject({
      checks: [
        { state: "OK", name: "versions" },
        { state: "FAIL", name: "project" },
      ],
    });
  });
});

describe.concurrent("doubts and retry", () => {
  it("take ids or --all, and the filters that both levels of the command share", async () => {
    const root = await shop();
    const settled = await opportune(root, ["doubts", "settle", "--not-sent", "--all", "--segment", "cart_abandoned", "--output", "json"]);
    expect(settled.code, settled.stderr).toBe(0);
    expect(JSON.parse(settled.stdout)).toEqual({ schema_version: 1, verdict: "not_sent", changed: 0, message_ids: [], unchanged: [] });
    const id = "0cc175b9c0f1b6a831c399e269772661";
    expect(await opportune(root, ["retry", id, id])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0 messages offered again/) as string,
      stderr: `Not failed, or offered again already: ${id}\n`,
    });
  });
});

describe.concurrent("ledger", () => {
  it("installs once and says its version", async () => {
    const root = await shop({ ledger: false });
    const first = await opportune(root, ["ledger", "install"]);
    expect(first).toMatchObject({
      code: 0,
      stdout: `The ledger in schema opportune of target dev is now up to date (${LEDGER_FILES.join(", ")}): version ${String(LEDGER_FILES.length)}.\n`,
    });
    expect((await opportune(root, ["ledger", "install"])).stdout).toContain(`was up to date: version ${String(LEDGER_FILES.length)}.`);
    const status = await opportune(root, ["ledger", "status", "--output", "json"]);
    expect(JSON.parse(status.stdout)).toEqual({
      schema_version: 1,
      target: "dev",
      schema: "opportune",
      version: LEDGER_FILES.length,
      expected: LEDGER_FILES.length,
    });
  });
});

describe.concurrent("sandbox", () => {
  it("prints its URL and the channel, misbehaves as told, and ends on SIGTERM with exit 0", async () => {
    const running = start(temporaryFolder(), ["sandbox", "--port", "0", "--fault", '{"status":429,"resetInSeconds":2,"count":1}']);
    const [, url = ""] = await running.seen(/takes emails at (http:\/\/127\.0\.0\.1:\d+)[\s\S]*Ctrl-C/);
    const mail = {
      personalizations: [{ to: [{ email: "ada@example.com" }] }],
      from: { email: "shop@example.com" },
      subject: "Hello",
      content: [{ type: "text/plain", value: "Hello" }],
    };
    const send = (): Promise<Response> =>
      fetch(`${url}/v3/mail/send`, {
        method: "POST",
        headers: { authorization: "Bearer SG.sandbox", "content-type": "application/json" },
        body: JSON.stringify(mail),
      });
    const asked = Date.now() / 1000;
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("x-ratelimit-reset"))).toBeGreaterThan(asked);
    expect((await send()).status).toBe(202);
    running.child.kill("SIGTERM");
    const outcome = await running.done;
    expect(outcome).toMatchObject({ code: 0, stderr: "The sandbox took 1 of 2 messages.\n" });
    expect(outcome.stdout).toContain(`email: {provider: sendgrid, sandbox: true, endpoint: "${url}", api_key: SG.sandbox,`);
  });

  it("refuses a bad port or fault, exit 2", async () => {
    const folder = temporaryFolder();
    expect((await opportune(folder, ["sandbox", "--port", "70000"])).code).toBe(2);
    const fault = await opportune(folder, ["sandbox", "--fault", '{"staus":429}']);
    expect(fault).toMatchObject({ code: 2, stdout: "" });
    expect(fault.stderr).toContain("staus");
  });
});
