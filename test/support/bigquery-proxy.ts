/** Stands between the client and BigQuery: writes down what is really sent, and lets requests fail as networks and servers fail them. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A job as it was sent: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job. */
export interface SentJob {
  jobReference?: { jobId?: string; location?: string };
  configuration?: {
    dryRun?: boolean;
    labels?: Record<string, string>;
    jobTimeoutMs?: string;
    query?: {
      query: string;
      maximumBytesBilled?: string;
      createSession?: boolean;
      connectionProperties?: { key: string; value: string }[];
      defaultDataset?: object;
      queryParameters?: { name: string; parameterType: object; parameterValue: object }[];
    };
  };
}

export interface Seen {
  method: string;
  /** Below the project, without the query: `/jobs`. */
  path: string;
  body: SentJob;
  /** Of the answer that the client was given; null: none. */
  status: number | null;
}

interface Answer {
  status: number;
  body: object;
}

/** `lost`: carried out, but the connection ends before the answer; `hang`: neither carried out nor answered; else what is answered instead. */
export type Fault = "lost" | "hang" | Answer | (() => Promise<Answer>);

export interface Proxy {
  url: string;
  seen: Seen[];
  /** The jobs that were sent, with those that were sent again. */
  jobs(): SentJob[];
  /** What becomes of the next request that is meant, and of as many after it as there are faults. */
  fail(meant: (request: Seen) => boolean, ...faults: Fault[]): void;
  /** Resolves once such a request has come. */
  arrived(meant: (request: Seen) => boolean): Promise<Seen>;
}

/** @param upstream where requests are carried out */
export async function startProxy(upstream: string): Promise<Proxy> {
  const seen: Seen[] = [];
  const faults: { meant: (request: Seen) => boolean; fault: Fault }[] = [];
  const watchers = new Set<(request: Seen) => void>();

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const { method = "", url = "" } = incoming;
    const path = new URL(url, upstream).pathname.replace(/^\/bigquery\/v2\/projects\/[^/]+/, "");
    const request: Seen = { method, path, body: body.length === 0 ? {} : (JSON.parse(body.toString()) as SentJob), status: null };
    seen.push(request);
    const at = faults.findIndex(({ meant }) => meant(request));
    const [{ fault } = { fault: null }] = at === -1 ? [] : faults.splice(at, 1);
    for (const watcher of watchers) watcher(request);
    if (fault === "hang") return;
    if (fault !== null && fault !== "lost") {
      const instead = typeof fault === "function" ? await fault() : fault;
      request.status = instead.status;
      response.writeHead(instead.status, { "content-type": "application/json" }).end(JSON.stringify(instead.body));
      return;
    }
    const headers = { "content-type": "application/json" };
    const real = await fetch(new URL(url, upstream), { method, headers, ...(body.length === 0 ? {} : { body }) });
    const text = await real.text();
    if (fault === "lost") {
      incoming.socket.destroy();
      return;
    }
    request.status = real.status;
    response.writeHead(real.status, headers).end(text);
  };

  const server = createServer((incoming, response) => void answer(incoming, response).catch((error: unknown) => response.destroy(error as Error)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    jobs: () => seen.filter(({ method, path }) => method === "POST" && path === "/jobs").map(({ body }) => body),
    fail: (meant, ...some) => faults.push(...some.map((fault) => ({ meant, fault }))),
    arrived: (meant) =>
      new Promise((resolve) => {
        const earlier = seen.find(meant);
        if (earlier !== undefined) {
          resolve(earlier);
          return;
        }
        const watcher = (request: Seen): void => {
          if (!meant(request)) return;
          watchers.delete(watcher);
          resolve(request);
        };
        watchers.add(watcher);
      }),
  };
}
