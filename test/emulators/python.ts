/** Emulators of warehouses are Python programs, which end with the tests. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../support/free-port.js";

const run = promisify(execFile);

const LIVE_WITH_PARENT = join(import.meta.dirname, "live_with_parent.py");
/** For what hangs: a server is up within seconds, or ends by itself. ms */
const START_TIMEOUT = 300_000;
const ANSWER_TIMEOUT = 5_000;

/**
 * The interpreter to make an environment with, or null: a variable names another than the one on the path. What pyenv puts on the
 * path for a version that isn't the chosen one refuses to run until it is told which.
 */
export async function findPython(name: string, variable: string): Promise<string | null> {
  const python = process.env[variable] ?? name;
  const ask = async (env: NodeJS.ProcessEnv): Promise<string> => (await run(python, ["-c", "import sys, venv; print(sys.executable)"], { env })).stdout.trim();
  return ask(process.env).catch(() => ask({ ...process.env, PYENV_VERSION: name.replace("python", "") }).catch(() => null));
}

export interface Emulator {
  url: string;
  stop(): Promise<void>;
}

/** Starts a Python program of an environment, a server that answers at `path` once it is up; `args` are given its port. */
export async function startEmulator(python: string, args: (port: number) => string[], path: string, env: NodeJS.ProcessEnv = {}): Promise<Emulator> {
  const port = await freePort();
  const said: string[] = [];
  // Its input stays open as long as this process lives, however that ends.
  const child = spawn(python, ["-W", "ignore", LIVE_WITH_PARENT, ...args(port)], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  const url = `http://127.0.0.1:${String(port)}`;
  const deadline = Date.now() + START_TIMEOUT;
  while (!(await answers(url + path))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      end();
      throw new Error(`The emulator didn't start:\n${said.slice(-20).join("")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    async stop() {
      process.off("exit", end);
      await ended(child);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT) }).then(
    ({ status }) => status < 500,
    () => false,
  );
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
