/** A provider that counts: what it took of each message, and a hand on the process that sends. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  messageId: string;
  runId: string;
  segment: string;
  address: string;
}

interface Mail {
  personalizations: { to: { email: string }[]; custom_args: { message_id: string; run_id: string } }[];
  categories: string[];
}

/** What is done at a request, the n-th from 1, besides taking the message. */
export interface Hooks {
  /** Its body is here. A promise holds it back: it is taken, and answered, when that ends. */
  arrived?(nth: number): void | Promise<void>;
  /** It is taken, not yet answered. */
  taken?(nth: number): void | Promise<void>;
  /** Its answer has been given to the operating system. */
  answered?(nth: number): void;
}

export class CountingProvider {
  /** In the order taken. */
  received: Received[] = [];
  hooks: Hooks = {};
  readonly #server: Server;
  #requests = 0;
  #open = 0;
  #onIdle: (() => void)[] = [];

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response).catch(() => response.destroy()));
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on("connection", (socket) => {
      this.#open += 1;
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#open -= 1;
        if (this.#open === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
      });
    });
  }

  static async start(): Promise<CountingProvider> {
    const provider = new CountingProvider();
    await new Promise<void>((resolve) => provider.#server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Forgets everything, for the next story. */
  reset(hooks: Hooks = {}): void {
    this.received = [];
    this.hooks = hooks;
    this.#requests = 0;
  }

  /** When every connection has ended: what a dead process had written has arrived by then, and has been taken. */
  async idle(): Promise<void> {
    while (this.#open > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const nth = ++this.#requests;
    await this.hooks.arrived?.(nth);
    const { personalizations, categories } = JSON.parse(Buffer.concat(chunks).toString()) as Mail;
    const [one] = personalizations;
    if (one === undefined) throw new Error("a mail without a recipient");
    const { message_id: messageId, run_id: runId } = one.custom_args;
    this.received.push({ messageId, runId, segment: categories[0] ?? "", address: one.to[0]?.email ?? "" });
    await this.hooks.taken?.(nth);
    response.writeHead(202, { "X-Message-Id": `provider-${String(nth)}`, "Content-Length": "0" });
    response.end(() => this.hooks.answered?.(nth));
  }
}
