/** Two whole runs on a Postgres whose settings are somebody else's choice, and what they did, to compare. */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { OpportuneError } from "../../src/core/errors.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { loadProject } from "../../src/project/build/load.js";
import type { PostgresConnection } from "../../src/project/targets/postgres.js";
import { run } from "../../src/run/run.js";
import { startSandbox, type Sandbox } from "../../src/server/sandbox/sandbox.js";
import { openPostgres } from "../../src/warehouse/postgres/warehouse.js";
import { edit, temporaryFolder, write } from "../commands/support.js";
import { asSuperuser, createDatabase, serverConnection } from "./postgres.js";
import { QUIET_RUN } from "./quiet-run.js";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const HOUR = 3_600_000;
const PASSWORD = "secret";

/** One value of every type whose text a setting may change. */
const COLUMNS = `user_id text, email text, left_at timestamp, loaded_at timestamptz, day date, waited interval, weight float8, share real, price numeric(10,2),
  paid money, open boolean, photo bytea, tags text[], days date[], spans interval[], note xml, name varchar(40), kind char(3), at time`;

const CARTS = `insert into carts
  select 'U' || n, 'IRIS' || n || '@Example.com', timestamp '2026-03-02 11:30:00' + (n / 4) * interval '1 hour', timestamptz '2026-03-02 12:55:00+00', date '2026-11-28', interval '1 day 2 hours',
    0.1::float8 + 0.2, 1.0::real / 3, 12.30, null, true, '\\xDEADBEEF', array['a', null, 'NULL'], array[date '2026-11-28'], array[interval '3 days'], xml '<a>b</a>', 'Iris ' || n, 'x', time '09:05'
  from generate_series(1, 5) n`;

const FILES = (endpoint: string, target: PostgresConnection): Record<string, string> => ({
  "opportune.yml": `name: shop
target: prod
targets:
  prod: {type: postgres, host: "${target.host}", port: ${String(target.port)}, user: ${String(target.user)}, password: ${PASSWORD}, database: DATABASE, live: true}
channels:
  email: {provider: sendgrid, sandbox: true, api_key: SG.test-key, endpoint: "${endpoint}", from: "Shop <shop@example.com>", in_flight: 1}
sources:
  carts: {table: carts, loaded_at: loaded_at}
policy:
  max_per_run: 100
  quiet_hours: {from: "22:00", to: "08:00"}
  exclude: [staff]
`,
  "segments/cart.sql": `/*---
status: live
topic: carts
first_run: send
goal: {audience: bought}
keep_properties: [day, waited, weight]
steps:
  - {name: nudge, after: 10 minutes, channel: email, template: cart}
  - {name: last, after: 50 minutes, within: 2 days, channel: email, template: cart}
---*/
select user_id, email, left_at as occurred_at, day, waited, weight, share, price, paid, open, photo, tags, days, spans, note, name, kind, at,
  cast(left_at as text) as left_text, to_char(left_at, 'FMDay DD FMMonth') as left_day
from {{source "carts"}}
where left_at < {{as_of}} and left_at > {{ago "7 days"}}
`,
  "segments/audiences/staff.sql": `select user_id, left_at as occurred_at from {{source "carts"}} where lower(user_id) = 'u3'\n`,
  "segments/audiences/bought.sql": `select user_id, loaded_at as occurred_at from {{source "carts"}} where user_id = 'U2' and loaded_at < {{as_of}}\n`,
  "templates/cart.hbs":
    '---\nsubject: "{{name}}, since {{left_text}}"\nlayout: none\n---\n<p>{{day}} {{waited}} {{weight}} {{share}} {{price}} {{open}} {{photo}} {{join tags}} {{join days}} {{join spans}} {{note}} {{kind}} {{at}} {{left_day}}</p>\n',
});

/** What two runs did. */
export interface Story {
  /** Of each run `OK`, or what it said, by its code. */
  runs: string[];
  /** Of each message to whom, its subject and its text. */
  mails: string[];
  /** Of each row of the ledger what it says, ids and addresses too. */
  ledger: string[];
}

/** A server's databases that differ in settings alone: copies of one, salt and all. */
export class SettingsBench {
  readonly #template: Awaited<ReturnType<typeof createDatabase>>;
  readonly #sandbox: Sandbox;
  readonly #role: string;

  private constructor(template: Awaited<ReturnType<typeof createDatabase>>, sandbox: Sandbox, role: string) {
    this.#template = template;
    this.#sandbox = sandbox;
    this.#role = role;
  }

  static async open(locale?: string): Promise<SettingsBench> {
    const template = await createDatabase(undefined, locale);
    const role = `job_${randomBytes(6).toString("hex")}`;
    const owner = await openPostgres(template.connection, { root: "." });
    await installLedger(new Ledger(owner, "opportune"));
    await owner.close();
    const database = String(template.connection.database);
    for (const sql of [
      `create role ${role} login password '${PASSWORD}'`,
      `create table carts (${COLUMNS})`,
      CARTS,
      `grant usage on schema opportune to ${role}`,
      `grant select on carts to ${role}`,
      `grant select, insert, update on all tables in schema opportune to ${role}`,
    ])
      await on(database, sql);
    return new SettingsBench(template, await startSandbox({ port: 0 }), role);
  }

