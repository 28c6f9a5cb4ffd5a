/** Rows of odd values beside good neighbours, through whole runs of the command on a real warehouse and a real provider's endpoint. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished } from "vitest";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { Row } from "../../src/warehouse/types.js";
import { opportune, temporaryFolder, write, type Outcome } from "../commands/support.js";
import { createTestDatabase, type Database } from "./databases.js";
import { DUCKDB_TYPES, NO_IDS, oddValue, POSTGRES_TYPES, type FuzzedType } from "./fuzz-values.js";
import { createRandom } from "./random.js";

export interface Fuzz {
  on: "duckdb" | "postgres";
  /** Rows of each column type. */
  rows: number;
  seed: number;
}

/** What is odd in a row: one column of its segment, or one of an audience. */
type Place = "user_id" | "email" | "occurred_at" | "timezone" | "locale" | "item" | "v" | "audience_user" | "audience_time";

const HALF_AN_HOUR = 30 * 60_000;
const LARGE = "0123456789\u00e9 ".repeat(900_000);

interface Posted {
  times: number;
  to: string;
  subject: string;
  /** Of the good neighbours alone: the others may be of 10 MB. */
  html: string;
}

/** Runs twice, and checks that every good neighbour was written to once, rightly, and nobody twice. Gives what it did. */
export async function fuzzRows({ on, rows, seed }: Fuzz): Promise<{ types: number; rows: number; posted: number; ms: number }> {
  const started = Date.now();
  const types = on === "duckdb" ? DUCKDB_TYPES : POSTGRES_TYPES;
  const { server, posted, url } = await provider();
  onTestFinished(() => void server.close());
  const database = await createTestDatabase(on);
  onTestFinished(() => database.drop());
  const root = temporaryFolder();
  write(root, projectFiles(types, database, url));
  await fill(database, types, rows, seed);

  const first = await runOnce(root);
  const afterFirst = new Map([...posted].map(([id, { times }]) => [id, times]));
  const ledger = await ask(database, LEDGER);
  expect(await ask(database, "select segment, error from opportune.segment_runs where succeeded <> 1 or error is not null")).toEqual([]);
  expect(first.code, first.stderr).toBe(0);
  const ids = goodIds(on === "postgres").map((id) => `'${id.replaceAll("'", "''")}'`);
  expect(await ask(database, `${STOPPED} and (user_id like 'good%' or user_id in (${ids.join(", ")}))`)).toEqual([]);
  for (const type of types) checkNeighbours(type, [...posted.values()]);
  // Each claim has one end, and whoever was posted to was accepted.
  expect(ledger.filter(({ ends }) => Number(ends) !== 1)).toEqual([]);
  expect(
    ledger
      .filter(({ accepted }) => Number(accepted) === 1)
      .map(({ message_id }) => message_id)
      .sort(),
  ).toEqual([...posted.keys()].sort());

  const second = await runOnce(root);
  expect(second.code, second.stderr).toBe(0);
  expect([...posted].filter(([, { times }]) => times > 1)).toEqual([]);
  const late = [...posted].filter(([id]) => !afterFirst.has(id)).map(([, { to }]) => to);
  expect(late.filter((to) => to.startsWith("good"))).toEqual([]);
  return { types: types.length, rows: types.length * rows, posted: posted.size, ms: Date.now() - started };
}

const LEDGER = `select message_id, sum(case when event in ('accepted', 'failed', 'released', 'in_doubt') then 1 else 0 end) as ends,
  sum(case when event = 'accepted' then 1 else 0 end) as accepted
from opportune.sent_ledger where message_id in (select message_id from opportune.sent_ledger where event = 'claimed') group by message_id`;

const STOPPED = `select user_id, segment, event, reason, rule, detail from opportune.sent_ledger where event not in ('claimed', 'sending', 'accepted')
  and (segment like 'columns%' or item_key = 'item')`;

async function runOnce(root: string): Promise<Outcome> {
  const outcome = await opportune(root, ["run", "--quiet"]);
  if (outcome.code !== 0) console.log(outcome.stdout.slice(-3000), outcome.stderr.slice(-3000));
  return outcome;
}

