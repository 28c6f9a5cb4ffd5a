/**
 * Every SQL and YAML block of the documentation is run as what it is: segments and audiences on DuckDB and Postgres, files and
 * parts of opportune.yml by the loader, the rest by the test that has its document. What can't be run says so, with the reason,
 * in a line before it: <!-- not run: … -->.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { loadProject } from "../../src/project/build/load.js";
import { projectSchema } from "../../src/project/schema/project-schema.js";
import type { Project } from "../../src/project/types.js";
import { temporaryFolder, write } from "../commands/support.js";
import { blocksOf, documents, type Block } from "../support/docs.js";
import { execute, openEmpty, runAll, WAREHOUSES } from "../support/docs-world.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";

type Kind = "segment" | "audience" | "project" | "part of opportune.yml" | "elsewhere" | "not run";

/** What is more than a segment or opportune.yml, by the test that runs every such block of the document. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "docs/configuration.md": "test/ledger/postgres.test.ts",
  "docs/cost.md": "test/docs/cost.test.ts",
  "docs/deploying.md": "test/docs/deploying.test.ts",
  "docs/ledger.md": "test/docs/ledger.test.ts",
  "docs/security.md": "test/docs/security.test.ts",
  "docs/tutorial.md": "test/docs/tutorial.test.ts",
};

const PARTS = Object.keys(projectSchema.shape);

function kindOf({ document, language, body, notRun }: Block): Kind | null {
  if (notRun !== null) return "not run";
  if (document === "docs/tutorial.md") return "elsewhere";
  // A query of ours without front matter is an audience's: a segment needs some.
  if (language === "sql" && (body.startsWith("/*---") || body.includes("{{"))) return /^(?:steps|template):/m.test(body) ? "segment" : "audience";
  if (language === "yaml") {
    const keys = Object.keys((parse(body) ?? {}) as Record<string, unknown>);
    if (keys.includes("name") && keys.includes("targets")) return "project";
    if (keys.length > 0 && keys.every((key) => PARTS.includes(key))) return "part of opportune.yml";
  }
  return document in ELSEWHERE ? "elsewhere" : null;
}

const blocks = documents()
  .flatMap(blocksOf)
  .filter(({ language }) => language === "sql" || language === "yaml")
  .map((block) => ({ ...block, at: `${block.document}:${String(block.line)}`, kind: kindOf(block) }));
const ofKind = (kind: Kind): typeof blocks => blocks.filter((block) => block.kind === kind);

it("every SQL and YAML block is of a kind that is run, or says why it is not", () => {
  expect(blocks.length).toBeGreaterThan(30);
  expect(blocks.filter(({ kind }) => kind === null).map(({ at, body }) => `${at}: ${body.slice(0, 60)}`)).toEqual([]);
  expect(ofKind("segment").length).toBeGreaterThan(2);
});

it("a block that is run elsewhere has its document named in a test that there is", () => {
  for (const document of new Set(ofKind("elsewhere").map((block) => block.document))) {
    const test = join(import.meta.dirname, "../..", ELSEWHERE[document] ?? "none");
    expect(existsSync(test) ? readFileSync(test, "utf8") : "", `${document} in ${test}`).toContain(document);
  }
});

/** The tables of the examples, each with a user's row of an hour ago. */
const TABLES = `
create table users as select 'u1' as user_id, 'ada@example.com' as email, 'Ada' as first_name, 'UTC' as timezone, 'en-US' as locale,
  cast(current_timestamp at time zone 'UTC' as timestamp) - interval '1 hour' as signed_up_at, 'https://example.com/' as start_url;
create table events as select 'e1' as event_id, user_id, signed_up_at as occurred_at, 'page_viewed' as event, 'pricing' as subject from users;
create table subscriptions as select 's1' as subscription_id, user_id, 'team' as plan, 'active' as status, signed_up_at as started_at, signed_up_at as trial_ends_at,
  signed_up_at as paid_at, cast(null as timestamp) as ended_at, cast(null as varchar) as changed_from, 12.50 as price, 'EUR' as currency from users;
create table usage as select user_id, signed_up_at as measured_at, 'boards' as metric, 9 as used, 10 as plan_limit, 'team' as plan from users;
create table carts as select 'c1' as cart_id, user_id, signed_up_at as updated_at, '[]' as items, 1 as item_count, 12.50 as total, 'EUR' as currency, 'https://example.com/cart' as cart_url from users;
create table orders as select 'o1' as order_id, user_id, 'c0' as cart_id, updated_at as ordered_at, total, currency from carts;
create table order_items as select order_id, 'p1' as product_id, 1 as quantity, total as price from orders;
create table products as select 'p1' as product_id, 'Notebook' as name, 'paper' as category, 12.50 as price, 'EUR' as currency, 'https://example.com/p1' as product_url;
create table discount_codes as select 'HELLO' as code, user_id, 10 as percent, signed_up_at + interval '30 days' as expires_at from users;
create table tickets as select 't1' as ticket_id, user_id, 'Help' as subject, signed_up_at as opened_at, cast(null as timestamp) as closed_at from users where user_id = 'nobody';
create table consents as select user_id, signed_up_at as granted_at, cast(null as timestamp) as withdrawn_at from users;
`;
const SOURCES = [...TABLES.matchAll(/^create table (\w+)/gm)].map(([, name = ""]) => name);