  async close(): Promise<void> {
    await this.#sandbox.close();
    await this.#template.drop();
    await asSuperuser(`drop role ${this.#role}`);
  }

  /**
   * The story of two runs, an hour apart, in a copy of its own.
   * @param settings of the job's role, as of `alter role NAME`, e.g. `set datestyle = 'SQL, DMY'`
   * @param before statements in the database, as its superuser: ROLE is the job's, DATABASE its own
   */
  async story(settings: readonly string[], before: readonly string[] = []): Promise<Story> {
    const copy = await this.copy(settings, before);
    try {
      return await this.runs(copy);
    } finally {
      await copy.drop();
    }
  }

  async copy(settings: readonly string[], before: readonly string[] = []): Promise<Copy> {
    const template = String(this.#template.connection.database);
    const database = `${template}_copy`;
    await asSuperuser(`create database ${database} template ${template}`);
    for (const sql of ["delete from opportune.meta where name = 'database'", ...before])
      await on(database, sql.replaceAll("ROLE", this.#role).replaceAll("DATABASE", database));
    for (const setting of settings) await asSuperuser(`alter role ${this.#role} in database ${database} ${setting}`);
    return {
      connection: { ...this.#template.connection, user: this.#role, password: PASSWORD, database },
      drop: () => asSuperuser(`drop database ${database} with (force)`),
    };
  }

  async runs({ connection }: Copy): Promise<Story> {
    this.#sandbox.clear();
    const root = temporaryFolder();
    write(root, FILES(this.#sandbox.url, connection));
    edit(root, "opportune.yml", "DATABASE", String(connection.database));
    const runs = [await oneRun(root, connection, T0), await oneRun(root, connection, T0 + HOUR)];
    const mails = this.#sandbox.messages().map(({ body }) => {
      const { personalizations, subject, content } = body as { personalizations: { to: { email: string }[] }[]; subject: string; content: { value: string }[] };
      return `${personalizations[0]?.to[0]?.email ?? ""} | ${subject} | ${content.map(({ value }) => value).join(" ")}`;
    });
    return { runs, mails: mails.sort(), ledger: await ledgerRows(String(connection.database)) };
  }
}

/** A database that the job's role can run in. */
export interface Copy {
  connection: PostgresConnection;
  drop(): Promise<void>;
}

async function oneRun(root: string, connection: PostgresConnection, at: number): Promise<string> {
  try {
    const project = loadProject(root, { env: {} });
    const warehouse = await openPostgres(connection, { root });
    try {
      const { problems, decisions } = await run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: () => at });
      const counts = decisions.segments.map(({ reasons, dropped }) => JSON.stringify({ ...reasons, ...dropped }));
      return problems.length === 0 ? `OK ${counts.join(" ")}` : problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
    } finally {
      await warehouse.close();
    }
  } catch (error) {
    if (error instanceof OpportuneError) return error.problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
    return `unexpected: ${String(error)}`;
  }
}

/** One statement in that database, as the superuser. */
export async function on(database: string, sql: string): Promise<Record<string, unknown>[]> {
  const { host, port, user, password } = serverConnection();
  const client = new Client({ host, port, user: user ?? "", password: password ?? "", database });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function ledgerRows(database: string): Promise<string[]> {
  const rows = await on(
    database,
    `select concat_ws(' | ', user_id, segment, step, event, reason, rule, message_id, address, occurred_at, due_at, expires_at, send_by, decided_at, properties, detail) as line
      from opportune.sent_ledger order by seq`,
  );
  return rows.map(({ line }) => String(line));
}

/** What differs from the story of plain settings, in a line; `as ever` where nothing does. */
export function difference(plain: Story, story: Story): string {
  const runs = story.runs.flatMap((line, i) => (line === plain.runs[i] ? [] : [`run ${String(i + 1)}: ${line}`]));
  const mails = story.mails.filter((mail) => !plain.mails.includes(mail));
  const missing = plain.mails.length - story.mails.length;
  const rows = story.ledger.filter((row) => !plain.ledger.includes(row));
  const parts = [
    ...runs,
    ...(missing === 0 ? [] : [`${String(story.mails.length)} of ${String(plain.mails.length)} messages`]),
    ...(mails.length === 0 ? [] : [`${String(mails.length)} messages differ: ${mails[0] ?? ""}`]),
    ...(rows.length === 0 ? [] : [`${String(rows.length)} ledger rows differ: ${rows[0] ?? ""}`]),
  ];
  return parts.length === 0 ? "as ever" : parts.join("; ");
}
