/** A shop in a temporary folder with its DuckDB file or a database on another warehouse, a sandbox for its mail, and whole runs at a frozen clock. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { setPause } from "../../src/ledger/pauses.js";
import { installLedger } from "../../src/ledger/install/install.js";
import { Ledger } from "../../src/ledger/ledger.js";
import { loadProject } from "../../src/project/build/load.js";
import { run } from "../../src/run/run.js";
import type { RunOptions, RunResult } from "../../src/run/types.js";
import { startSandbox, type Sandbox, type SandboxOptions } from "../../src/server/sandbox/sandbox.js";
import { openDuckDb } from "../../src/warehouse/duckdb/open.js";
import type { AppendColumn, Row, Warehouse } from "../../src/warehouse/types.js";
import { edit, temporaryFolder, write } from "../commands/support.js";
import { createTestDatabase, type Database, type WarehouseName } from "./databases.js";
import { QUIET_RUN } from "./quiet-run.js";
import { sendGridBodyCheck } from "./sendgrid-schema.js";
import { BY_OPERATOR } from "./pauses.js";

export const T0 = Date.parse("2026-03-02T12:00:00Z");
export const MINUTE = 60_000;

const LEDGER = ["sent_ledger", "runs", "segment_runs", "engagement", "suppressions", "preferences", "pauses", "leases", "meta"];

export interface SentMail {
  personalizations: { to: { email: string }[]; custom_args: Record<string, string> }[];
  subject: string;
  content: { type: string; value: string }[];
}

const DUCKDB = { type: "duckdb", path: "shop.duckdb" };

function files(endpoint: string, target: Readonly<Record<string, unknown>>): Record<string, string> {
  return {
    "opportune.yml": `name: shop
target: dev
targets:
  dev: {${JSON.stringify(target).slice(1, -1)}, live: false}
  prod: {${JSON.stringify(target).slice(1, -1)}, live: true}
channels:
  email: {provider: sendgrid, ${endpoint.startsWith("http:") ? "sandbox: true, " : ""}api_key: SG.test-key, endpoint: "${endpoint}", from: "Shop <shop@example.com>", in_flight: 1}
sources:
  carts: carts
policy:
  max_per_run: 100
`,
    "segments/cart.sql": `/*---
status: live
topic: carts
steps:
  - {name: nudge, after: 10 minutes, channel: email, template: cart}
---*/
select user_id, email, occurred_at, name, total from {{source "carts"}}
`,
    "templates/cart.hbs":
      '---\nsubject: "{{name}}, your cart of {{total}}"\nlayout: none\n---\n<p>Hello {{name}}, <a href="https://shop.example.com/?u={{user_id}}">your cart</a> is saved.</p>\n',
  };
}

export class Shop {
  readonly root = temporaryFolder();
  readonly sandbox: Sandbox;
  /** Of DuckDB; null: as by default. */
  memoryLimit: string | null = null;

  readonly #database: Database | null;

  private constructor(sandbox: Sandbox, database: Database | null) {
    this.sandbox = sandbox;
    this.#database = database;
  }

  /** With an empty table of carts, and a ledger unless `ledger` says not; `endpoint` in place of the sandbox's. */
  static async open(options: Partial<SandboxOptions> & { endpoint?: string; on?: WarehouseName; ledger?: boolean } = {}): Promise<Shop> {
    const { endpoint, on, ledger = true, ...sandboxOptions } = options;
    const database = on === undefined || on === "duckdb" ? null : await createTestDatabase(on);
    if (database !== null) onTestFinished(() => database.drop());
    const sandbox = await startSandbox({ port: 0, ...sandboxOptions });
    onTestFinished(() => sandbox.close());
    const shop = new Shop(sandbox, database);
    write(shop.root, files(endpoint ?? sandbox.url, database?.target ?? DUCKDB));
    await shop.warehouse(async (warehouse) => {
      if (ledger) await installLedger(new Ledger(warehouse, "opportune"));
      const { text, timestamp, bigint } = warehouse.dialect.types;
      await warehouse.execute({
        sql: `create table carts (user_id ${text}, email ${text}, occurred_at ${timestamp}, name ${text}, total ${bigint})`,
        params: [],
      });
    });
    return shop;
  }

  /** These users have carts of half an hour before T0, and the segment sends on its first run. */
  static async sending(users: readonly string[], options: Parameters<typeof Shop.open>[0] = {}): Promise<Shop> {
    const shop = await Shop.open(options);
    shop.edit("segments/cart.sql", "status: live", "status: live\nfirst_run: send");
    await shop.carts(users, 30);
    return shop;
  }

  edit(path: string, from: string, to: string): void {
    edit(this.root, path, from, to);
  }

  write(files: Readonly<Record<string, string>>): void {
    write(this.root, files);
  }

  /** The file is opened, or the database connected to, for this alone, as between two runs. */
  async warehouse<T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
    const { root } = this;
    const warehouse =
      this.#database === null
        ? await openDuckDb({ type: "duckdb", path: "shop.duckdb", waitForLockSeconds: 10, memoryLimit: this.memoryLimit, threads: 1 }, { root })
        : await this.#database.connect();
    try {
      return await work(warehouse);
    } finally {
      await warehouse.close();
    }
  }

  rows(sql: string): Promise<Row[]> {
    return this.warehouse((warehouse) => warehouse.query({ sql, params: [] }));
  }

  execute(sql: string): Promise<number> {
    return this.warehouse((warehouse) => warehouse.execute({ sql, params: [] }));
  }

  /** Carts of these users, left so many minutes before T0. */
  async carts(users: readonly string[], minutesBefore: number): Promise<void> {
    if (users.length === 0) return;
    const text = (name: string, values: readonly string[]): AppendColumn => ({ name, kind: "text", values });
    await this.warehouse((warehouse) =>
      warehouse.append(warehouse.dialect.oneProcess ? "main.carts" : "carts", [
        text("user_id", users),
        text(
          "email",
          users.map((user) => `${user}@example.com`),
        ),
        { name: "occurred_at", kind: "timestamp", values: users.map(() => T0 - minutesBefore * MINUTE) },
        text(
          "name",
          users.map((user) => user.toUpperCase()),
        ),
        { name: "total", kind: "integer", values: users.map(() => 20) },
      ]),
    );
  }

  pause(scope: "project" | "segment" | "channel", name: string, paused: boolean, at: number): Promise<void> {
    return this.warehouse((warehouse) => setPause(new Ledger(warehouse, "opportune", () => at), { ...BY_OPERATOR, scope, name, paused }));
  }

  /** One whole run as of `at` (ms) of every segment that is no draft; `target`: another than `dev`, which is not live. */
  run(
    at: number,
    { target, ...options }: Partial<RunOptions> & { target?: "prod" } = {},
    wrap: (warehouse: Warehouse) => Warehouse = (warehouse) => warehouse,
  ): Promise<RunResult> {
    const project = loadProject(this.root, { env: {}, target, brokenAlone: true });
    const segments = [...project.segments.values()].filter(({ status }) => status !== "draft");
    return this.warehouse((warehouse) => run(project, wrap(warehouse), { ...QUIET_RUN, segments, now: () => at, ...options }));
  }

  /** What the sandbox took, each body valid by SendGrid's description. */
  mails(): SentMail[] {
    const check = sendGridBodyCheck();
    return this.sandbox.messages().map(({ body }) => {
      expect(check(body)).toEqual([]);
      return body as SentMail;
    });
  }

  recipients(): string[] {
    return this.mails()
      .map(({ personalizations }) => personalizations[0]?.to[0]?.email ?? "")
      .sort();
  }

  /** Every row of every table of the ledger, on DuckDB. */
  dump(): Promise<Record<string, Row[]>> {
    return this.warehouse(async (warehouse) => {
      const tables: Record<string, Row[]> = {};
      for (const table of LEDGER)
        tables[table] = await warehouse.query({ sql: `select cast(t as varchar) as row_text from opportune.${table} t order by all`, params: [] });
      return tables;
    });
  }

  /** Paths of all files, without DuckDB's log beside its file. */
  files(): string[] {
    return readdirSync(this.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".wal"))
      .map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1))
      .sort();
  }

  /** The messages in the outbox. */
  outbox(): Record<string, unknown>[] {
    return this.files()
      .filter((file) => /outbox.*\.json$/.test(file))
      .map((file) => JSON.parse(readFileSync(join(this.root, file), "utf8")) as Record<string, unknown>);
  }

  /** `user event reason` of each ledger row in order. */
  async story(where = "true"): Promise<string[]> {
    return (await this.rows(`select user_id || ' ' || event || ' ' || reason as line from opportune.sent_ledger where ${where} order by seq`)).map(({ line }) =>
      String(line),
    );
  }
}
