/** What a run refuses, `compile` refuses: wrong inputs on DuckDB and Postgres, one segment each, told with the file and a line. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileRun } from "../../src/run/prepare.js";
import type { Problem } from "../../src/core/errors.js";
import { ledgerFacts } from "../../src/ledger/facts.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { Project } from "../../src/project/types.js";
import { loadRenderer } from "../../src/render/renderer.js";
import { datedSources, undatable } from "../../src/segments/freshness.js";
import { readStaged } from "../../src/run/staged.js";
import type { Warehouse } from "../../src/warehouse/types.js";
import { createTestDatabase, type Database } from "../support/databases.js";
import { AS_OF, projectWith, stage } from "./support.js";

const FINE = "user_id, email, occurred_at";

interface Wrong {
  sql: string;
  front?: string;
  files?: Readonly<Record<string, string>>;
  /** What the message says, on both warehouses. */
  says: RegExp;
  /** Line of the query, 1-based, that is named. */
  line?: number;
}

const STEP = "steps: [{name: nudge, channel: email, template: cart}]";
const GOAL = `${STEP}\ngoal: reached`;
const reached = (sql: string): Pick<Wrong, "front" | "files"> => ({ front: GOAL, files: { "segments/audiences/reached.sql": sql } });
const at = (expression: string): string => `select user_id, email, ${expression} as occurred_at from carts`;