/** Names under a key of front matter, in either form. */
function named(body: string, pattern: RegExp): string[] {
  return [...body.matchAll(pattern)].flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()));
}

/** A project in which the blocks are whole: audiences, templates and topics that they name, and sources. */
function projectOf(settings: Record<string, unknown>, files: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = {}): Project {
  const texts = [stringify(settings), ...Object.values(files)].join("\n");
  const audiences = new Set([
    ...named(texts, /(?:^goal: |audience: |\{\{audience ")(\w+)/gm),
    ...named(texts, /(?:exclude|require): \[([^\]]+)\]/g),
    // As a list of lines, which is how the settings are written anew.
    ...named(texts, /(?:exclude|require):\n((?: +- \w+\n)+)/g).flatMap((list) => list.split(/[\s-]+/).filter(Boolean)),
  ]);
  const topics = new Set(named(texts, /topic: (\w+)/g));
  const templates = new Set(named(texts, /template: ([\w/]+)/g));
  const root = temporaryFolder();
  write(root, {
    "opportune.yml": stringify(settings),
    ...Object.fromEntries(
      [...audiences].map((name) => [`segments/audiences/${name}.sql`, 'select user_id, signed_up_at as occurred_at from {{source "users"}} where 1 = 0\n']),
    ),
    ...Object.fromEntries(
      [...topics].map((topic) => [
        `segments/of_topic_${topic}.sql`,
        `/*---\ntopic: ${topic}\nchannel: email\ntemplate: stub\n---*/\nselect user_id, email, signed_up_at as occurred_at from {{source "users"}}\n`,
      ]),
    ),
    ...Object.fromEntries([...templates, "stub"].map((name) => [`templates/${name}.hbs`, "---\nsubject: Hello\nlayout: none\n---\n<p>Hello</p>\n"])),
    ...files,
  });
  return loadProject(root, { env });
}

const MINIMAL = {
  name: "docs",
  targets: { dev: { type: "duckdb", path: "docs.duckdb" } },
  channels: { email: { provider: "outbox" } },
  sources: Object.fromEntries(SOURCES.map((name) => [name, name])),
  vars: { smallest_cart: 5 },
};

const ENVIRONMENT = Object.fromEntries(
  ["SENDGRID_API_KEY", "UNSUBSCRIBE_SECRET", "ALERT_TOKEN", "PGPASSWORD", "SNOWFLAKE_PASSPHRASE", "BIGQUERY_CREDENTIALS"].map((name) => [
    name,
    `${name.toLowerCase()}-of-more-than-32-characters`,
  ]),
);
const env = { ...ENVIRONMENT, DATABASE_URL: "postgres://job@db.example.com/warehouse" };

describe("opportune.yml", () => {
  it.each(ofKind("project"))("$at is valid for each of its targets", ({ body }) => {
    const settings = parse(body) as { targets: Record<string, unknown>; sources?: Record<string, unknown> };
    for (const target of Object.keys(settings.targets)) {
      const project = projectOf({ ...settings, target, sources: { users: "users", ...settings.sources } }, {}, env);
      expect(project.target.name).toBe(target);
    }
  });

  it.each(ofKind("part of opportune.yml"))("$at is valid in one", ({ body }) => {
    const settings = parse(body) as { targets?: Record<string, unknown> };
    const [target] = Object.keys(settings.targets ?? { dev: null });
    expect(projectOf({ ...MINIMAL, ...settings, target }, {}, env).target.name).toBe(target);
  });
});

describe.each(WAREHOUSES)("segments and audiences on %s", (on) => {
  let opened: Awaited<ReturnType<typeof openEmpty>>;
  beforeAll(async () => {
    opened = await openEmpty(on);
    await execute(opened.warehouse, TABLES);
    await installLedger(new Ledger(opened.warehouse, "opportune"));
  });
  afterAll(() => opened.close());

  it.each([...ofKind("segment"), ...ofKind("audience")])("$at compiles and runs", async ({ kind, body }) => {
    // An audience is read where a segment needs it.
    const reader =
      '/*---\nrequire: [block]\nchannel: email\ntemplate: stub\n---*/\nselect user_id, email, signed_up_at as occurred_at from {{source "users"}}\n';
    const files = kind === "segment" ? { "segments/block.sql": body } : { "segments/audiences/block.sql": body, "segments/reader.sql": reader };
    const project = projectOf(MINIMAL, files);
    const result = await runAll(project, opened.warehouse, true);
    expect(result.problems).toEqual([]);
  });
});
