import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { startSandbox } from "../../src/server/sandbox/sandbox.js";
import { edit, opportune, query, read, shop, write } from "./support.js";

/** Who may read a file or a folder, in octal. */
const modeOf = (root: string, file: string): string => (statSync(join(root, file)).mode & 0o777).toString(8);

describe.concurrent("explain", () => {
  it("tells each message and each silence with its numbers", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "max_per_run: 100", "max_per_run: 100\n  caps: [{max: 1, per: 48 hours}]");
    for (const expected of [0, 0]) expect((await opportune(root, ["run"])).code).toBe(expected);
    const sent = await opportune(root, ["explain", "u2"]);
    expect(sent.code, sent.stderr).toBe(0);
    expect(sent.stdout).toMatch(/^User u2: 5 events in 2 journeys\. Times are in Europe\/Berlin, where the user is\.\n/);
    expect(sent.stdout).toMatch(
      /\ncart_abandoned {2}behaviour of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n {2}nudge \(email\), due .* until .*\n {4}template cart \(version [0-9a-f]{12}\), subject: Your cart of \{\{total\}\}\n.* claimed +will be sent\n.* sending +handed to the provider\n.* accepted +accepted by the provider: its id there is outbox:/,
    );
    expect(sent.stdout).toMatch(/waiting +waits: a more important message went first: cart_abandoned nudge\n/);
    expect(sent.stdout).toMatch(/waiting +waits: the cap of 1 per 48 hours is full: 1 of 1 in 48 hours\n/);
    const converted = await opportune(root, ["explain", "u1", "--output", "json", "--segment", "cart_abandoned"]);
    expect(JSON.parse(converted.stdout)).toMatchObject({
      schema_version: 1,
      user_id: "u1",
      events: 1,
      journeys: [{ segment: "cart_abandoned", messages: [{ step: "nudge", events: [{ event: "denied", reason: "converted", detail: { goal: "ordered" } }] }] }],
    });
    const newest = await opportune(root, ["explain", "u2", "--limit", "1"]);
    expect(newest.stdout).toMatch(/^User u2: 5 events in 1 journey, the newest 1 shown \(--limit\)/);
    // The claim is told by the user's clock.
    const [claim] = await query(
      root,
      "select strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ') as at from opportune.sent_ledger where user_id = 'u2' and event = 'claimed'",
    );
    const local = Temporal.Instant.from(String(claim?.["at"])).toZonedDateTimeISO("Europe/Berlin").toPlainDateTime().toString().slice(0, 16).replace("T", " ");
    expect(sent.stdout).toMatch(new RegExp(`\\n {4}${local}:\\d\\d {2}claimed `));
    expect((await opportune(root, ["explain", " U2@Example.com"])).stdout).toBe(sent.stdout);
    const full = await opportune(root, ["explain", "u2", "--templates"]);
    expect(full.stdout).toMatch(/\n\nTemplate version [0-9a-f]{12}\n==> templates\/cart\.hbs <==\n---\nsubject: /);
    expect(await query(root, "select count(*)::int as n, count(distinct template_version)::int as versions from opportune.templates_sent")).toEqual([
      { n: 1, versions: 1 },
    ]);
    const told = await opportune(root, ["explain", "u2", "--output", "json"]);
    expect(JSON.parse(told.stdout)).toMatchObject({
      timezone: "Europe/Berlin",
      journeys: [{ messages: [{ variant: "", template: { name: "cart", text: expect.stringContaining("==> templates/cart.hbs <==") as string } }] }, {}],
    });
    const unknown = await opportune(root, ["explain", "u99'; drop table x"]);
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain(`The ledger knows no user "u99'; drop table x".`);
  });
});

describe.concurrent("explain --all", () => {
  it("tells every reason that stops what is due now, in the order of the rules, and writes nothing", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "max_per_run: 100", "max_per_run: 100\n  caps: [{max: 1, per: 48 hours}]");
    expect((await opportune(root, ["run"])).code).toBe(0);
    expect((await opportune(root, ["pause", "--all"])).code).toBe(0);
    const before = await query(root, "select count(*)::int as n from opportune.sent_ledger");
    const { code, stdout, stderr } = await opportune(root, ["explain", "u2", "--all"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /\n\nNow, as of .*: 1 message due\. Nothing was written or sent to find out\.\n {2}cart_waiting hint {2}behaviour of .*\n {4}paused {2}waits: the project is paused\n {4}cap {2}waits: the cap of 1 per 48 hours is full: 1 of 1 in 48 hours\n {4}outranked, run_limit {2}not reached\nPaused/,
    );
    expect((await opportune(root, ["resume", "--all"])).code).toBe(0);
    edit(root, "opportune.yml", "\n  caps: [{max: 1, per: 48 hours}]", "");
    const json = JSON.parse((await opportune(root, ["explain", "u2", "--all", "--output", "json"])).stdout) as { now: { due: object[] } };
    expect(json.now.due).toEqual([expect.objectContaining({ segment: "cart_waiting", step: "hint", stops: [], not_reached: [] })]);
    expect(await query(root, "select count(*)::int as n from opportune.sent_ledger")).toEqual(before);
  });
});

