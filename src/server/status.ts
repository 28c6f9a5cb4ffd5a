/** What the scheduler says of itself by HTTP: whether it lives, whether it is ready, and its numbers. */
import { createServer, type ServerResponse } from "node:http";
import type { Problem } from "../core/errors.js";
import { closeServer, listen } from "./listen.js";
import { answer } from "./requests.js";

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
  const url = await listen(server, { host: options.host, port: options.port, code: "start/port" });
  return { url, close: () => closeServer(server) };
}

function plain(response: ServerResponse, contentType: string, text: string): void {
  response.writeHead(200, { "Content-Type": contentType, "Content-Length": String(Buffer.byteLength(text)), "X-Content-Type-Options": "nosniff" }).end(text);
}
