/** A small shop on either warehouse: two segments that want the same users, so that the second waits for the next run. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { installLedger } from "../../../src/ledger/install/install.js";
import { Ledger } from "../../../src/ledger/ledger.js";
import { loadProject } from "../../../src/project/build/load.js";
import type { Project } from "../../../src/project/types.js";
import { run } from "../../../src/run/run.js";
import type { RunResult } from "../../../src/run/types.js";
import { openWarehouse } from "../../../src/warehouse/open.js";
import type { Row, Warehouse } from "../../../src/warehouse/types.js";
import { createDatabase } from "../../support/postgres.js";
import { QUIET_RUN } from "../../support/quiet-run.js";
import type { Job, Order } from "../worker/messages.js";

export type Kind = "duckdb" | "postgres";
export const SEGMENTS = ["cart", "news"];
/** Claims read and rendered together. */
export const BATCH = 10;
/** Requests under way at once. */
export const IN_FLIGHT = 4;
/**
 * In doubt after a kill at most: what is under way, what was taken within a tenth of a second and isn't written, and as much again
 * that is marked ahead. The provider is quick: that is all of three batches.
 */
export const MOST_DOUBTS = 3 * BATCH;

export interface ShopOptions {
  endpoint: string;
  users: number;
  onDoubt?: "hold" | "resend";
  /** Lines added to the target. */
  target?: string;
  /** Files beside or instead of the shop's own. */
  files?: Readonly<Record<string, string>>;
}

/** Where shops are opened: a folder of DuckDB files, or a database with a schema for each. */
export interface Ground {
  kind: Kind;
  open(options: ShopOptions): Promise<Shop>;
  close(): Promise<void>;
}

const segment = (priority: number): string => `/*---
status: live
first_run: send
topic: carts
priority: ${String(priority)}
steps:
  - {name: nudge, after: 10 minutes, channel: email, template: mail}
---*/
select user_id, email, occurred_at, name from {{source "carts"}}
`;

const MAIL = '---\nsubject: "{{name}}, your cart"\nlayout: none\n---\n<p>Hello {{name}}, <a href="https://shop.example.com/">your cart</a> is saved.</p>\n';

/** @param server URL of a Postgres server other than that of all tests */
export async function openGround(kind: Kind, server?: string): Promise<Ground> {
  const root = mkdtempSync(join(tmpdir(), "opportune-chaos-"));
  const database = kind === "postgres" ? await createDatabase(server) : null;
  let shops = 0;
  return {
    kind,
    async open(options) {
      const name = `shop_${String(++shops)}`;
      const folder = join(root, name);
      const { user, password, host, port, database: db } = database?.connection ?? {};
      const target =
        database === null
          ? `{type: duckdb, path: shop.duckdb, wait_for_lock: 1 minute, threads: 1`
          : `{type: postgres, url: "postgres://${String(user)}:${String(password)}@${String(host)}:${String(port)}/${String(db)}", schema: ${name}_ledger, search_path: [${name}]`;
      return Shop.open(kind, folder, name, `${target}${options.target === undefined ? "" : `, ${options.target}`}}`, options);
    },
    async close() {
      await database?.drop();
    },
  };
}

export class Shop {
  readonly users: string[] = [];

  private constructor(
    readonly kind: Kind,
    readonly root: string,
    readonly schema: string,
    /** Schema of the segments' own tables. */
    readonly sources: string,
  ) {}

