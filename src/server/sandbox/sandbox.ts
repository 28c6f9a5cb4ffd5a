/**
 * The providers for this machine: takes messages as strictly as the real ones, sends nothing, keeps
 * the newest to look at, and misbehaves when told to. Each provider's path is answered by its own
 * protocol; everything under `/sandbox/` is ours, and `/` a page to look at.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { OpportuneError } from "../../core/errors.js";
import { isLoopback } from "../../core/loopback.js";
import { PROVIDER_KINDS, sandboxChannels } from "../../delivery/providers/registry.js";
import type { SandboxAnswer, SandboxProtocol } from "../../delivery/providers/sandbox-protocol.js";
import { closeServer, listen } from "../listen.js";
import { answer, parsed, readBody, strange } from "../requests.js";
import { createPage } from "../page.js";
import { FaultPlan, readFaults, type Fault } from "./faults.js";
import { decisionOf, pageEntry, pageMessage } from "./page.js";
import { MessageStore, shownHeaders, type StoredMessage } from "./store.js";

export type { Fault } from "./faults.js";
export type { StoredMessage } from "./store.js";

const LARGEST_CONTROL_BYTES = 64 * 1024;
const DEFAULT_KEPT = 10_000;
/** About 256 MB of bodies as UTF-16. */
const MOST_KEPT_CHARACTERS = 128 * 1024 * 1024;
const DEFAULT_LIMIT = 100;

export interface SandboxOptions {
  /** 0: any free port. */
  port: number;
  /** A loopback address; default 127.0.0.1. */
  host?: string;
  /** The one key that is accepted; default: any. */
  apiKey?: string;
  /** How many messages are kept, the newest; default 10,000. */
  keep?: number;
  /** Epoch milliseconds; default the wall's clock. */
  now?: () => number;
  /** Told of every request that hands a message over once its body has arrived, before it is answered; with what befalls it. */
  onRequest?: (body: Buffer | null, fault: Fault | null) => void;
  /** What the page shows as the decision behind a message, by the ledger's id of it; throws an OpportuneError where it can't be read. */
  decision?: (messageId: string) => Promise<unknown>;
}

export interface SandboxStats {
  /** Requests that hand a message over. */
  requests: number;
  accepted: number;
  /** Status → answers, without those that accepted. */
  refused: Record<string, number>;
  faults: number;
  kept: number;
}

export interface Sandbox {
  /** Base URL, e.g. `http://127.0.0.1:4010`. */
  url: string;
  /** The newest messages, in the order received. */
  messages(filter?: { to?: string; limit?: number }): StoredMessage[];
  stats(): SandboxStats;
  setFaults(faults: readonly Fault[]): void;
  /** Forgets messages and counts. */
  clear(): void;
  /** Cuts every connection and frees the port. */
  close(): Promise<void>;
}