/** Both segments of a type: one whose users are of it, one whose other columns are. */
function checkNeighbours(type: FuzzedType, posted: readonly Posted[]): void {
  const to = (segment: string): unknown[] =>
    posted
      .filter((mail) => mail.to.startsWith("good") && mail.to.endsWith(`@${segment}.${type.name}.example.com`))
      .sort((a, b) => (a.to < b.to ? -1 : 1))
      .map((mail) => [mail.times, mail.to, mail.subject, mail.html]);
  expect(to("users")).toEqual(type.good.map(([, id], i) => [1, `good${String(i)}@users.${type.name}.example.com`, `For ${id}`, `<p>${escaped(id)}</p>`]));
  const columns = `${escaped(type.key ?? type.good[0]?.[1] ?? "")}|${escaped(type.shown ?? "yes")}`;
  expect(to("columns")).toEqual(
    type.good.map((_, i) => [
      1,
      `good${String(i)}@columns.${type.name}.example.com`,
      `For good${String(i)}-${type.name}`,
      `<p>good${String(i)}-${type.name}|${columns}</p>`,
    ]),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { '"': "&quot;", "'": "&#x27;", "=": "&#x3D;" };
const escaped = (line: string): string => line.replaceAll(/["'=]/g, (sign) => ESCAPES[sign] ?? sign);

function projectFiles(types: readonly FuzzedType[], database: Database, endpoint: string): Record<string, string> {
  const target = JSON.stringify(database.target).slice(1, -1);
  const files: Record<string, string> = {
    "opportune.yml": `name: fuzz
target: prod
targets:
  prod: {${target}, live: true}
channels:
  email: {provider: sendgrid, sandbox: true, api_key: SG.test-key, endpoint: "${endpoint}", from: "Shop <shop@example.com>", rate: 100000, in_flight: 32, timeout: 60 seconds}
policy:
  timezone: Europe/Zurich
  max_per_run: 1000000
  surge: false
  quiet_hours: {from: "03:00", to: "03:01"}
`,
  };
  for (const { name, shown } of types) {
    const front = (template: string): string =>
      `status: live\nfirst_run: send\nkey: item\nexclude: [a_${name}]\ngoal: g_${name}\nkeep_properties: [item]\nsteps:\n  - {name: nudge, after: 10 minutes, channel: email, template: ${template}_${name}}`;
    const id = (column: string): string => (NO_IDS.has(name) ? `cast(${column} as varchar)` : column);
    const mail = (body: string): string => `---\nsubject: "For {{user_id}}"\nlayout: none\n---\n<p>${body}</p>\n`;
    Object.assign(files, {
      [`segments/users_${name}.sql`]: `/*---\n${front("users")}\n---*/\nselect ${id("user_id")} as user_id, email, occurred_at, item from users_${name}\n`,
      [`segments/columns_${name}.sql`]: `/*---\n${front("columns")}\n---*/\nselect * from columns_${name}\n`,
      [`segments/audiences/a_${name}.sql`]: `select ${id("audience_user")} as user_id from audience_${name}\n`,
      [`segments/audiences/g_${name}.sql`]: `select ${id("audience_user")} as user_id, audience_time as occurred_at from audience_${name}\n`,
      [`templates/users_${name}.hbs`]: mail("{{user_id}}"),
      [`templates/columns_${name}.hbs`]: mail(`{{user_id}}|{{key}}|${shown === null ? "{{#if v}}yes{{/if}}" : "{{v}}"}`),
    });
  }
  return files;
}

/** A table a type: texts are loaded as they are, then cast where they may be cast. */
async function fill(database: Database, types: readonly FuzzedType[], rows: number, seed: number): Promise<void> {
  const warehouse = await database.connect();
  const run = (sql: string): Promise<unknown> => warehouse.execute({ sql, params: [] });
  const postgres = database.name === "postgres";
  const soon = new Date(Date.now() - HALF_AN_HOUR).toISOString();
  try {
    await installLedger(new Ledger(warehouse, "opportune"));
    for (const [i, type] of types.entries()) {
      const random = createRandom(seed * 1000 + i);
      const places: Place[] = ["user_id", "timezone", "locale", "item", "v", "audience_user"];
      if (type.isText === true) places.push("email");
      if (type.isTime === true) places.push("occurred_at", "audience_time");
      const odd = Array.from({ length: rows }, () => ({ place: random.pick(places), x: oddValue(random, type.pools) }));
      if (type.isText === true) for (const place of places) odd.push({ place, x: LARGE });
      const known = new Set(type.good.flat());
      const loaded = [
        ...type.good.map(([x]) => ({ place: "good", x })),
        // What is the same as a good neighbour is no odd value.
        ...odd.filter(({ x }) => x === null || !known.has(x.trim())),
      ];
      const raw = `raw_${type.name}`;
      await run(`create table ${raw} (n bigint, place ${warehouse.dialect.types.text}, x ${warehouse.dialect.types.text})`);
      await warehouse.append(postgres ? raw : `main.${raw}`, [
        { name: "n", kind: "integer", values: loaded.map((_, n) => n) },
        { name: "place", kind: "text", values: loaded.map(({ place }) => place) },
        { name: "x", kind: "text", values: loaded.map(({ x }) => x) },
      ]);
      if (type.define !== undefined) await run(type.define);
      if (postgres)
        await run(
          `create function as_${type.name}(x text) returns ${type.sql} language plpgsql as $$ begin return cast(x as ${type.sql}); exception when others then return null; end $$`,
        );
      for (const sql of typedTables(type, postgres, soon)) await run(sql);
    }
  } finally {
    await warehouse.close();
  }
}

function typedTables(type: FuzzedType, postgres: boolean, soon: string): string[] {
  // DuckDB's own try_cast fails where a time doesn't fit nanoseconds.
  const fits = type.sql === "timestamp_ns" ? "year(try_cast(x as timestamp)) between 1678 and 2261" : "true";
  const cast = (x: string): string => (postgres ? `as_${type.name}(${x})` : `case when ${x === "x" ? fits : "true"} then try_cast(${x} as ${type.sql}) end`);
  const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  const first = cast(quoted(type.good[0]?.[0] ?? ""));
  const of = (place: Place, otherwise: string): string => `case when place = '${place}' then ${cast("x")} else ${otherwise} end as ${place}`;
  const address = (segment: string): string => `case when place = 'good' then 'good' || n else 'odd' || n end || '@${segment}.${type.name}.example.com'`;
  const at = `cast('${soon}' as timestamptz)`;
  // No odd id is a good neighbour's.
  const odd = `trim(cast(${cast("x")} as ${postgres ? "text" : "varchar"})) not in (${goodIds(postgres).map(quoted).join(", ")})`;
  const { name } = type;
  return [
    `create table users_${name} as select ${cast("x")} as user_id, ${address("users")} as email, ${at} as occurred_at, 'item' as item
      from raw_${name} where place = 'good' or (place = 'user_id' and ${odd})`,
    `create table columns_${name} as select case when place = 'good' then 'good' || n else 'odd' || n end || '-${name}' as user_id,
      ${type.isText === true ? of("email", cast(address("columns"))) : `${address("columns")} as email`},
      ${type.isTime === true ? of("occurred_at", cast(`'${soon}'`)) : `${at} as occurred_at`},
      ${of("timezone", first)}, ${of("locale", first)}, ${of("item", first)}, ${of("v", first)}
      from raw_${name} where place not like 'audience%' and place <> 'user_id'`,
    `create table audience_${name} as select ${cast("x")} as audience_user, ${type.isTime === true ? cast("x") : at} as audience_time
      from raw_${name} where place like 'audience%' and ${odd}`,
  ];
}

/** One message a user and run: an odd id that is a good one of any type would stand before it. */
function goodIds(postgres: boolean): string[] {
  return (postgres ? POSTGRES_TYPES : DUCKDB_TYPES).flatMap(({ good }) => good.map(([, id]) => id));
}

async function ask(database: Database, sql: string): Promise<Row[]> {
  const warehouse = await database.connect();
  try {
    return await warehouse.query({ sql, params: [] });
  } finally {
    await warehouse.close();
  }
}

/** An endpoint that accepts all, and notes who is written to how often. */
async function provider(): Promise<{ server: Server; posted: Map<string, Posted>; url: string }> {
  const posted = new Map<string, Posted>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as {
        personalizations: [{ to: [{ email: string }]; custom_args: { message_id: string } }];
        subject: string;
        content: { type: string; value: string }[];
      };
      const [{ to, custom_args }] = body.personalizations;
      const html = /<p>.*<\/p>/s.exec(body.content.find(({ type }) => type === "text/html")?.value ?? "")?.[0] ?? "";
      const times = (posted.get(custom_args.message_id)?.times ?? 0) + 1;
      posted.set(custom_args.message_id, { times, to: to[0].email, subject: body.subject, html: to[0].email.startsWith("good") ? html : "" });
      response.writeHead(202, { "x-message-id": custom_args.message_id }).end();
    });
  });
  // A connection that the server closes while the run is busy would leave a message in doubt.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, posted, url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` };
}
