/**
 * A wire to a receiver whose first connection breaks after so many bytes, whatever they are: a
 * handshake's, too.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export interface Cut {
  /** Which way the bytes are counted. */
  towards: "client" | "server";
  /** So many pass, then none in either direction. */
  bytes: number;
  ending: "fin" | "rst" | "hang";
}

export class Cutter {
  connections = 0;
  /** Resolves when the first connection falls silent. */
  readonly hung: Promise<void>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fellSilent: () => void = () => undefined;

  private constructor(
    readonly target: number,
    readonly cut: Cut,
  ) {
    this.hung = new Promise((resolve) => (this.#fellSilent = resolve));
    this.#server = createServer({ noDelay: true }, (client) => this.#join(client));
  }

  /** `target`: the receiver's port on this machine. */
  static async open(target: number, cut: Cut): Promise<Cutter> {
    const cutter = new Cutter(target, cut);
    await new Promise<void>((resolve) => cutter.#server.listen(0, "127.0.0.1", resolve));
    return cutter;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    this.connections += 1;
    const server = connect({ port: this.target, host: "127.0.0.1", noDelay: true });
    const ways = { client, server };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
    }
    if (this.connections > 1) {
      client.pipe(server).pipe(client);
      return;
    }
    let left = this.cut.bytes;
    let over = false;
    const end = (): void => {
      over = true;
      if (this.cut.ending === "hang") return this.#fellSilent();
      for (const socket of [client, server]) {
        if (this.cut.ending === "fin") socket.end();
        else socket.resetAndDestroy();
      }
    };
    const pass = (chunk: Buffer, to: Socket): void => {
      if (over) return;
      const counted = to === ways[this.cut.towards];
      const part = counted ? chunk.subarray(0, left) : chunk;
      if (counted) left -= part.length;
      const last = counted && left === 0;
      over = last;
      if (part.length === 0) end();
      else to.write(part, () => (last ? end() : undefined));
    };
    client.on("data", (chunk: Buffer) => pass(chunk, server));
    server.on("data", (chunk: Buffer) => pass(chunk, client));
    client.on("end", () => server.end());
    server.on("end", () => (over ? undefined : client.end()));
  }
}
