/**
 * A provider in raw TCP: it breaks each exchange off where it is told to, and counts the messages
 * that it took.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { TLSSocket, createServer as createTlsServer } from "node:tls";

/**
 * `fin` and `rst` cut the connection, `hang` leaves it silent, `open` waits for its next request.
 */
export type Ending = "fin" | "rst" | "hang" | "open";

/** PEM. */
export interface Keys {
  key: string;
  cert: string;
}

/** What the receiver does with one request. */
export interface Move {
  /** Bytes of the request that it reads before it answers; by default all. */
  read?: number;
  /** What it writes, byte for byte (latin1). */
  answer: string;
  ending: Ending;
  /** Whether it refuses the message, so that it hasn't taken it although it read all of it. */
  refuses?: boolean;
  /** Written to the connection once its request is answered: bytes that nobody asked for. */
  surplus?: string;
}

/** A request as far as it was read. */
interface Reading {
  readonly move: Move;
  bytes: Buffer;
  answered: boolean;
  whole: boolean;
}

export class Receiver {
  /** Message id → how often its request was read to the last byte and not refused. */
  readonly taken = new Map<string, number>();
  /** Connections accepted, and requests begun. */
  connections = 0;
  exchanges = 0;
  readonly #server: Server;
  readonly #script: (exchange: number) => Move;
  readonly #sockets = new Set<Socket>();
  readonly #hung: Promise<void>;
  readonly #closed: Promise<void>;
  #tell: { hung: () => void; closed: () => void } = { hung: () => undefined, closed: () => undefined };

  private constructor(script: (exchange: number) => Move, tls: Keys | null) {
    this.#script = script;
    this.#hung = new Promise((resolve) => (this.#tell.hung = resolve));
    this.#closed = new Promise((resolve) => (this.#tell.closed = resolve));
    const serve = (socket: Socket): void => this.#serve(socket);
    this.#server = tls === null ? createServer({ noDelay: true }, serve) : createTlsServer({ ...tls, noDelay: true }, serve);
    this.#server.on("tlsClientError", () => undefined);
  }

  /**
   * `script`: the move for the exchange of this number, from 1. With `tls`, keys in PEM, it speaks
   * TLS.
   */
  static async open(script: (exchange: number) => Move, tls: Keys | null = null): Promise<Receiver> {
    const receiver = new Receiver(script, tls);
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once an exchange hangs: all that it was to be told is written. */
  hung(): Promise<void> {
    return this.#hung;
  }

  /** Resolves once a connection was closed, by either side. */
  closed(): Promise<void> {
    return this.#closed;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#tell.closed();
    });
    let reading: Reading | null = this.#begin(socket);
    socket.on("data", (chunk: Buffer) => {
      reading ??= this.#begin(socket);
      if (reading.whole) return;
      const { move, answered } = reading;
      const { read = Infinity } = move;
      reading.bytes = Buffer.concat([reading.bytes, chunk]);
      if (move.ending !== "open" && reading.bytes.length > read) reading.bytes = reading.bytes.subarray(0, read);
      const whole = wholeRequest(reading.bytes);
      reading.whole = whole !== null;
      if (whole !== null && move.refuses !== true) this.#take(whole);
      if (!answered && (whole !== null || reading.bytes.length >= read)) {
        reading.answered = true;
        // What it has not read stays unsent as soon as the buffers between are full.
        if (move.ending !== "open") socket.pause();
        this.#answer(socket, move);
      }
      if (whole !== null && move.ending === "open") reading = null;
    });
  }

  #begin(socket: Socket): Reading {
    this.exchanges += 1;
    const move = this.#script(this.exchanges);
    const reading: Reading = { move, bytes: Buffer.alloc(0), answered: false, whole: false };
    if (move.read === 0) {
      reading.answered = true;
      this.#answer(socket, move);
    }
    return reading;
  }

  #take(request: Buffer): void {
    const body = JSON.parse(request.toString("utf8", request.indexOf("\r\n\r\n") + 4)) as { personalizations: [{ custom_args: { message_id: string } }] };
    const id = body.personalizations[0].custom_args.message_id;
    this.taken.set(id, (this.taken.get(id) ?? 0) + 1);
  }

  #answer(socket: Socket, move: Move): void {
    const end = (): void => {
      if (move.surplus !== undefined) setImmediate(() => socket.write(move.surplus ?? "", "latin1"));
      if (move.ending === "fin") socket.end();
      // Under TLS a connection can't be reset from here: its end is missing instead.
      if (move.ending === "rst") {
        if (socket instanceof TLSSocket) socket.destroy();
        else socket.resetAndDestroy();
      }
      if (move.ending === "hang") this.#tell.hung();
    };
    if (move.answer === "") end();
    else socket.write(move.answer, "latin1", end);
  }
}

/** The request if all of it is there, else null. */
function wholeRequest(bytes: Buffer): Buffer | null {
  const head = bytes.indexOf("\r\n\r\n");
  if (head === -1) return null;
  const length = Number(/\r\ncontent-length: (\d+)/iu.exec(bytes.toString("latin1", 0, head))?.[1] ?? 0);
  const end = head + 4 + length;
  return bytes.length >= end ? bytes.subarray(0, end) : null;
}
