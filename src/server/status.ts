/** What the scheduler says of itself by HTTP: whether it lives, whether it is ready, and its numbers. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { OpportuneError, type Problem } from "../core/errors.js";
import { answer } from "./loopback.js";

export interface StatusOptions {
  /** 0: any free port. */
  port: number;
  host: string;
  /** Whether the ticker goes on. */
  healthy: () => boolean;
  /** Why no run would get through now, without secrets; null: ready. */
  notReady: () => readonly Problem[] | null;
  /** In Prometheus' text format. */
  metrics: () => Promise<{ contentType: string; text: string }>;
}

export interface StatusServer {
  /** E.g. `http://127.0.0.1:9095`. */
  url: string;
  close(): Promise<void>;
}

/** Starts to listen. Throws OpportuneError `start/port` where it can't. */
export async function startStatusServer(options: StatusOptions): Promise<StatusServer> {
  const { healthy, notReady, metrics } = options;
  const server = createServer((request, response) => {
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") return answer(response, 405, { error: "only GET and HEAD" }, { Allow: "GET, HEAD" });
    switch ((request.url ?? "/").split("?", 1)[0]) {
      case "/healthz":
        return answer(response, healthy() ? 200 : 503, { alive: healthy() });
      case "/readyz": {
        const because = notReady();
        return answer(response, because === null ? 200 : 503, because === null ? { ready: true } : { ready: false, because });
      }
      case "/metrics":
        return void metrics().then(
          ({ contentType, text }) => plain(response, contentType, text),
          () => answer(response, 500, { error: "no metrics" }),
        );
      default:
        return answer(response, 404, { error: "there are /healthz, /readyz and /metrics" });
    }
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new OpportuneError(
          {
            code: "start/port",
            message: `Can't listen on ${options.host}:${String(options.port)} (${"code" in error ? String(error.code) : error.message}).`,
            hint: "Another process may have the port: choose another --port, or 0 for any that is free.",
          },
          1,
          error,
        ),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  const { port, family, address } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function plain(response: ServerResponse, contentType: string, text: string): void {
  response.writeHead(200, { "Content-Type": contentType, "Content-Length": String(Buffer.byteLength(text)), "X-Content-Type-Options": "nosniff" }).end(text);
}
