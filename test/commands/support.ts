/** Projects in temporary folders with real DuckDB files, and the command line as a real child process. */
import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";

export const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** A new folder, removed after the tests. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "opportune-cli-"));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Resolves as soon as stdout and stderr together match. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
  done: Promise<Outcome>;
}

/** Starts `opportune …` in a folder; colours, keys and CI settings of this machine stay outside. */
export function start(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  const heard = (): void => watchers.forEach((watch) => watch());
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => ((stdout += chunk), heard()));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => ((stderr += chunk), heard()));
  const done = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return {
    child,
    done,
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = pattern.exec(stdout + stderr);
          if (found === null) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
        void done.then((outcome) => reject(new Error(`ended without ${String(pattern)}: ${JSON.stringify(outcome)}`)));
      }),
  };
}

/** Runs `opportune …` to its end. */
export function opportune(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return start(cwd, args, env).done;
}

/** Runs statements on a DuckDB file as soon as no other process holds it, and gives the rows of the last; the file is closed again. */
export async function sql(path: string, ...statements: readonly string[]): Promise<Record<string, unknown>[]> {
  const instance = await onceFree(path);
  const connection = await instance.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await connection.runAndReadAll(statement)).getRowObjectsJson();
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Opens a DuckDB file once no other process holds it; waits as long as the test has. */
export async function onceFree(path: string): Promise<DuckDBInstance> {
  for (;;) {
    try {
      return await DuckDBInstance.create(path);
    } catch (error) {
      if (!String(error).includes("Could not set lock")) throw error;
      await sleep(20);
    }
  }
}

/** Writes files below a folder. */
export function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

export function read(root: string, path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/**
 * Replaces some text of one file, in one go as editors do: a process that reads it meanwhile finds it as it was or as it is. Fails
 * where the text isn't there, so that no case tests nothing.
 */
export function edit(root: string, path: string, from: string, to: string): void {
  const content = read(root, path);
  if (!content.includes(from)) throw new Error(`${path} has no ${JSON.stringify(from)}`);
  const edited = `${root}.edited`;
  writeFileSync(
    edited,
    content.replace(from, () => to),
  );
  renameSync(edited, join(root, path));
}

/** Three segments on two tables: carts of an hour ago by six users, of whom u1 has ordered. */
export const SHOP: Readonly<Record<string, string>> = {
  "opportune.yml": `name: shop
target: dev
targets:
  dev: {type: duckdb, path: shop.duckdb, wait_for_lock: 1 second}
channels:
  email: {provider: outbox, from: "Shop <shop@example.com>"}
sources:
  carts: carts
  orders: orders
policy:
  max_per_run: 100
links: {}
`,
  "segments/cart_abandoned.sql": `/*---
status: live
signal: intent
topic: carts
priority: 80
first_run: send
goal: ordered
steps:
  - {name: nudge, after: 10 minutes, channel: email, template: cart}
---*/
select user_id, email, timezone, updated_at as occurred_at, total
from {{source "carts"}}
`,
  "segments/cart_waiting.sql": `/*---
status: live
signal: intent
topic: carts
priority: 10
first_run: send
steps:
  - {name: hint, after: 5 minutes, channel: email, template: cart}
---*/
select user_id, email, updated_at as occurred_at, total from {{source "carts"}} where user_id in ('u2', 'u3')
`,
  "segments/win_back.sql": `/*---
status: draft
signal: inactivity
steps:
  - {name: hello, channel: email, template: cart}
---*/
select user_id, email, updated_at as occurred_at, total from {{source "carts"}}
`,
  "segments/audiences/ordered.sql": `select user_id, ordered_at as occurred_at from {{source "orders"}} where ordered_at > {{ago "7 days"}}\n`,
  "templates/cart.hbs": `---
subject: Your cart of {{total}}
preheader: It is still "there"
layout: none
---
<p>Hello {{user_id}}, your cart of {{total}} is saved.</p>
`,
};

const TABLES = [
  "create table carts as select 'u' || i as user_id, 'u' || i || '@example.com' as email, cast(now() at time zone 'UTC' as timestamp) - interval 1 hour as updated_at, 10 * i as total, 'Europe/Berlin' as timezone from range(6) t(i)",
  "create table orders as select 'u1' as user_id, cast(now() at time zone 'UTC' as timestamp) - interval 30 minute as ordered_at",
];

let prepared: Promise<string> | undefined;

/** A copy of the shop with its warehouse, and the ledger unless `ledger` is false. */
export async function shop(options: { ledger?: boolean } = {}): Promise<string> {
  prepared ??= (async () => {
    const folder = temporaryFolder();
    write(folder, SHOP);
    await sql(join(folder, "shop.duckdb"), ...TABLES);
    cpSync(join(folder, "shop.duckdb"), join(folder, "bare.duckdb"));
    const { code, stderr } = await opportune(folder, ["ledger", "install"]);
    if (code !== 0) throw new Error(stderr);
    // The copies made of it are warehouses of their own.
    await sql(join(folder, "shop.duckdb"), "delete from opportune.meta where name = 'database'");
    return folder;
  })();
  const source = await prepared;
  const root = temporaryFolder();
  write(root, SHOP);
  cpSync(join(source, options.ledger === false ? "bare.duckdb" : "shop.duckdb"), join(root, "shop.duckdb"));
  return root;
}

/** Rows of the shop's warehouse. */
export function query(root: string, statement: string): Promise<Record<string, unknown>[]> {
  return sql(join(root, "shop.duckdb"), statement);
}
