import { describe, expect, it } from "vitest";
import { LEDGER_FILES } from "../ledger/support.js";
import { edit, opportune, query, shop, start, temporaryFolder } from "./support.js";

describe.concurrent("pause and resume", () => {
  it("hold a segment, a channel or everything, and say from when", async () => {
    const root = await shop();
    const paused = await opportune(root, ["pause", "cart_abandoned"]);
    expect(paused).toMatchObject({ code: 0, stderr: "" });
    expect(paused.stdout).toContain("Segment cart_abandoned is paused from the next run on, and from the next batch of one that is under way");
    expect((await opportune(root, ["pause", "cart_abandoned"])).stdout).toBe("Segment cart_abandoned was paused already.\n");
    const run = await opportune(root, ["run", "--output", "json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({ segments: [{ decisions: { paused: 5 } }, { decisions: { claimed: 2 } }] });
    await opportune(root, ["resume", "cart_abandoned"]);
    await opportune(root, ["pause", "--channel", "email"]);
    const all = await opportune(root, ["pause", "--all"]);
    expect(all.stdout).toContain("Everything on target dev is paused");
    expect(await query(root, "select scope, name, paused from opportune.pauses order by seq")).toEqual([
      { scope: "segment", name: "cart_abandoned", paused: true },
      { scope: "segment", name: "cart_abandoned", paused: false },
      { scope: "channel", name: "email", paused: true },
      { scope: "project", name: "", paused: true },
    ]);
    expect((await opportune(root, ["debug"])).stdout).toMatch(/OK +paused +channel email, everything;|OK +paused +everything, channel email;/);
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
    const [, url = ""] = await running.seen(/takes mail at (http:\/\/127\.0\.0\.1:\d+)[\s\S]*Ctrl-C/);
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
