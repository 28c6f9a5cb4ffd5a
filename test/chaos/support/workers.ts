/** Child processes that make runs, and die. */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { COMPILED } from "./paths.js";
import type { Kind } from "./shop.js";
import type { FromWorker, Job, Outcome, ToWorker } from "../worker/messages.js";

const alive = new Set<Worker>();
// A test that fails leaves no process behind either.
process.once("exit", () => alive.forEach((worker) => worker.kill()));

/** `killed`: the process is gone, and with it whatever it was about to do. */
export type Ended = { killed: true } | { killed: false; outcome: Outcome };

export class Worker {
  readonly #child: ChildProcess;
  /** Its code is loaded. */
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  #onMessage: (message: FromWorker) => void = () => undefined;

  /** `mostFileKb`: the largest file that it may write, as if the disk were full then. */
  constructor(kind: Kind, mostFileKb: number | null = null) {
    const limit = mostFileKb === null ? "" : `ulimit -f ${String(mostFileKb)}; `;
    this.#child = spawn("bash", ["-c", `${limit}exec "$0" "$@"`, process.execPath, join(COMPILED, "worker.js"), kind], {
      env: { PATH: process.env["PATH"], NODE_ENV: "test" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    alive.add(this);
    this.gone = new Promise((resolve) =>
      this.#child.once("exit", () => {
        alive.delete(this);
        resolve();
      }),
    );
    this.ready = new Promise((resolve, reject) => {
      this.#child.once("message", () => resolve());
      this.#child.once("exit", (code) => reject(new Error(`the worker ended before it was ready (${String(code)})`)));
    });
    this.ready.catch(() => undefined);
    this.#child.on("message", (message: FromWorker) => this.#onMessage(message));
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the worker has not started");
    return pid;
  }

  /** SIGKILL: no handler runs, no buffer is flushed. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  /** Makes a run, to its end or the process's. `onReached`: the statement of a `report` order; the run waits for it. */
  async run(job: Job, onReached: (label: string) => Promise<void> | void = () => undefined): Promise<Ended> {
    await this.ready;
    const done = new Promise<Ended>((resolve, reject) => {
      this.#onMessage = (message) => {
        if (message.kind === "done") resolve({ killed: false, outcome: message.outcome });
        if (message.kind === "reached")
          Promise.resolve(onReached(message.label)).then(
            () => this.#say({ kind: "go" }),
            (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
          );
      };
    });
    this.#say({ kind: "job", job });
    return Promise.race([done, this.gone.then((): Ended => ({ killed: true }))]);
  }

  /** A run that nobody kills. */
  async outcome(...args: Parameters<Worker["run"]>): Promise<Outcome> {
    const ended = await this.run(...args);
    if (ended.killed) throw new Error("the worker ended amid its run");
    return ended.outcome;
  }

  async end(): Promise<void> {
    this.kill();
    await this.gone;
  }

  #say(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message);
  }
}

/** Keeps one process warm beside the one in use: they take longer to start than a run takes. */
export class Spare {
  readonly #kind: Kind;
  #next: Worker;

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#next = new Worker(kind);
  }

  take(): Worker {
    const worker = this.#next;
    this.#next = new Worker(this.#kind);
    return worker;
  }

  async close(): Promise<void> {
    await this.#next.end();
  }
}
