/** Runs held at a statement, and the test's own hand on their database meanwhile. */
import { Client } from "pg";
import type { PostgresConnection } from "../../../src/project/targets/postgres.js";
import type { Order } from "../worker/messages.js";
import type { Shop } from "./shop.js";

/** Told when a run gets to a statement; it goes on with `go`. */
export class Stop {
  readonly reached: Promise<void>;
  #onReached: () => void = () => undefined;
  #onGo: () => void = () => undefined;
  readonly #gone: Promise<void>;
  #waits = false;

  constructor() {
    this.reached = new Promise((resolve) => (this.#onReached = resolve));
    this.#gone = new Promise((resolve) => (this.#onGo = resolve));
  }

  async wait(): Promise<void> {
    if (this.#waits) throw new Error("two runs got here");
    this.#waits = true;
    this.#onReached();
    await this.#gone;
  }

  go(): void {
    this.#onGo();
  }
}

export const stopBefore = (label: string, nth = 1): Order => ({ label, nth, phase: "before", act: "report" });

/** A connection to the shop's database that no run shares. */
export async function connectBeside(shop: Shop): Promise<Client> {
  const { host, port, user, password, database } = shop.project().target.connection as PostgresConnection;
  const client = new Client({ host, port, user: user ?? "", password: password ?? "", database: database ?? "" });
  // A server that is restarted cuts it too.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
