/** The stand-in for the provider, and what can be posted to it at best. */
import { fork } from "node:child_process";
import { connect, type Socket } from "node:net";
import { Pool } from "undici";
import { endWithUs } from "./children.js";

/** Requests under way at once, here and in the runs. */
export const IN_FLIGHT = 256;

export interface Sink {
  readonly port: number;
  readonly endpoint: string;
  /** Requests answered so far. */
  received(): Promise<number>;
  /** Delays each answer from now on, ms. */
  setLatency(ms: number): void;
  stop(): void;
}

export async function startSink(): Promise<Sink> {
  const child = endWithUs(fork(new URL("sink.ts", import.meta.url), { execArgv: ["--import", "tsx"] }));
  const said = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const gone = (): void => {
        reject(new Error("the sink ended"));
      };
      child.once("exit", gone);
      child.once("message", (message) => {
        child.off("exit", gone);
        resolve(Number(message));
      });
    });
  const port = await said();
  return {
    port,
    endpoint: `http://127.0.0.1:${String(port)}`,
    received() {
      const answer = said();
      child.send("received");
      return answer;
    },
    setLatency: (latencyMs) => child.send({ latencyMs }),
    stop() {
      if (child.connected) child.disconnect();
    },
  };
}

/** Calls `post` with 0 … count − 1, `atOnce` of them under way at a time; gives calls a second. */
export async function rateOf(count: number, atOnce: number, post: (i: number, slot: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async (_, slot) => {
      while (next < count) await post(next++, slot);
    }),
  );
  return count / ((performance.now() - started) / 1000);
}

/** The limit of delivery: the same bodies posted with undici alone. Messages a second. */
export async function bareUndici({ endpoint }: Sink, bodies: readonly string[], count: number): Promise<number> {
  const pool = new Pool(endpoint, { connections: IN_FLIGHT, pipelining: 1 });
  const headers = { authorization: "Bearer SG.bench", "content-type": "application/json", accept: "application/json" };
  const rate = await rateOf(count, IN_FLIGHT, async (i) => {
    const answer = await pool.request({ path: "/v3/mail/send", method: "POST", headers, body: bodies[i % bodies.length] ?? "" });
    await answer.body.dump();
  });
  await pool.close();
  return rate;
}

/** The sink's own ceiling: ready bytes on plain sockets, their answers not even looked at. Messages a second. */
export async function sinkCeiling({ port }: Sink, bodies: readonly string[], count: number): Promise<number> {
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST /v3/mail/send HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
    ),
  );
  const sockets = await Promise.all(
    Array.from(
      { length: IN_FLIGHT },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => {
            resolve(socket);
          });
          socket.once("error", reject);
        }),
    ),
  );
  const rate = await rateOf(
    count,
    IN_FLIGHT,
    (i, slot) =>
      new Promise((resolve) => {
        sockets[slot]?.once("data", resolve);
        sockets[slot]?.write(requests[i % requests.length] ?? "");
      }),
  );
  for (const socket of sockets) socket.destroy();
  return rate;
}