const WRONG: Readonly<Record<string, Wrong>> = {
  "a time of epoch seconds": { sql: at("1795860000"), says: /occurred_at as integer/i, line: 1 },
  "a time of epoch milliseconds": { sql: at("1795860000000"), says: /occurred_at as bigint/i },
  "a time of exact seconds": { sql: at("cast(1.5 as decimal(12, 2))"), says: /occurred_at as (decimal|numeric)/i },
  "a time of float seconds": { sql: at("cast(1.5 as double precision)"), says: /occurred_at as double/i },
  "a time of day": { sql: at("cast('10:00' as time)"), says: /occurred_at as time/i },
  "a boolean as time": { sql: at("true"), says: /occurred_at as boolean/i },
  "an interval as time": { sql: at("interval '1 day'"), says: /occurred_at as interval/i },
  "a UUID as time": { sql: at("cast('11111111-1111-4111-8111-111111111111' as uuid)"), says: /occurred_at as uuid/i },
  "JSON as time": { sql: at("cast('{}' as json)"), says: /occurred_at as json/i },
  "a list of times": { sql: at("array[occurred_at]"), says: /occurred_at as timestamp.*\[\]/i },
  "two columns of one name": {
    sql: "select a.*, b.user_id from carts a join carts b on a.user_id = b.user_id",
    says: /more than one column of the name user_id/,
  },
  "all columns of two tables": { sql: "select a.*, b.* from carts a join carts b using (user_id)", says: /user_id, email, occurred_at/ },
  "two properties of one name": { sql: `select ${FINE}, 1 as n, 2 as n from carts`, says: /of the name n/ },
  "no user": { sql: "select email, occurred_at from carts", says: /no column user_id/ },
  "no time": { sql: "select user_id, email from carts", says: /no column occurred_at/ },
  "no address": { sql: "select user_id, occurred_at from carts", says: /no column email/ },
  "a user as float": { sql: "select cast(1 as double precision) as user_id, email, occurred_at from carts", says: /user_id as double/i },
  "a user as boolean": { sql: "select true as user_id, email, occurred_at from carts", says: /user_id as boolean/i },
  "a user as time": { sql: "select occurred_at as user_id, email, occurred_at from carts", says: /user_id as timestamp/i },
  "an address as list": { sql: "select user_id, array[email] as email, occurred_at from carts", says: /email as/i },
  "a key that isn't there": { sql: `select ${FINE} from carts`, front: `${STEP}\nkey: cart_id`, says: /no column cart_id, its key/ },
  "a kept property that isn't there": { sql: `select ${FINE} from carts`, front: `${STEP}\nkeep_properties: [total]`, says: /no column total/ },
  "a contract of a column that isn't there": { sql: `select ${FINE} from carts`, front: `${STEP}\ncolumns: {totl: {required: true}}`, says: /totl/ },
  "a variable that isn't there": {
    sql: `select ${FINE} from carts`,
    files: { "templates/cart.hbs": "---\nsubject: Your {{totl}}\nlayout: none\n---\n<p>Hello</p>\n" },
    says: /\{\{totl\}\} is not a column/,
  },
  "a table that isn't there": { sql: `select\n${FINE}\nfrom cart`, says: /cart/, line: 3 },
  "a column that isn't there": { sql: `select user_id,\nemial as email,\noccurred_at from carts`, says: /emial/, line: 2 },
  "a function that isn't there": { sql: `select ${FINE} from carts\nwhere nosuch(user_id)`, says: /nosuch/, line: 2 },
  "a word too many": { sql: `select ${FINE}\nfrom from carts`, says: /syntax error/, line: 2 },
  "two statements": { sql: `select ${FINE} from carts; select 1`, says: /statement|syntax error/ },
  "a statement that is none": { sql: "delete from carts", says: /syntax error/ },
  "only a comment": { sql: "-- nothing yet", says: /no query|syntax error/ },
  "no table for *": { sql: "select *", says: /\*/ },
  "a sum without group": { sql: `select ${FINE}, sum(1) as n from carts`, says: /GROUP BY/ },
  "an aggregate in where": { sql: `select ${FINE} from carts where max(occurred_at) > {{as_of}}`, says: /aggregate|WHERE/i },
  "a text compared with a number": { sql: `select ${FINE} from carts where occurred_at > 5`, says: /compare|operator does not exist/i },
  "a parameter of its own": { sql: `select ${FINE} from carts where user_id = $9`, says: /param|could not determine/i },
  "a union of unequal widths": {
    sql: `select ${FINE} from carts union all select user_id, email from carts`,
    says: /number of (result )?columns|same number/i,
  },
  "an ambiguous column": { sql: "select user_id, a.email, a.occurred_at from carts a join carts b on a.email = b.email", says: /ambiguous/i },
  "an unclosed quote": { sql: `select ${FINE} from carts where user_id = 'u1`, says: /unterminated/i },
  "an unclosed parenthesis": { sql: `select ${FINE} from (carts`, says: /syntax error/ },
  "a goal that isn't a query": { sql: `select ${FINE} from carts`, ...reached("select user_id from cart"), says: /cart/ },
  "a goal without a user": { sql: `select ${FINE} from carts`, ...reached("select email from carts"), says: /Audience reached returns no column user_id/ },
  "a goal of epoch seconds": {
    sql: `select ${FINE} from carts`,
    ...reached("select user_id, 7 as occurred_at from carts"),
    says: /Audience reached returns occurred_at as/,
  },
  "a goal at a time of day": {
    sql: `select ${FINE} from carts`,
    ...reached("select user_id, cast('10:00' as time) as occurred_at from carts"),
    says: /occurred_at as time/i,
  },
  "a goal with two columns of one name": {
    sql: `select ${FINE} from carts`,
    ...reached("select a.*, b.* from carts a join carts b using (user_id)"),
    says: /Audience reached returns more than one/,
  },
};

/** Right ones, so that compile isn't proved by refusing everything. */
const RIGHT: Readonly<Record<string, string>> = {
  "a last semicolon before a comment": `select ${FINE} from carts; /* end */`,
  "semicolons before a comment with a quote": `select ${FINE} from carts;; -- don't\n;`,
  "a date": at("cast(occurred_at as date)"),
  "text that says a time": at("cast(occurred_at as varchar(30))"),
  "a time with a zone": at("cast(occurred_at as timestamp with time zone)"),
  "properties of many types": `select ${FINE}, 1 as a, 1.5 as b, true as c, cast('10:00' as time) as d, interval '1 day' as e, array[1, 2] as f, cast('{}' as json) as g, null as h from carts`,
};

