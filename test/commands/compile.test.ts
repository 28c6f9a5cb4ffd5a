import { describe, expect, it } from "vitest";
import { edit, opportune, query, read, shop, write } from "./support.js";

describe.concurrent("compile", () => {
  it("writes the SQL that a run sends, with its parameters and without secrets", async () => {
    const root = await shop();
    edit(
      root,
      "opportune.yml",
      "links: {}",
      'links: {unsubscribe_url: "https://shop.example.com/u", unsubscribe_secret: "${UNSUBSCRIBE_SECRET}"}\nvars: {token: "${TOKEN}", least: 0}',
    );
    edit(
      root,
      "segments/cart_abandoned.sql",
      'from {{source "carts"}}',
      'from {{source "carts"}} where total >= {{var "least"}} and user_id <> {{var "token"}}',
    );
    const env = { UNSUBSCRIBE_SECRET: "an-unsubscribe-secret-of-32-chars", TOKEN: "hunter22-token" };
    const outcome = await opportune(root, ["compile", "--as-of", "2026-03-02"], env);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout).toBe("Compiled 3 segments; the SQL is in target/opportune/compiled/.\n");
    const segment = read(root, "target/opportune/compiled/segments/cart_abandoned.sql");
    // Names of work tables are shown as each compilation has them: the same project compiles to the same text.
    expect(segment).toMatch(/insert into opportune_work\.segment_rows \(/);
    expect(segment).toMatch(
      /^-- segments\/cart_abandoned, as of 2026-03-02T00:00:00Z\n-- The query, which runs first, into a work table\.\n-- Parameters:\n--   \$1 = /,
    );
    expect(segment).toContain("<${TOKEN}>");
    expect(segment).toMatch(
      /select user_id, email, timezone, updated_at as occurred_at, total\nfrom carts where total >= cast\(\$\d as bigint\)[\s\S]*insert into opportune_work\.segment_rows[\s\S]*update opportune_work\.segment_rows set dropped = 'duplicate'/,
    );
    expect(read(root, "target/opportune/compiled/audiences/ordered.sql")).toContain('"2026-02-23T00:00:00Z"');
    const arbitrate = read(root, "target/opportune/compiled/arbitrate.sql");
    expect(arbitrate).toContain("'quiet_hours' as reason, rule, detail from quiet_hours");
    expect(arbitrate).toMatch(/\n-- arbitrate\/reasons\/quiet_hours\.sql\n-- Reads: .*\n-- Gives: .*\nquiet_hours as \(\n/);
    const [salt] = await query(root, "select content from opportune.meta where name = 'salt'");
    const everything = [segment, arbitrate, read(root, "target/opportune/manifest.json"), outcome.stderr].join("\n");
    for (const secret of [env.UNSUBSCRIBE_SECRET, env.TOKEN, String(salt?.["content"])]) expect(everything).not.toContain(secret);
    expect(await query(root, "select * from opportune.sent_ledger")).toEqual([]);

    const run = await opportune(root, ["run"], env);
    expect(run.code, run.stderr).toBe(0);
    const ran = [
      read(root, "target/opportune/compiled/segments/cart_abandoned.sql"),
      read(root, "target/opportune/compiled/arbitrate.sql"),
      read(root, "target/opportune/run_results.json"),
    ].join("\n");
    for (const secret of [env.UNSUBSCRIBE_SECRET, env.TOKEN, String(salt?.["content"])]) expect(ran).not.toContain(secret);
  });

  it("warns where a goal looks back less far than the journey lasts", async () => {
    const root = await shop();
    edit(root, "segments/audiences/ordered.sql", '{{ago "7 days"}}', '{{ago "3 hours"}} /* not {{ago "1 hour"}} */');
    const outcome = await opportune(root, ["compile", "--select", "cart_abandoned"]);
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain(
      "warning: segments/audiences/ordered.sql:1:87: Goal ordered looks back 3 hours, but a journey of cart_abandoned lasts 24 hours 10 minutes",
    );
    expect(outcome.stderr).toContain('Write {{ago "24 hours 10 minutes"}} or longer.');
    expect(outcome.stderr).not.toContain("looks back 1 hour");
  });

  it("names the user's own line where the warehouse refuses a query or a name is unknown, exit 1", async () => {
    const root = await shop();
    edit(root, "segments/win_back.sql", "total from", "totl from");
    const refused = await opportune(root, ["compile"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^segments\/win_back\.sql:7: .*"totl"/);
    edit(root, "segments/win_back.sql", '{{source "carts"}}', '{{source "crts"}}');
    const unknown = await opportune(root, ["compile"]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/^segments\/win_back\.sql:7:\d+: Unknown source "crts".*\n.*"carts"/);
  });

  it("names mistakes of files beside those that the warehouse or a template's reader finds", async () => {
    const root = await shop();
    edit(root, "segments/win_back.sql", '{{source "carts"}}', '{{source "crts"}}');
    edit(root, "segments/cart_abandoned.sql", "user_id, email", "usr_id as user_id, email");
    const both = await opportune(root, ["compile"]);
    expect(both.code).toBe(1);
    expect(both.stderr).toMatch(/^segments\/win_back\.sql:7:\d+: Unknown source "crts"/m);
    expect(both.stderr).toMatch(/^segments\/cart_abandoned\.sql:\d+: .*usr_id/m);
    expect(both.stdout).toContain("2 mistakes");
    write(root, { "templates/cart.hbs": "---\nsubject: Hi\n---\n{{#if}}" });
    const template = await opportune(root, ["compile"]);
    expect(template.code).toBe(2);
    expect(template.stderr).toMatch(/^segments\/win_back\.sql:7:\d+: Unknown source "crts"/m);
    expect(template.stderr).toMatch(/^templates\/cart\.hbs:4:/m);
  });

  it("names an audience's own file and line where a segment builds on it, once", async () => {
    const root = await shop();
    write(root, {
      "segments/audiences/buyers.sql": '/*---\ndescription: Who bought\n---*/\nselect user_id,\n  ordred_at as occurred_at\nfrom {{source "orders"}}\n',
      "segments/audiences/best.sql": 'select b.user_id from {{audience "buyers"}} b\n',
    });
    edit(root, "segments/win_back.sql", '{{source "carts"}}', '{{source "carts"}} where user_id in (select user_id from {{audience "best"}} b)');
    const run = ["run", "--dry-run", "--select", "win_back"];
    for (const command of [["compile"], run]) {
      const refused = await opportune(root, command);
      expect(refused.code, refused.stderr).toBe(1);
      expect(refused.stderr).toMatch(/segments\/audiences\/buyers\.sql:5: .*ordred_at/);
      expect(refused.stderr).not.toMatch(/segments\/(?:win_back|audiences\/best)\.sql:/);
      if (command !== run) expect(refused.stderr.match(/buyers\.sql:5:/g)).toHaveLength(1);
    }
    // An audience that builds on none that there is.
    edit(root, "segments/audiences/buyers.sql", '{{source "orders"}}', '{{audience "byers"}} b');
    expect((await opportune(root, run)).stderr).toMatch(/segments\/audiences\/buyers\.sql:6:\d+: Unknown audience "byers"/);
  });
});