describe.concurrent("explain --html", () => {
  it("writes a page with what was sent, what may come, and the caps, in the user's time zone", async () => {
    const root = await shop();
    edit(root, "opportune.yml", "max_per_run: 100", "max_per_run: 100\n  caps: [{max: 1, per: 48 hours}]");
    edit(root, "segments/cart_abandoned.sql", "template: cart}", "template: cart}\n  - {name: reminder, after: 3 days, channel: email, template: cart}");
    expect((await opportune(root, ["run"])).code).toBe(0);
    const outcome = await opportune(root, ["explain", "u2", "--html", "pages/u2.html"]);
    expect(outcome).toEqual({ code: 0, stdout: `${join(root, "pages/u2.html")}\n`, stderr: "" });
    const page = read(root, "pages/u2.html");
    expect([modeOf(root, "pages"), modeOf(root, "pages/u2.html")]).toEqual(["700", "600"]);
    expect(page).toContain("<p>1 message sent, 0 silences, 1 wait, in 2 journeys.</p>");
    expect(page).toContain("Times are in Europe/Berlin, where the user is; beside it in UTC.");
    expect(page).toMatch(/<strong>reminder<\/strong> of cart_abandoned, by email: falls due <time/);
    expect(page).toMatch(/The cap of 1 per 48 hours: <strong>1 of 1<\/strong> used, full until <time/);
    expect(page).toMatch(/<span class="badge">Sent<\/span> <strong>nudge<\/strong> by email/);
    expect(page).toContain("Waits: a more important message went first: cart_abandoned nudge.");
  });

  it("is told without a time zone, and where the page can't be written", async () => {
    const root = await shop();
    edit(root, "segments/cart_abandoned.sql", "timezone, ", "");
    expect((await opportune(root, ["run"])).code).toBe(0);
    write(root, { "u2.html": "An old page, of mode 0644." });
    expect((await opportune(root, ["explain", "u2", "--html", "u2.html"])).code).toBe(0);
    expect(modeOf(root, "u2.html")).toBe("600");
    expect(read(root, "u2.html")).toContain("Times are in UTC, the project&#39;s zone, as the user&#39;s own is not known");
    const failed = await opportune(root, ["explain", "u2", "--html", "u2.html/u2.html"]);
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/^The page can't be written: .*\n {4}Name another file with --html\.\n$/);
    expect(await opportune(root, ["explain", "u2", "--html", "u2.html", "--output", "json"])).toMatchObject({ code: 2 });
  });
});

describe.concurrent("preview", () => {
  it("renders the first row, or a user's, to files and the terminal", async () => {
    const root = await shop();
    const first = await opportune(root, ["preview", "win_back"]);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toMatch(/user +u0, behaviour of/);
    const outcome = await opportune(root, ["preview", "cart_abandoned", "--user", "u3"]);
    expect(outcome.stdout).toMatch(
      /^segment +cart_abandoned, step nudge, template cart\nuser +u3, .*\nto +u3@example\.com\nfrom +Shop <shop@example\.com>\nsubject +Your cart of 30\npreheader +It is still "there"\nfile +target\/opportune\/preview\/cart_abandoned\.nudge\.html\n/,
    );
    expect(outcome.stdout).toContain("\nHello u3, your cart of 30 is saved.\n");
    expect(read(root, "target/opportune/preview/cart_abandoned.nudge.html")).toContain("<p>Hello u3");
    expect([modeOf(root, "target/opportune/preview"), modeOf(root, "target/opportune/preview/cart_abandoned.nudge.html")]).toEqual(["700", "600"]);
    expect(await query(root, "select count(*)::int as n from opportune.sent_ledger")).toEqual([{ n: 0 }]);
    const nobody = await opportune(root, ["preview", "cart_abandoned", "--user", "u9"]);
    expect(nobody).toMatchObject({ code: 1, stdout: "" });
    expect(nobody.stderr).toContain('Segment cart_abandoned returns no user "u9" at the moment.');
    const step = await opportune(root, ["preview", "cart_abandoned", "--step", "nuge"]);
    expect(step).toMatchObject({ code: 2, stderr: 'There is no step "nuge".\n    Did you mean "nudge"?\n' });
  });

  it("sends through the channel as the target allows, never the ledger, never a live unsubscribe link", async () => {
    const sandbox = await startSandbox({ port: 0 });
    try {
      const root = await shop();
      edit(root, "opportune.yml", "{provider: outbox,", `{provider: sendgrid, sandbox: true, endpoint: "${sandbox.url}", api_key: SG.sandbox,`);
      edit(
        root,
        "opportune.yml",
        "links: {}",
        'links: {unsubscribe_url: "https://shop.example.com/u", unsubscribe_secret: "a-secret-of-more-than-32-characters!"}',
      );
      const sent = await opportune(root, ["preview", "cart_abandoned", "--send-to", "me@example.com"]);
      expect(sent.code, sent.stderr).toBe(0);
      expect(sent.stdout).toContain("Sent to me@example.com through channel email.");
      const [message] = sandbox.messages();
      expect(message?.body).toMatchObject({ personalizations: [{ to: [{ email: "me@example.com" }] }] });
      expect(JSON.stringify(message?.body)).toContain("[preview] Your cart of 0");
      const token = /\?token=([\w.~-]+)/.exec(JSON.stringify(message?.body))?.[1] ?? "";
      const { readToken } = await import("../../src/render/html/unsubscribe.js");
      expect(token).not.toBe("");
      expect(readToken(token, "a-secret-of-more-than-32-characters!")).toBeNull();
      expect(await query(root, "select count(*)::int as n from opportune.sent_ledger")).toEqual([{ n: 0 }]);

      edit(root, "opportune.yml", `sandbox: true, endpoint: "${sandbox.url}"`, 'endpoint: "https://api.sendgrid.com"');
      const kept = await opportune(root, ["preview", "cart_abandoned", "--send-to", "me@example.com"]);
      expect(kept.code, kept.stderr).toBe(0);
      expect(kept.stdout).toContain("Written to the outbox, not sent to me@example.com");
      expect(existsSync(join(root, "target/opportune/outbox"))).toBe(true);
      const list = await opportune(root, ["preview", "cart_abandoned", "--send-to", "a@example.com, b@example.com"]);
      expect(list).toMatchObject({ code: 2, stdout: "" });
    } finally {
      await sandbox.close();
    }
  });
});