describe.each(["duckdb", "postgres"] as const)("on %s", (name) => {
  let database: Database;
  let warehouse: Warehouse;
  beforeAll(async () => {
    database = await createTestDatabase(name);
    warehouse = await database.connect();
    await installLedger(new Ledger(warehouse, "opportune"));
    await warehouse.execute({ sql: "create table carts (user_id varchar(40), email varchar(80), occurred_at timestamp)", params: [] });
    await warehouse.execute({ sql: "insert into carts values ('u1', 'u1@example.com', timestamp '2026-03-02 10:00:00')", params: [] });
  });
  afterAll(() => database.drop());

  /** What `compile` says, audiences and sources included. */
  async function compileRefuses(project: Project): Promise<Problem[]> {
    const segments = [...project.segments.values()];
    const asked = { asOf: AS_OF, trial: true, segments: segments.map(({ id }) => id) };
    const facts = await ledgerFacts(new Ledger(warehouse, "opportune"), asked);
    const templates = loadRenderer(project);
    const compiled = await compileRun(project, new Ledger(warehouse, "opportune"), {
      ...asked,
      segments,
      backfill: new Set(),
      templates,
      facts,
      onStatement: () => undefined,
    });
    const dated = datedSources(project, new Set([...compiled.segments.values()].flatMap(({ sources }) => sources)));
    return [...(await undatable(dated, warehouse)), ...[...compiled.failedSegments.values(), ...compiled.failedAudiences.values()].flat()];
  }

  async function runRefuses(project: Project): Promise<string[]> {
    const { compiled, segments, audiences } = await stage(project, warehouse);
    const { newest } = await readStaged(project, warehouse, compiled);
    return [
      ...[...segments.values(), ...audiences.values()].flatMap(({ problem }) => problem?.message ?? []),
      ...[...newest.values()].flatMap(({ complaint }) => complaint ?? []),
    ];
  }

  it.each(Object.entries(WRONG))("%s: refused by the run and by compile", async (_, { sql, front = STEP, files = {}, says, line }) => {
    const project = projectWith(sql, front, files);
    expect(await runRefuses(project)).not.toEqual([]);
    const problems = await compileRefuses(project);
    expect(problems.map(({ message }) => message).join("\n")).toMatch(says);
    for (const { file } of problems) expect(file).toMatch(/^(?:segments|templates)\//);
    const first = project.segments.get("cart")?.sqlLine ?? 0;
    if (line !== undefined) expect(problems[0]?.line).toBe(first + line - 1);
  });

  it.each([
    ["of a column that isn't there", "{table: carts, loaded_at: loaded}", /loaded/],
    ["of epoch seconds", "{table: carts, loaded_at: length(email)}", /of type (bigint|integer)/i],
    ["of a time of day", "{table: carts, loaded_at: cast(occurred_at as time)}", /of type time/i],
  ])("a loaded_at %s: told by the run and by compile, with its line in opportune.yml", async (_, source, says) => {
    const project = projectWith(`select ${FINE} from {{source "arrivals"}}`, STEP, { "opportune.yml": withSource(source) });
    expect(await runRefuses(project)).not.toEqual([]);
    expect(await compileRefuses(project)).toMatchObject([
      { code: "source/loaded-at", file: "opportune.yml", line: 5, message: expect.stringMatching(says) as string },
    ]);
  });

  it.each(Object.entries(RIGHT))("%s: neither refuses it", async (_, sql) => {
    const project = projectWith(sql);
    expect(await compileRefuses(project)).toEqual([]);
    expect(await runRefuses(project)).toEqual([]);
  });
});

function withSource(source: string): string {
  return `name: shop\ntargets:\n  dev: {type: duckdb, path: ":memory:"}\nsources:\n  arrivals: ${source}\nchannels:\n  email: {provider: outbox, from: "Shop <shop@example.com>"}\n`;
}