  static async open(kind: Kind, root: string, name: string, target: string, { endpoint, users, onDoubt = "hold", files = {} }: ShopOptions): Promise<Shop> {
    const shop = new Shop(kind, root, kind === "postgres" ? `${name}_ledger` : "opportune", kind === "postgres" ? name : "main");
    const written: Record<string, string> = {
      "opportune.yml": `name: shop
targets:
  prod: ${target}
channels:
  email: {provider: sendgrid, sandbox: true, api_key: SG.chaos, endpoint: "${endpoint}", from: "Shop <shop@example.com>", in_flight: ${String(IN_FLIGHT)}, rate: 100000, timeout: 1 minute, on_doubt: ${onDoubt}}
sources:
  carts: carts
policy:
  max_per_run: 100000
  surge: false
`,
      "segments/cart.sql": segment(80),
      "segments/news.sql": segment(50),
      "templates/mail.hbs": MAIL,
      ...files,
    };
    for (const [file, text] of Object.entries(written)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    await shop.warehouse(async (warehouse) => {
      const text = "varchar(100)";
      if (kind === "postgres") await warehouse.execute({ sql: `create schema ${name}`, params: [] });
      await warehouse.execute({ sql: `create table carts (user_id ${text}, email ${text}, occurred_at timestamp, name ${text})`, params: [] });
      await installLedger(new Ledger(warehouse, shop.schema));
    });
    await shop.qualify(users);
    return shop;
  }

  /** So many new users left a cart half an hour ago. */
  async qualify(count: number): Promise<void> {
    const first = this.users.length + 1;
    const at = new Date(Date.now() - 30 * 60_000).toISOString().slice(0, 19);
    for (let i = first; i < first + count; i++) this.users.push(`user${String(i)}`);
    await this.execute(
      `insert into carts select 'user' || i, 'user' || i || '@example.com', timestamp '${at}', 'User ' || i from generate_series(${String(first)}, ${String(first + count - 1)}) as g(i)`,
    );
  }

  project(): Project {
    return loadProject(this.root, { env: {} });
  }

  async warehouse<T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
    const warehouse = await openWarehouse(this.project().target.connection, { root: this.root, create: true });
    try {
      return await work(warehouse);
    } finally {
      await warehouse.close();
    }
  }

  execute(sql: string): Promise<number> {
    return this.warehouse((warehouse) => warehouse.execute({ sql, params: [] }));
  }

  query(sql: string): Promise<Row[]> {
    return this.warehouse((warehouse) => warehouse.query({ sql, params: [] }));
  }

  /**
   * The time passes that a dead holder's lease still has. On DuckDB none has to: the file's lock proves the holder dead. On
   * Postgres what the holder had asked for may still be under way in the server: the time comes after it.
   */
  async leaseRunsOut(): Promise<void> {
    if (this.kind === "duckdb") return;
    await this.warehouse(async (warehouse) => {
      const others = "from pg_stat_activity where datname = current_database() and application_name = 'opportune' and pid <> pg_backend_pid()";
      for (let left = 1; left > 0;) left = Number((await warehouse.query({ sql: `select count(*) as n ${others}`, params: [] }))[0]?.["n"]);
      await warehouse.execute({
        sql: `update ${this.schema}.leases set expires_at = timestamp '2000-01-01 00:00:00' where name = 'run' and holder is not null`,
        params: [],
      });
    });
  }

  job(orders: readonly Order[] = [], clock: string | null = null): Job {
    return { root: this.root, batch: BATCH, orders, clock };
  }

  /** One whole run in this process. */
  async run(): Promise<RunResult> {
    const project = this.project();
    return this.warehouse((warehouse) => {
      const stream = warehouse.stream.bind(warehouse);
      warehouse.stream = (statement, size) => stream(statement, Math.min(size, BATCH));
      return run(project, warehouse, { ...QUIET_RUN, segments: [...project.segments.values()], now: Date.now });
    });
  }

  /** Runs until nobody waits and nothing was left; gives the problems of these runs. `again`: and once more, which must send nothing. */
  async runUntilQuiet(again = false): Promise<string[]> {
    const problems: string[] = [];
    for (let runs = 0; runs < 6; runs++) {
      const { delivery, decisions, problems: found } = await this.run();
      problems.push(...found.map(({ message }) => message));
      const waiting = decisions.segments.reduce((sum, { reasons }) => sum + (reasons["outranked"] ?? 0), 0);
      if (waiting > 0 || Object.keys(delivery?.counts.released ?? {}).length > 0) continue;
      const more = again ? ((await this.run()).delivery?.claims ?? 0) : 0;
      return more === 0 ? problems : [...problems, `a run with nothing left to send claimed ${String(more)}`];
    }
    return [...problems, "after six runs there is still something to send"];
  }
}