/** Starts the sandbox. Throws OpportuneError `sandbox/host` for a host beyond this machine, `sandbox/port` if the port is taken. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const host = options.host ?? "127.0.0.1";
  if (!isLoopback(host)) {
    throw new OpportuneError({
      code: "sandbox/host",
      message: `the sandbox can't listen on ${host}`,
      hint: "It takes emails without asking who sends them, so only 127.0.0.1, ::1 and localhost are allowed.",
    });
  }
  const now = options.now ?? Date.now;
  const store = new MessageStore(options.keep ?? DEFAULT_KEPT, MOST_KEPT_CHARACTERS);
  const protocols = new Map((await sandboxProtocols()).map((protocol) => [protocol.path, protocol]));
  let plan = new FaultPlan([]);
  let stats = noStats();
  /** Until everything is forgotten. */
  let epoch = randomUUID();

  const page = createPage({
    state: () => ({
      kind: "sandbox",
      channels: Object.fromEntries(sandboxChannels(url)),
      epoch,
      newest: store.newest,
      kept: store.size,
      requests: stats.requests,
      accepted: stats.accepted,
      refused: stats.refused,
      faults: plan.active(),
    }),
    list(search, limit) {
      const { found, messages } = store.search(search, limit);
      return { found, messages: messages.map(pageEntry) };
    },
    find(id) {
      const stored = store.get(id);
      const protocol = store.protocolOf(id);
      return stored === null || protocol === null ? null : pageMessage(stored, protocol);
    },
    async decision(message) {
      const protocol = store.protocolOf(message.id);
      if (protocol === null) throw new Error(`Message ${message.id} is no longer kept`);
      return decisionOf(message, protocol, options.decision);
    },
  });

  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const refusal = strange(request);
    const protocol = protocols.get(path);
    if (refusal !== null) turnAway(request, response, 403, refusal);
    else if (protocol !== undefined) take(request, response, protocol);
    else if (path.startsWith("/sandbox/")) control(request, response, path);
    else if (!page.handle(request, response, path)) turnAway(request, response, 404, "not found");
  });
  // Longer than undici's pools keep a connection, so that no post meets a closing one.
  server.keepAliveTimeout = 60_000;

  function refuse(response: ServerResponse, { status, body, headers }: SandboxAnswer): void {
    stats.refused[status] = (stats.refused[status] ?? 0) + 1;
    page.changed();
    answer(response, status, body ?? undefined, headers);
  }

  function take(request: IncomingMessage, response: ServerResponse, protocol: SandboxProtocol): void {
    if (request.method !== "POST") {
      turnAway(request, response, 405, "method not allowed");
      return;
    }
    readBody(request, protocol.largestBodyBytes, (body) => {
      stats.requests += 1;
      const unauthorised = protocol.unauthorised(request.headers.authorization, options.apiKey);
      const fault = unauthorised === null ? plan.next() : null;
      options.onRequest?.(body, fault);
      if (fault !== null) stats.faults += 1;
      page.changed();
      const reply = (): void => (unauthorised === null ? judge(request, response, protocol, { body, fault }) : refuse(response, unauthorised));
      if (fault?.delayMs === undefined) reply();
      else setTimeout(reply, fault.delayMs).unref();
    });
  }

  function judge(request: IncomingMessage, response: ServerResponse, protocol: SandboxProtocol, asked: { body: Buffer | null; fault: Fault | null }): void {
    const { body, fault } = asked;
    if (fault?.cut === "before") return void request.socket.resetAndDestroy();
    if (fault?.hang === true || fault?.hang === "before") return;
    if (fault?.status !== undefined) return refuse(response, protocol.refusal(fault.status, fault, now()));
    const taken = protocol.take(request.headers["content-type"] ?? "", body);
    if ("refused" in taken) return refuse(response, taken.refused);
    const id = randomUUID().replaceAll("-", "");
    store.add({ id, receivedAt: now(), headers: shownHeaders(request), text: body?.toString("utf8") ?? "", protocol, ...taken.entry });
    stats.accepted += 1;
    page.changed();
    if (fault?.cut === "after") return void request.socket.resetAndDestroy();
    if (fault?.hang === "after") return;
    const accepted = protocol.accepted(id);
    if (accepted.body === null) response.writeHead(accepted.status, { ...accepted.headers, "Content-Length": "0" }).end();
    else answer(response, accepted.status, accepted.body, accepted.headers);
  }

  function control(request: IncomingMessage, response: ServerResponse, path: string): void {
    const wanted = `${request.method ?? ""} ${path.replace(/^\/sandbox\/messages\/.+$/u, "/sandbox/messages/:id")}`;
    readBody(request, LARGEST_CONTROL_BYTES, (body) => {
      switch (wanted) {
        case "GET /sandbox/messages": {
          const query = new URL(request.url ?? "/", "http://sandbox").searchParams;
          const limit = Number(query.get("limit") ?? DEFAULT_LIMIT);
          if (!Number.isInteger(limit) || limit < 1)
            return answer(response, 400, { error: `limit must be a whole number from 1, not ${query.get("limit") ?? ""}` });
          return answer(response, 200, { kept: store.size, messages: store.list(limit, query.get("to")) });
        }
        case "GET /sandbox/messages/:id": {
          const message = store.get(path.slice("/sandbox/messages/".length));
          return message === null ? answer(response, 404, { error: "no such message, or it is no longer kept" }) : answer(response, 200, message);
        }
        case "DELETE /sandbox/messages":
          clear();
          return answer(response, 204);
        case "GET /sandbox/stats":
          return answer(response, 200, { ...stats, kept: store.size });
        case "GET /sandbox/faults":
          return answer(response, 200, plan.active());
        case "PUT /sandbox/faults": {
          const read = readFaults(parsed(body));
          if ("wrong" in read) return answer(response, 400, { error: read.wrong });
          setFaults(read.faults);
          return answer(response, 200, plan.active());
        }
        case "DELETE /sandbox/faults":
          setFaults([]);
          return answer(response, 204);
        default:
          return answer(response, /^\/sandbox\/(messages|messages\/.+|faults|stats)$/u.test(path) ? 405 : 404, {
            error: "there are GET and DELETE /sandbox/messages, GET /sandbox/messages/ID, GET /sandbox/stats, and GET, PUT and DELETE /sandbox/faults",
          });
      }
    });
  }

  function setFaults(faults: readonly Fault[]): void {
    plan = new FaultPlan(faults);
    page.changed();
  }

  function clear(): void {
    store.clear();
    stats = noStats();
    epoch = randomUUID();
    page.changed();
  }

  const url = await listen(server, { host, port: options.port, code: "sandbox/port" });
  return {
    url,
    messages: (filter = {}) => store.list(filter.limit ?? Infinity, filter.to ?? null),
    stats: () => ({ ...stats, refused: { ...stats.refused }, kept: store.size }),
    setFaults,
    clear,
    close: () => closeServer(server),
  };
}

/** Those of every provider that the sandbox stands in for. */
function sandboxProtocols(): Promise<SandboxProtocol[]> {
  return Promise.all(PROVIDER_KINDS.flatMap(({ sandbox }) => (sandbox === undefined ? [] : [sandbox.protocol()])));
}

function noStats(): Omit<SandboxStats, "kept"> {
  return { requests: 0, accepted: 0, refused: {}, faults: 0 };
}

/** Answers without looking at the body, which is let through unread. */
function turnAway(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  request.resume();
  answer(response, status, { errors: [{ message, field: null, help: null }] }, status === 405 ? { Allow: "POST" } : {});
}
