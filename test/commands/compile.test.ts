import { describe, expect, it } from "vitest";
import { edit, opportune, query, read, shop } from "./support.js";

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
    edit(root, "segments/audiences/ordered.sql", "7 days", "3 hours");
    const outcome = await opportune(root, ["compile", "--select", "cart_abandoned"]);
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain(
      "warning: segments/audiences/ordered.sql:1:87: Goal ordered looks back 3 hours, but a journey of cart_abandoned lasts 24 hours 10 minutes",
    );
    expect(outcome.stderr).toContain('Write {{ago "24 hours 10 minutes"}} or longer.');
  });

  it("names the user's own line where the warehouse refuses a query, exit 1, or a name is unknown, exit 2", async () => {
    const root = await shop();
    edit(root, "segments/win_back.sql", "total from", "totl from");
    const refused = await opportune(root, ["compile"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^segments\/win_back\.sql:7: .*"totl"/);
    edit(root, "segments/win_back.sql", '{{source "carts"}}', '{{source "crts"}}');
    const unknown = await opportune(root, ["compile"]);
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toMatch(/^segments\/win_back\.sql:7:\d+: unknown source "crts".*\n.*"carts"/);
  });
});
