/** A real PgBouncer between the tests and their Postgres. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { PostgresConnection } from "../../src/project/targets/postgres.js";
import { freePort } from "./free-port.js";

const MISSING = "There is no PgBouncer: install it (Debian: apt-get install -y pgbouncer).";

/** For the word that it is up, and for its end, ms. */
const PATIENCE_MS = 20_000;

/** Where the program is; null, said once, where there is none. In CI nothing is left out in silence. */
export function pgbouncerPath(env: NodeJS.ProcessEnv = process.env): string | null {
  const folders = [...(env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];
  const found = folders.map((folder) => join(folder, "pgbouncer")).find((path) => existsSync(path));
  if (found !== undefined) return found;
  if ((env["CI"] ?? "") !== "") throw new Error(MISSING);
  console.log(`${MISSING} The tests of poolers are skipped.`);
  return null;
}

export type PoolMode = "session" | "transaction" | "statement";

export interface Pooler {
  /** As the server's own, through the pooler. */
  connection: PostgresConnection;
  stop(): Promise<void>;
}

/**
 * Starts one on loopback in front of a database.
 * @param mode pool_mode
 * @param settings further lines of its settings; it opens four backends at most
 */
export async function startPgbouncer(path: string, server: PostgresConnection, mode: PoolMode, settings: readonly string[] = []): Promise<Pooler> {
  const folder = mkdtempSync(join(tmpdir(), "opportune-pgbouncer-"));
  const port = await freePort();
  const config = join(folder, "pgbouncer.ini");
  const { host, port: serverPort, user, password, database } = server;
  writeFileSync(
    config,
    `[databases]
${database ?? ""} = host=${host} port=${String(serverPort)} user=${user ?? ""} password=${password ?? ""}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${String(port)}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 4
max_client_conn = 100
${settings.join("\n")}
`,
  );
  // It refuses to run as root: then as nobody, who must be able to read its settings.
  chmodSync(folder, 0o755);
  const root = process.getuid?.() === 0;
  const bouncer = spawn(path, [...(root ? ["-u", "nobody"] : []), config], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(bouncer, "exit");
  const stop = async (): Promise<void> => {
    bouncer.kill("SIGTERM");
    const late = setTimeout(() => bouncer.kill("SIGKILL"), PATIENCE_MS);
    await ended;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  let said = "";
  const up = new Promise<void>((resolve, reject) => {
    const fail = (): void => reject(new Error(`PgBouncer didn't start.\n${said}`));
    const late = setTimeout(fail, PATIENCE_MS);
    bouncer.once("exit", fail);
    bouncer.once("error", reject);
    bouncer.stderr.on("data", (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-10_000);
      if (!said.includes("process up")) return;
      clearTimeout(late);
      bouncer.off("exit", fail);
      resolve();
    });
  });
  try {
    await up;
  } catch (error) {
    await stop();
    throw error;
  }
  return { connection: { ...server, host: "127.0.0.1", port, ssl: null }, stop };
}
